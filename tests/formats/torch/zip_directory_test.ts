import assert from "node:assert/strict";
import { badTorchFile } from "../../../src/formats/torch/torch_error.ts";
import { readZipDirectory } from "../../../src/formats/torch/zip_directory.ts";
import { userError } from "../../data/user_error.ts";
import { memoryHandle } from "./memory_file.ts";
import { type ArchiveEnd, type ArchiveEntry, archiveOf, join } from "./torch_archive.ts";

function read(bytes: Uint8Array, step?: number) {
  return readZipDirectory(memoryHandle(bytes, step), bytes.length, (problem) => {
    throw badTorchFile("model.bin", problem);
  });
}

const ONE: ArchiveEntry = { name: "a/one", data: join("first") };
const TWO: ArchiveEntry = { name: "a/two", data: join("second entry") };

Deno.test("readZipDirectory() finds what is stored, with either end, sizes of either width, and any order", async () => {
  for (const end of [{}, { isNarrow: true }]) {
    for (const isWide of [false, true]) {
      const bytes = archiveOf([{ ...ONE, isWide }, TWO, { name: "a/none", data: new Uint8Array() }], end);
      for (const step of [1, 7, Infinity]) {
        const found = await read(bytes, step);
        const texts = [...found].map(([name, { begin, end }]) => [
          name,
          new TextDecoder().decode(bytes.subarray(begin, end)),
        ]);
        assert.deepEqual(texts, [["a/one", "first"], ["a/two", "second entry"], ["a/none", ""]]);
        assert([...found.values()].every(({ begin }) => begin % 64 === 0));
      }
    }
  }
});

const BAD_ENTRIES: [what: string, change: Partial<ArchiveEntry>, part: string][] = [
  ["is deflated", { method: 8 }, '"a/two" is compressed by method 8'],
  ["is encrypted", { flags: 0x0801 }, '"a/two" is encrypted'],
  ["takes other bytes than it has", { compressedSize: 11 }, "has 12 bytes and takes 11"],
  ["goes into the directory", { size: 300 }, "its archive's directory begins at"],
  ["is said to be of 4 GiB", { size: 0xfffffffe }, "its archive's directory begins at"],
  ["has no size of 64 bits", { size: 0xffffffff }, '"a/two" lacks a size of 64 bits'],
  ["has a size of 2^63", { isWide: true, size: 2 ** 63 }, "beyond 2^53"],
  ["begins beyond the file", { offset: 1_000_000 }, '"a/two" lies beyond'],
  ["begins within another", { offset: 4 }, '"a/two" overlaps with another'],
  ["begins where there is no header", { offset: 70 }, '"a/two" has no header at byte 70'],
  ["has the header of another name", { localName: "a/owt" }, '"a/two" has the header of another'],
  ["has the name of another", { name: "a/one" }, '"a/one" twice'],
  ["has no name", { name: "" }, 'has the name ""'],
  ["has a name that is not ASCII", { name: "a/\u0001" }, "has the name"],
];

for (const [what, change, part] of BAD_ENTRIES) {
  Deno.test(`readZipDirectory() refuses an entry that ${what}`, async () => {
    await assert.rejects(read(archiveOf([ONE, { ...TWO, ...change }])), userError("BAD_TORCH_FILE", part));
  });
}

Deno.test("readZipDirectory() refuses one header for two entries", async () => {
  const bytes = archiveOf([ONE, { ...ONE, name: "a/one", offset: 0 }]);
  await assert.rejects(read(bytes), userError("BAD_TORCH_FILE", "overlaps"));
});

const BAD_ENDS: [what: string, end: ArchiveEnd, part: string][] = [
  ["more entries than there are", { count: 3 }, "has 2 entries and claims 3"],
  ["2^53 entries", { count: 2 ** 53 - 1 }, "has 2 entries and claims"],
  ["fewer entries than there are", { count: 1 }, "has 2 entries and claims 1"],
  ["a directory that is too short", { directoryBytes: 50 }, "does not end at"],
  ["a directory of 4 GiB", { directoryBytes: 2 ** 32 - 2 }, "does not end at"],
  ["a directory elsewhere", { directoryBegin: 0 }, "does not end at"],
  ["bytes after the directory", { gap: 1 }, "does not end at"],
  ["a comment", { comment: "PK" }, "does not end as a ZIP archive does"],
];

for (const [what, end, part] of BAD_ENDS) {
  Deno.test(`readZipDirectory() refuses an archive that states ${what}`, async () => {
    await assert.rejects(read(archiveOf([ONE, TWO], end)), userError("BAD_TORCH_FILE", part));
  });
}

Deno.test("readZipDirectory() refuses every archive that is cut short", async () => {
  const bytes = archiveOf([ONE, TWO]);
  for (let length = 0; length < bytes.length; length++) {
    await assert.rejects(read(bytes.subarray(0, length)), userError("BAD_TORCH_FILE"));
  }
});

Deno.test("readZipDirectory() refuses two ends that lead to two directories", async () => {
  const bytes = archiveOf([ONE, TWO]);
  const view = new DataView(bytes.buffer);
  view.setUint32(bytes.length - 6, 64, true);
  await assert.rejects(read(bytes), userError("BAD_TORCH_FILE", "two places"));
});

Deno.test("readZipDirectory() refuses an end of 64 bits that is not where it is stated to be", async () => {
  const bytes = archiveOf([ONE, TWO]);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(bytes.length - 22 - 12, 0n, true);
  await assert.rejects(read(bytes), userError("BAD_TORCH_FILE", "stated to be at 0"));
  bytes[bytes.length - 98] = 0;
  await assert.rejects(read(bytes), userError("BAD_TORCH_FILE", "no end record of 64 bits"));
});

Deno.test("readZipDirectory() takes no memory for a directory that claims most of a large file", async () => {
  // The file is only said to be of this size; nothing of it is there but its end.
  const size = 2 ** 40;
  const wide = archiveOf([], { directoryBytes: size - 98, directoryBegin: 0 });
  const record = new DataView(wide.buffer);
  record.setBigUint64(wide.length - 22 - 12, BigInt(size - 98), true);
  record.setUint32(wide.length - 10, 0xffffffff, true);
  const handle = memoryHandle(wide);
  const shifted = { ...handle, seek: (offset: number) => handle.seek(offset - (size - wide.length)) };
  const reading = readZipDirectory(shifted, size, (problem) => {
    throw badTorchFile("model.bin", problem);
  });
  await assert.rejects(reading, userError("BAD_TORCH_FILE", `directory has ${size - 98} bytes`));
});
