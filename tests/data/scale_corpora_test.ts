/** What a scale's options make of files of the user's own. */
import assert from "node:assert/strict";
import { describeCorpora } from "../../src/data/corpora.ts";
import { withHubPins } from "../../src/data/hub/lock.ts";
import type { CorpusFiles, CorpusOptions } from "../../src/data/options.ts";
import { scaleCorpora } from "../../src/data/scale_corpora.ts";
import { loadScale } from "../../src/experiment/catalogue.ts";
import { HubCache } from "../../src/hub/cache.ts";
import { withFolder } from "../temporary_folder.ts";
import { SMALL_TOKENIZER } from "../formats/bpe/small_tokenizer.ts";
import { jsonLines } from "./fixtures.ts";
import { lay } from "./hub/laid_repository.ts";
import { userError } from "./user_error.ts";

const NO_PINS = "version: 1\npackages: {}\nfiles: {}\n";
const MODEL = "EleutherAI/gpt-neox-20b";

/** Two files, a lockfile without pins, and where to describe them at a scale. */
async function withFiles(
  use: (
    at: {
      files: CorpusFiles;
      cache: HubCache;
      lockFile: string;
      options: (scale: string, files: CorpusFiles) => Promise<CorpusOptions>;
    },
  ) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/up.jsonl`, jsonLines(60));
    await Deno.writeTextFile(`${folder}/down.jsonl`, jsonLines(60, [], 60));
    const lockFile = `${folder}/lock.yaml`;
    await Deno.writeTextFile(lockFile, NO_PINS);
    const cache = new HubCache(`${folder}/hub`);
    await use({
      files: { upstream: [`${folder}/up.jsonl`], downstream: [`${folder}/down.jsonl`] },
      cache,
      lockFile,
      options: async (name, files) => {
        const scale = await loadScale(name);
        return { ...scaleCorpora(scale, files, cache.folder), lockFile, sequenceLength: 16 };
      },
    });
  });
}

const digestOf = async (options: CorpusOptions) => (await describeCorpora(options)).upstream.digest;

Deno.test("scaleCorpora() reads files with the scale's tokenizer, if they name none", () =>
  withFiles(async ({ files, cache, lockFile, options }) => {
    const pin = await lay(cache, MODEL, { "tokenizer.json": await Deno.readFile(SMALL_TOKENIZER) }, "model");
    await Deno.writeTextFile(lockFile, withHubPins(NO_PINS, { [`models/${MODEL}`]: pin }));
    const named = await digestOf(await options("small", { ...files, tokenizer: SMALL_TOKENIZER }));
    const bytes = await digestOf(await options("small", { ...files, tokenizer: "bytes" }));
    assert.equal(await digestOf(await options("small", files)), named);
    assert.notEqual(named, bytes);
    assert.equal(await digestOf(await options("tiny", files)), bytes, "tiny is a scale of bytes");
  }));

Deno.test("scaleCorpora() refuses files without a tokenizer where the scale's was not fetched", () =>
  withFiles(async ({ files, cache, lockFile, options }) => {
    for (const scale of ["small", "medium", "paper"]) {
      await assert.rejects(
        describeCorpora(await options(scale, files)),
        userError(
          "TOKENIZER_NOT_FETCHED",
          MODEL,
          `"deno task data lock --scale ${scale} --only tokenizer"`,
          `"deno task data fetch --scale ${scale} --only tokenizer"`,
          "--tokenizer FILE",
          "--tokenizer bytes",
        ),
      );
    }
    const pin = await lay(cache, MODEL, { "tokenizer.json": await Deno.readFile(SMALL_TOKENIZER) }, "model");
    await Deno.writeTextFile(lockFile, withHubPins(NO_PINS, { [`models/${MODEL}`]: pin }));
    await Deno.remove(`${cache.folder}/models`, { recursive: true });
    await assert.rejects(describeCorpora(await options("small", files)), (error: Error) => {
      assert(userError("TOKENIZER_NOT_FETCHED", "data fetch --scale small --only tokenizer")(error));
      assert(!error.message.includes("data lock"), "it is locked already");
      return true;
    });
  }));

Deno.test("scaleCorpora() says how much of files and datasets is read, but not of the packages", async () => {
  const [tiny, small] = [await loadScale("tiny"), await loadScale("small")];
  const files = { upstream: ["a.txt"], downstream: ["b.txt"] };
  assert.deepEqual(scaleCorpora(tiny, files).samples, { upstream: 2200 * 16, downstream: 2200 * 16 });
  assert.deepEqual(scaleCorpora(small).samples, { upstream: 16000 * 32, downstream: 16000 * 32 });
  assert.equal(scaleCorpora(tiny).samples, undefined);
});
