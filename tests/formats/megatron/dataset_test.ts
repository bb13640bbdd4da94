import fc from "fast-check";
import { deepEqual, equal, throws } from "node:assert/strict";
import { IndexedDataset } from "../../../src/formats/megatron/dataset.ts";
import { MegatronIndex } from "../../../src/formats/megatron/index.ts";
import { writeIndex } from "../../../src/formats/megatron/write_index.ts";
import { withFolder } from "../../temporary_folder.ts";
import { userError } from "../../data/user_error.ts";

/** Three documents [1, 2, 0], [0], [258, 65535, 3, 0], written out by hand from the format's description. */
const INDEX = [
  ...[0x4d, 0x4d, 0x49, 0x44, 0x49, 0x44, 0x58, 0, 0], // MMIDIDX\0\0
  ...[1, 0, 0, 0, 0, 0, 0, 0], // version
  ...[8], // uint16
  ...[3, 0, 0, 0, 0, 0, 0, 0], // sequences
  ...[4, 0, 0, 0, 0, 0, 0, 0], // documents + 1
  ...[3, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0], // sizes in tokens
  ...[0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0], // pointers in bytes
  ...[0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0],
];
const TOKENS = [1, 0, 2, 0, 0, 0, 0, 0, 2, 1, 255, 255, 3, 0, 0, 0];

function writePair(folder: string, index: readonly number[], tokens: readonly number[]): string {
  Deno.writeFileSync(`${folder}/d.idx`, Uint8Array.from(index));
  Deno.writeFileSync(`${folder}/d.bin`, Uint8Array.from(tokens));
  return `${folder}/d`;
}

Deno.test("writeIndex() writes the bytes that Megatron's format prescribes", () =>
  withFolder(async (folder) => {
    const seen: number[] = [];
    writeIndex(`${folder}/a.idx`, 3, () => [3, 1, 4], (bytes) => seen.push(...bytes));
    deepEqual([...await Deno.readFile(`${folder}/a.idx`)], INDEX);
    deepEqual(seen, INDEX);
  }));

Deno.test("an index with more entries than are buffered is written and read whole", () =>
  withFolder(async (folder) => {
    const documents = 70_001;
    const sizes = Array.from({ length: documents }, (_, i) => 1 + i % 3);
    const tokens = sizes.reduce((sum, size) => sum + size, 0);
    writeIndex(`${folder}/d.idx`, documents, () => sizes);
    await Deno.writeFile(`${folder}/d.bin`, new Uint8Array(2 * tokens));
    const dataset = IndexedDataset.open(`${folder}/d`);
    equal(dataset.tokens, tokens);
    deepEqual(dataset.place(70_000), { start: tokens - 2, length: 2 });
    deepEqual(dataset.readSizes(), Int32Array.from(sizes));
    dataset.close();
  }));

Deno.test("IndexedDataset reads places and tokens by offset", () =>
  withFolder(async (folder) => {
    const dataset = IndexedDataset.open(writePair(folder, INDEX, TOKENS));
    equal(dataset.sequences, 3);
    equal(dataset.tokens, 8);
    deepEqual([0, 1, 2].map((i) => dataset.place(i)), [
      { start: 0, length: 3 },
      { start: 3, length: 1 },
      { start: 4, length: 4 },
    ]);
    const window = new Uint16Array(4);
    dataset.read(2, window);
    deepEqual([...window], [0, 0, 258, 65535]);
    throws(() => dataset.read(5, window), RangeError);
    throws(() => dataset.place(3), RangeError);
    dataset.close();
    await Promise.resolve();
  }));

Deno.test("IndexedDataset.open() names what is wrong with a damaged pair", () =>
  withFolder(async (folder) => {
    const changed = (at: number, byte: number) => INDEX.map((old, i) => (i === at ? byte : old));
    const cases: [number[], number[], string][] = [
      [INDEX.slice(0, 20), TOKENS, "does not begin with MMIDIDX"],
      [changed(0, 0), TOKENS, "does not begin with MMIDIDX"],
      [changed(17, 4), TOKENS, 'describes 24 bytes of tokens, but "'],
      [changed(62, 7), TOKENS, "places sequence 2 at byte 7, where no token begins"],
      [INDEX.slice(0, -1), TOKENS, "has 101 bytes, but 3 sequences and 4 documents need 102"],
      [INDEX, TOKENS.slice(0, -2), 'describes 16 bytes of tokens, but "'],
    ];
    for (const [index, tokens, part] of cases) {
      throws(() => IndexedDataset.open(writePair(folder, index, tokens)), userError("DAMAGED_DATASET", "d.idx", part));
    }
    await Promise.resolve();
  }));

