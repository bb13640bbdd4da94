import assert from "node:assert/strict";
import { zstdCompressSync } from "node:zlib";
import { normalize } from "../../../src/formats/bpe/nfc.ts";
import { Merger } from "../../../src/formats/bpe/merges.ts";
import { inspectFile, readDocuments } from "../../../src/data/text/file_source.ts";
import { TextBudget } from "../../../src/data/text/text_budget.ts";
import { exceedsValues } from "../../../src/digest/json_values.ts";
import { requireDense } from "../../../src/files/dense.ts";
import { openRegular } from "../../../src/files/open_regular.ts";
import { withFolder } from "../../temporary_folder.ts";

async function read(path: string): Promise<number> {
  let documents = 0;
  for await (const _ of readDocuments(await inspectFile(path, () => {}), () => {})) documents++;
  return documents;
}

Deno.test("exceedsValues() counts values outside of strings, and is exact where it matters", () => {
  const cases: [text: string, values: number][] = [
    ["1", 1],
    ["[1,2]", 3],
    ['{"a":"[[[[,,,,:::"}', 3],
    [String.raw`["\"[[[[\\",1]`, 3],
    ["[[[[]]]]", 5],
  ];
  for (const [text, values] of cases) {
    assert.equal(exceedsValues(text, values), false, text);
    assert.equal(exceedsValues(text, values - 1), true, text);
  }
  assert.equal(exceedsValues(`"${"\\".repeat(1e6)}`, 10), false);
});

Deno.test("readDocuments() refuses a line of more JSON values than memory holds, nested or flat", async () => {
  await withFolder(async (folder) => {
    for (const other of ["[".repeat(2_200_000), `[${"0,".repeat(2_200_000)}0]`]) {
      const path = `${folder}/bomb.jsonl.zst`;
      await Deno.writeFile(path, zstdCompressSync(`{"text":"x","other":${other}}\n`));
      await assert.rejects(read(path), { code: "TOO_MANY_VALUES", message: /line 1 has more than 2097152/ });
    }
    const path = `${folder}/meta.jsonl`;
    await Deno.writeTextFile(path, `${JSON.stringify({ text: "x", meta: "[".repeat(100_000) })}\n`);
    assert.equal(await read(path), 1);
  });
});

Deno.test("TextBudget lets a file give a thousand times its size and more, and no terabytes", () => {
  const budget = new TextBudget("a.parquet", 560);
  for (let i = 0; i < 256; i++) budget.spend(1 << 20);
  budget.spend(560_000);
  assert.throws(() => budget.spend(1), {
    code: "EXPANDS_TOO_FAR",
    message: /has 560 bytes and gives more than 268995456/,
  });
  new TextBudget("b.jsonl.zst", 1e9).spend(1e12);
});

Deno.test("requireDense() refuses files that are mostly holes, and no others", () => {
  const size = 2 ** 40;
  assert.throws(() => requireDense("a.idx", { size, blocks: 8 }), {
    code: "SPARSE_FILE",
    message: /"a\.idx" states 1099511627776 bytes, and only 4096 of them are on the disk/,
  });
  assert.throws(() => requireDense("a.idx", { size, blocks: 0 }), { code: "SPARSE_FILE" });
  for (const dense of [{ size, blocks: null }, { size, blocks: size / 512 / 16 }, { size: 1 << 26, blocks: 0 }]) {
    requireDense("a", dense);
  }
});

Deno.test("openRegular() reads no sparse file of terabytes", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/a.safetensors`;
    await Deno.writeTextFile(path, "x");
    await Deno.truncate(path, 2 ** 40);
    if (((await Deno.stat(path)).blocks ?? 2 ** 40) > 100) return; // a file system without holes
    await assert.rejects(openRegular(path, "read"), { code: "SPARSE_FILE" });
  });
});

Deno.test("normalize() of a long run of marks is that of the platform, and takes no square of its length", () => {
  const runs = [
    "\u0301\u0323",
    "\u0315\u0323\u0334",
    "\u0344\u0345\u0323",
    "\u0f73\u0f71\u0f72",
    "\u0903\u0327\u0301\u0897",
  ];
  for (const run of runs) {
    for (const text of [`é${run.repeat(90)}z`, `${run.repeat(70)}a${run.repeat(3)}`, `a${run.repeat(100)}`]) {
      // U+0897 came after Unicode 9, so that the text is cut there.
      const expected = text.split("\u0897").map((piece) => piece.normalize("NFC")).join("\u0897");
      assert.equal(normalize(text), expected);
    }
  }
  const started = performance.now();
  normalize(`a${"\u0315".repeat(50_000)}${"\u0323\u0301".repeat(50_000)}`);
  assert.ok(performance.now() - started < 5000);
});

Deno.test("Merger merges a word of a hundred thousand bytes at once, and refuses one of nine million", () => {
  const ids = Uint16Array.from({ length: 256 }, (_, byte) => byte);
  const merger = new Merger([{ left: 97, right: 97, merged: 256 }, { left: 256, right: 256, merged: 257 }]);
  assert.equal(merger.merge(new Uint8Array(100_001).fill(97), 0, 100_001, ids), 25_001);
  assert.throws(() => merger.merge(new Uint8Array(9_000_000).fill(97), 0, 9_000_000, ids), {
    code: "WORD_TOO_LONG",
    message: /a word of 9000000 bytes, which begins with "a{40}", and at most 8388608/,
  });
});
