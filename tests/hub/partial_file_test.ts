import assert from "node:assert/strict";
import { sha256 } from "../../src/digest/sha256.ts";
import { HubCache } from "../../src/hub/cache.ts";
import { type Part, PartialFile } from "../../src/hub/partial_file.ts";
import { withFolder } from "../temporary_folder.ts";

/** Opens a partial file of 25 bytes in parts of 10. */
const open = (folder: string, bytes = 25) => PartialFile.open(`${folder}/partial/x`, bytes, 10);

async function fill(partial: PartialFile, part: Part, value: number): Promise<void> {
  await partial.write(part, part.start, new Uint8Array(part.end - part.start).fill(value));
}

Deno.test("PartialFile.open() finds the parts that an earlier process finished, and only those", () =>
  withFolder(async (folder) => {
    const first = await open(folder);
    const parts = [...first.missing()];
    assert.deepEqual(parts, [
      { index: 0, start: 0, end: 10 },
      { index: 1, start: 10, end: 20 },
      { index: 2, start: 20, end: 25 },
    ]);
    const [a, b, c] = parts as [Part, Part, Part];
    await fill(first, c, 3);
    await first.finish(c);
    await fill(first, a, 1);
    await first.finish(a);
    await first.write(b, 10, new Uint8Array(4).fill(2));
    assert.equal(first.received, 19);
    first.close();

    const second = await open(folder);
    assert.equal(second.received, 15);
    assert.deepEqual([...second.missing()], [b]);
    await fill(second, b, 2);
    await second.finish(b);
    second.close();
    await second.moveTo(`${folder}/done/x`);
    const bytes = await Deno.readFile(`${folder}/done/x`);
    assert.deepEqual([...bytes], [...Array(10).fill(1), ...Array(10).fill(2), ...Array(5).fill(3)]);
    assert.deepEqual([...Deno.readDirSync(`${folder}/partial`)], []);
  }));

Deno.test("PartialFile.open() begins anew where what it finds cannot be trusted", async () => {
  const damages: [string, (folder: string) => void, number][] = [
    [
      "a log of another length",
      (folder) => Deno.writeTextFileSync(`${folder}/partial/x.parts`, "26 bytes in parts of 10\n0\n"),
      0,
    ],
    ["a log cut in its header", (folder) => Deno.truncateSync(`${folder}/partial/x.parts`, 5), 0],
    [
      "a last line that was torn",
      (folder) => Deno.writeTextFileSync(`${folder}/partial/x.parts`, "2", { append: true }),
      10,
    ],
    [
      "a line that is no part",
      (folder) => Deno.writeTextFileSync(`${folder}/partial/x.parts`, "9\n2\n", { append: true }),
      10,
    ],
    ["a file that is gone", (folder) => Deno.removeSync(`${folder}/partial/x`), 0],
    ["a file that was cut", (folder) => Deno.truncateSync(`${folder}/partial/x`, 12), 0],
  ];
  for (const [what, damage, received] of damages) {
    await withFolder(async (folder) => {
      const first = await open(folder);
      const [a] = [...first.missing()] as [Part];
      await fill(first, a, 1);
      await first.finish(a);
      first.close();
      damage(folder);
      const second = await open(folder);
      assert.equal(second.received, received, what);
      second.close();
      const third = await open(folder);
      assert.equal(third.received, received, `${what}, again`);
      third.close();
    });
  }
});

Deno.test({
  name: "HubCache reaches nothing through a link below its folder",
  ignore: Deno.build.os === "windows",
  fn: () =>
    withFolder(async (outer) => {
      const cache = new HubCache(`${outer}/cache`);
      const others = `${outer}/others`;
      await Deno.mkdir(others);
      await Deno.mkdir(cache.folder);
      await Deno.writeTextFile(`${others}/x`, "thesis");
      const digest = sha256("thesis");
      const refused = { code: "IS_A_LINK" };
      for (
        const [name, use] of [
          ["partial", () => PartialFile.open(cache.partialPathOf("x"), 25, 10, cache.files)],
          ["locks", () => cache.exclusively("abc", () => Promise.resolve(), () => {})],
          ["sha256", () => cache.find(digest, 6)],
          ["sha256", () => cache.removeDamaged(digest)],
        ] as const
      ) {
        await Deno.symlink(others, `${cache.folder}/${name}`);
        await assert.rejects(async () => void await use(), refused, name);
        await Deno.remove(`${cache.folder}/${name}`);
      }
      await Deno.mkdir(`${cache.folder}/partial`);
      for (const name of ["x.parts", "x"]) {
        await Deno.symlink(`${others}/x`, `${cache.folder}/partial/${name}`);
        await assert.rejects(PartialFile.open(cache.partialPathOf("x"), 25, 10, cache.files), refused, name);
        await Deno.remove(`${cache.folder}/partial/${name}`);
      }
      assert.equal(await Deno.readTextFile(`${others}/x`), "thesis");
      assert.deepEqual([...Deno.readDirSync(others)].length, 1);
    }),
});
