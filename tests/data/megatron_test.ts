import { deepEqual, equal, throws } from "node:assert/strict";
import { IndexedDataset, writeIndex } from "../../src/data/megatron.ts";
import { withFolder } from "../temporary_folder.ts";
import { userError } from "./user_error.ts";

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

Deno.test("writeIndex() writes more entries than it buffers", () =>
  withFolder(async (folder) => {
    const documents = 10_001;
    writeIndex(`${folder}/d.idx`, documents, () => new Array<number>(documents).fill(2));
    await Deno.writeFile(`${folder}/d.bin`, new Uint8Array(4 * documents));
    const dataset = IndexedDataset.open(`${folder}/d`);
    equal(dataset.tokens, 2 * documents);
    deepEqual(dataset.place(10_000), { start: 20_000, length: 2 });
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
      [changed(9, 2), TOKENS, "version 2, expected 1"],
      [changed(17, 4), TOKENS, "type code 4, expected 8"],
      [INDEX.slice(0, -1), TOKENS, "has 101 bytes, but 3 sequences and 4 documents need 102"],
      [INDEX, TOKENS.slice(0, -2), 'describes 16 bytes of tokens, but "'],
    ];
    for (const [index, tokens, part] of cases) {
      throws(() => IndexedDataset.open(writePair(folder, index, tokens)), userError("DAMAGED_DATASET", "d.idx", part));
    }
    await Promise.resolve();
  }));