Deno.test("IndexedDataset.open() does not call a pair of another form damaged", () =>
  withFolder(async (folder) => {
    const changed = (at: number, byte: number) => INDEX.map((old, i) => (i === at ? byte : old));
    const cases: [number[], string][] = [
      [changed(9, 2), "version 2, expected 1"],
      [changed(17, 5), "type code 5, expected 8"],
      [[..."TNTIDX\0\0"].map((letter) => letter.charCodeAt(0)), "older format"],
    ];
    for (const [index, part] of cases) {
      const expected = userError("UNSUPPORTED_DATASET", "d.idx", part, "--dataset-impl mmap");
      throws(() => IndexedDataset.open(writePair(folder, index, TOKENS)), expected);
    }
    await Promise.resolve();
  }));

Deno.test("readSizes() gives all sizes, and names what is wrong with an index that opens", () =>
  withFolder(async (folder) => {
    const changed = (at: number, byte: number) => INDEX.map((old, i) => (i === at ? byte : old));
    const read = (index: readonly number[]) => {
      writePair(folder, index, TOKENS);
      const opened = MegatronIndex.open(`${folder}/d.idx`);
      try {
        return opened.readSizes();
      } finally {
        opened.close();
      }
    };
    deepEqual([...read(INDEX)], [3, 1, 4]);
    // Two documents, of one sequence and of two.
    const grouped = [...INDEX.slice(0, 26), 3, ...INDEX.slice(27, 78), 1, ...INDEX.slice(79, 86), 3];
    deepEqual([...read([...grouped, ...INDEX.slice(95)])], [3, 1, 4]);
    const cases: [number[], string][] = [
      [changed(41, 255), "has sequence 1 of -16777215 tokens"],
      [changed(38, 2), "places sequence 2 at byte 8, but those before it end at byte 10"],
      [changed(61, 255), "places sequence 1 at byte -72057594037927930"],
      [changed(70, 1), "begins document 0 at sequence 1"],
      [changed(78, 4), "begins document 1 at sequence 4, after 0 of 3"],
      [changed(86, 0), "begins document 2 at sequence 0, after 1 of 3"],
    ];
    for (const [index, part] of cases) throws(() => read(index), userError("DAMAGED_DATASET", "d.idx", part));
    await Promise.resolve();
  }));

/** An `.idx` as the format's description alone gives it. */
function describedIndex(
  code: number,
  width: number,
  sizes: readonly number[],
  documents: readonly number[],
): Uint8Array {
  const bytes = new Uint8Array(34 + 12 * sizes.length + 8 * documents.length);
  const view = new DataView(bytes.buffer);
  for (const [i, letter] of [..."MMIDIDX"].entries()) view.setUint8(i, letter.charCodeAt(0));
  view.setUint8(9, 1);
  view.setUint8(17, code);
  view.setUint32(18, sizes.length, true);
  view.setUint32(26, documents.length, true);
  let pointer = 0n, at = 34;
  for (const size of sizes) view.setInt32((at += 4) - 4, size, true);
  for (const size of sizes) {
    view.setBigInt64((at += 8) - 8, pointer, true);
    pointer += BigInt(size) * BigInt(width);
  }
  for (const document of documents) view.setBigInt64((at += 8) - 8, BigInt(document), true);
  return bytes;
}

