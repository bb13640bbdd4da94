import assert from "node:assert/strict";
import fc from "fast-check";
import { UserError } from "../../../src/errors.ts";
import { DENO_FILES } from "../../../src/files/deno_file_system.ts";
import type { FileSystem } from "../../../src/files/file_system.ts";
import { holdsWeights, parseSafetensors, toFloat32 } from "../../../src/formats/safetensors/safetensors.ts";
import { SafetensorsFile } from "../../../src/formats/safetensors/safetensors_file.ts";
import { applyByteEdits, byteEdits } from "../../fuzz/byte_edits.ts";
import { withFolder } from "../../temporary_folder.ts";
import { encode, exactWeights, fileOf, type FileTensor } from "../../model/hugging_face_files.ts";

/** One file that reads at most `most` bytes at a time, and can be cut off while it is open. */
function filesOf(bytes: Uint8Array, most = Infinity): FileSystem & { cut(length: number): void } {
  let end = bytes.length;
  return {
    ...DENO_FILES,
    cut: (length) => void (end = length),
    open: () => {
      let position = 0;
      return Promise.resolve({
        read: (into) => {
          const part = bytes.subarray(position, Math.min(end, position + Math.min(most, into.length)));
          into.set(part);
          position += part.length;
          return Promise.resolve(part.length === 0 ? null : part.length);
        },
        seek: (offset) => Promise.resolve(void (position = offset)),
        status: () => Promise.resolve({ kind: "file", bytes: end }),
        close: () => {},
        write: () => Promise.reject(new Error("not needed")),
        truncate: () => Promise.reject(new Error("not needed")),
        sync: () => Promise.reject(new Error("not needed")),
        tryLock: () => Promise.reject(new Error("not needed")),
      });
    },
  };
}

const LARGE = exactWeights(3 * 2 ** 18 + 5);
const TENSORS: FileTensor[] = [
  { name: "odd", dtype: "U8", shape: [3], bytes: Uint8Array.of(1, 2, 3) },
  { name: "half", dtype: "F16", shape: [LARGE.length], bytes: encode(LARGE, "F16") },
  { name: "brain", dtype: "BF16", shape: [7], bytes: encode(exactWeights(7), "BF16") },
  { name: "single", dtype: "F32", shape: [LARGE.length], bytes: encode(LARGE, "F32") },
  { name: "double", dtype: "F64", shape: [2], bytes: new Uint8Array(Float64Array.of(0.1, -3).buffer) },
  { name: "empty", dtype: "F32", shape: [0, 4], bytes: new Uint8Array(0) },
];

async function elements(file: SafetensorsFile, name: string): Promise<Float32Array> {
  const all: number[] = [];
  for await (const piece of file.elements(name)) {
    assert(piece.length <= 2 ** 19);
    for (const element of piece) all.push(element);
  }
  return Float32Array.from(all);
}

Deno.test("elements() gives what parseSafetensors() gives, of every type, however little a read brings", async () => {
  const bytes = fileOf(TENSORS);
  const whole = parseSafetensors(bytes, "x");
  for (const most of [Infinity, 100_003]) {
    const file = await SafetensorsFile.open("x", filesOf(bytes, most));
    assert.deepEqual([...file.slots.keys()], [...whole.tensors.keys()]);
    assert.deepEqual(file.metadata, whole.metadata);
    for (const [name, entry] of whole.tensors) {
      if (holdsWeights(entry.dtype)) assert.deepEqual(await elements(file, name), toFloat32(entry), name);
      else await assert.rejects(elements(file, name), { code: "BAD_SAFETENSORS", message: /U8 does not hold weights/ });
    }
    file.close();
  }
});

const EDITED = 1500;
Deno.test(`open() refuses what parseSafetensors() refuses, with the same message (${EDITED} files)`, async () => {
  const small = fileOf(TENSORS.filter(({ bytes }) => bytes.length < 100));
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(byteEdits, async (edits) => {
      const bytes = applyByteEdits(small, edits);
      let expected: Pick<UserError, "code" | "message"> | undefined;
      try {
        parseSafetensors(bytes, "x.safetensors");
      } catch (error) {
        assert(error instanceof UserError);
        expected = { code: error.code, message: error.message };
        refused++;
      }
      const opened = SafetensorsFile.open("x.safetensors", filesOf(bytes));
      if (expected === undefined) (await opened).close();
      else await assert.rejects(opened, expected);
    }),
    { numRuns: EDITED, seed: 5 },
  );
  assert(refused > EDITED / 2 && refused < EDITED, `${refused}`);
});

Deno.test("elements() says so when the file is cut off while it is open", async () => {
  const bytes = fileOf(TENSORS);
  const files = filesOf(bytes);
  const file = await SafetensorsFile.open("x", files);
  files.cut(bytes.length - 30);
  await assert.rejects(elements(file, "single"), {
    code: "BAD_SAFETENSORS",
    message:
      '"x" is not a whole safetensors file: it was cut off while it was read, in tensor "single": fetch the file again',
  });
  assert.equal((await elements(file, "half")).length, LARGE.length);
});

Deno.test("open() names a path that is a folder, or nothing", () =>
  withFolder(async (folder) => {
    await assert.rejects(SafetensorsFile.open(folder), { name: "UserError", code: "NOT_A_FILE" });
    await assert.rejects(SafetensorsFile.open(`${folder}/none`), { name: "UserError", code: "FILE_NOT_FOUND" });
  }));
