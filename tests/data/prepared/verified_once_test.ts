import assert from "node:assert/strict";
import { openCorpora } from "../../../src/data/corpora.ts";
import { withFolder } from "../../temporary_folder.ts";

Deno.test("openCorpora() hashes a copy once, and again when a file has changed", () =>
  withFolder(async (folder) => {
    const stagesOf = async (cacheFolder: string) => {
      const stages = new Set<string>();
      const corpora = await openCorpora({
        source: { kind: "npm" },
        sequenceLength: 128,
        cacheFolder,
        onProgress: ({ stage }) => stages.add(stage),
      });
      const { digest } = await corpora.upstream.batch(0, 4, 1);
      corpora.close();
      return { stages, digest };
    };
    const cache = `${folder}/cache`;
    const made = await stagesOf(cache);
    const again = await stagesOf(cache);
    assert(!again.stages.has("verify"), [...again.stages].join());
    assert.equal(again.digest, made.digest);

    const copy = `${folder}/copy`;
    await Deno.mkdir(copy);
    for (const { name, isDirectory } of Deno.readDirSync(cache)) {
      if (!isDirectory) continue;
      await Deno.mkdir(`${copy}/${name}`);
      for (const file of Deno.readDirSync(`${cache}/${name}`)) {
        await Deno.copyFile(`${cache}/${name}/${file.name}`, `${copy}/${name}/${file.name}`);
      }
    }
    assert((await stagesOf(copy)).stages.has("verify"), "another copy is hashed by itself");
    assert(!(await stagesOf(copy)).stages.has("verify"));

    const [corpus] = [...Deno.readDirSync(copy)].filter(({ isDirectory }) => isDirectory);
    const [bin] = [...Deno.readDirSync(`${copy}/${corpus?.name}`)].filter(({ name }) => name.endsWith(".bin"));
    const path = `${copy}/${corpus?.name}/${bin?.name}`;
    const bytes = await Deno.readFile(path);
    bytes[100] = (bytes[100] ?? 0) ^ 1;
    await Deno.writeFile(path, bytes);
    const damaged = await stagesOf(copy);
    assert(damaged.stages.has("rebuild"), "the change is found, and the copy made again");
    assert.equal(damaged.digest, made.digest);
  }));