Deno.test("files by the format's description are read whole: uint16 and int32, any sequences a document", () =>
  withFolder(async (folder) => {
    const sequence = fc.array(fc.integer({ min: 0, max: 65535 }), { maxLength: 9 });
    fc.assert(
      fc.property(fc.array(fc.array(sequence, { maxLength: 4 }), { maxLength: 6 }), fc.boolean(), (documents, wide) => {
        const sequences = documents.flat(), tokens = sequences.flat();
        const starts = documents.map((_, i) => documents.slice(0, i).flat().length);
        const [code, width] = wide ? [4, 4] : [8, 2];
        const sizes = sequences.map(({ length }) => length);
        Deno.writeFileSync(`${folder}/d.idx`, describedIndex(code, width, sizes, [...starts, sequences.length]));
        const stored = wide ? Int32Array.from(tokens) : Uint16Array.from(tokens);
        Deno.writeFileSync(`${folder}/d.bin`, new Uint8Array(stored.buffer));
        const dataset = IndexedDataset.open(`${folder}/d`);
        deepEqual([...dataset.readSizes()], sizes);
        deepEqual([dataset.sequences, dataset.tokens], [sequences.length, tokens.length]);
        const read = sequences.map((_, i) => {
          const { start, length } = dataset.place(i);
          const into = new Uint16Array(length);
          dataset.read(start, into);
          return [...into];
        });
        dataset.close();
        deepEqual(read, sequences);
        if (wide) return;
        Deno.removeSync(`${folder}/d.idx`);
        writeIndex(`${folder}/d.idx`, sizes.length, () => sizes);
        const own = describedIndex(8, 2, sizes, Array.from({ length: sizes.length + 1 }, (_, i) => i));
        deepEqual(Deno.readFileSync(`${folder}/d.idx`), own);
      }),
      { numRuns: 50 },
    );
    await Promise.resolve();
  }));

Deno.test("int32 tokens that do not fit 16 bits are refused where they are read", () =>
  withFolder(async (folder) => {
    const index = [...describedIndex(4, 4, [2, 2], [0, 1, 2])];
    const tokens = Int32Array.of(7, 65535, 65536, -1);
    const dataset = IndexedDataset.open(writePair(folder, index, [...new Uint8Array(tokens.buffer)]));
    const two = new Uint16Array(2);
    dataset.read(0, two);
    deepEqual([...two], [7, 65535]);
    throws(() => dataset.read(1, two), userError("TOKEN_TOO_LARGE", "Token 2 of", "d.bin", "is 65536", "0 to 65535"));
    throws(() => dataset.read(3, two.subarray(1)), userError("TOKEN_TOO_LARGE", "Token 3 of", "is -1"));
    dataset.close();
    await Promise.resolve();
  }));

Deno.test("tokens on both sides of the 4 GiB border and of 2^32 tokens are read at their place", () =>
  withFolder(async (folder) => {
    // A file with holes: of its 8.6 GB no more are on the disk than a file must have to be read.
    const sizes = [2 ** 31 - 1, 5, 2 ** 31 - 1, 6];
    const total = sizes.reduce((sum, size) => sum + size, 0);
    await Deno.writeFile(`${folder}/d.idx`, describedIndex(8, 2, sizes, [0, 1, 2, 3, 4]));
    const file = Deno.openSync(`${folder}/d.bin`, { write: true, createNew: true });
    const block = new Uint8Array(1 << 20);
    for (let written = 0; written < 2 * total / 64; written += block.length) file.writeSync(block);
    file.truncateSync(2 * total);
    const put = (at: number, values: readonly number[]) => {
      file.seekSync(2 * at, Deno.SeekMode.Start);
      file.writeSync(new Uint8Array(Uint16Array.from(values).buffer));
    };
    put(2 ** 31 - 2, [11, 12, 13, 14, 15]);
    put(total - 6, [21, 22, 23, 24, 25, 26]);
    file.close();
    const dataset = IndexedDataset.open(`${folder}/d`);
    equal(dataset.tokens, total);
    deepEqual([...dataset.readSizes()], sizes);
    deepEqual(dataset.place(1), { start: 2 ** 31 - 1, length: 5 });
    deepEqual(dataset.place(3), { start: 2 ** 32 + 3, length: 6 });
    const window = new Uint16Array(6);
    dataset.read(2 ** 31 - 2, window);
    deepEqual([...window], [11, 12, 13, 14, 15, 0]);
    dataset.read(dataset.place(3).start, window);
    deepEqual([...window], [21, 22, 23, 24, 25, 26]);
    dataset.close();
    await Promise.resolve();
  }));
