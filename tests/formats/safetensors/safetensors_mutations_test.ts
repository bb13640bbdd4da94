/** Fuzzing of safetensors files: refused by name, or read as tensors that tile the data. Seeds are fixed. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { UserError } from "../../../src/errors.ts";
import { parseSafetensors, type Safetensors } from "../../../src/formats/safetensors/safetensors.ts";
import { safetensorsHeader } from "../../../src/formats/safetensors/safetensors_header.ts";
import { applyByteEdits, byteEdits } from "../../fuzz/byte_edits.ts";
import { applyJsonEdit, jsonEdit, placesOf } from "../../fuzz/json_edits.ts";
import { safetensorsFile } from "./safetensors_file.ts";

const tensors = [
  { name: "matrix", shape: [2, 3], data: Float32Array.of(1, -2.5, 3e-45, -0, 7, 1e30) },
  { name: "scalar", shape: [], data: Float32Array.of(4) },
  { name: "empty", shape: [0, 5], data: new Float32Array(0) },
];
const header = JSON.parse(
  new TextDecoder().decode(safetensorsHeader(tensors, { format: "pt", step: "3" }).subarray(8)),
);
const data = new Uint8Array(tensors.flatMap((tensor) => [...new Uint8Array(tensor.data.buffer)]));
const whole = safetensorsFile(JSON.stringify(header), data);

const SIZES: Readonly<Record<string, number>> = { F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, U16: 2, U8: 1 };

/** Reads. What is read tiles the data, and is what the header says; what is not is refused with a message. */
function read(bytes: Uint8Array): Safetensors | undefined {
  let file: Safetensors;
  try {
    file = parseSafetensors(bytes, "model.safetensors");
  } catch (error) {
    assert(error instanceof UserError, String(error));
    assert(["BAD_SAFETENSORS", "UNSUPPORTED_SAFETENSORS"].includes(error.code), error.code);
    assert.match(error.message, /^"model\.safetensors" is not (a whole safetensors file|supported): /);
    assert(error.message.length < 500, "the message is short");
    // deno-lint-ignore no-control-regex -- control characters are what is looked for
    assert.doesNotMatch(error.message, /[\u0000-\u001f\u202e]/);
    return undefined;
  }
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const { __metadata__: metadata = {}, ...said } = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  assert.deepEqual(Object.entries(file.metadata), Object.entries(metadata ?? {}));
  assert.deepEqual([...file.tensors.keys()], Object.keys(said));
  let end = 0;
  for (
    const { dtype, shape, data } of [...file.tensors.values()].sort((a, b) =>
      a.data.byteOffset - b.data.byteOffset || a.data.length - b.data.length
    )
  ) {
    assert.equal(data.byteOffset - bytes.byteOffset - 8 - length, end);
    assert.equal(data.length, shape.reduce((product, n) => product * n, SIZES[dtype] ?? NaN));
    end += data.length;
  }
  assert.equal(8 + length + end, bytes.length);
  return file;
}

const BYTES = 5000;
Deno.test(`parseSafetensors() refuses or tiles a file whose bytes change (${BYTES} files)`, () => {
  let refused = 0;
  fc.assert(
    fc.property(byteEdits, (edits) => {
      if (read(applyByteEdits(whole, edits)) === undefined) refused++;
    }),
    { numRuns: BYTES, seed: 1 },
  );
  assert(refused > BYTES / 2 && refused < BYTES, `${refused}`);
});

const HEADERS = 4000;
Deno.test(`parseSafetensors() refuses or tiles a file whose header changes (${HEADERS} files)`, () => {
  const places = placesOf(header);
  let refused = 0;
  fc.assert(
    fc.property(jsonEdit, (edit) => {
      const changed = applyJsonEdit(header, places, edit);
      const file = read(safetensorsFile(changed.text, data));
      if (file === undefined) refused++;
      else assert(!changed.refused, changed.text);
    }),
    { numRuns: HEADERS, seed: 2 },
  );
  assert(refused > HEADERS / 2 && refused < HEADERS, `${refused}`);
});

const numbers = fc.oneof(
  fc.nat(40),
  fc.constantFrom(-1, -4, 0.5, 2 ** 31, 2 ** 32, 2 ** 32 + 4, 2 ** 53 - 1, 2 ** 53, 2 ** 63, 2 ** 64, 1e300),
);
const table = fc.dictionary(
  fc.constantFrom("a", "b", "c", "__proto__", "toString", "__metadata__"),
  fc.record({
    dtype: fc.constantFrom(...Object.keys(SIZES), "F8", "f32", "", "constructor"),
    shape: fc.array(numbers, { maxLength: 4 }),
    data_offsets: fc.oneof(fc.tuple(numbers, numbers), fc.array(numbers, { maxLength: 3 })),
  }),
  { maxKeys: 3 },
);

const OFFSETS = 2000;
Deno.test(`parseSafetensors() refuses or tiles a file with any types, shapes and offsets (${OFFSETS} files)`, () => {
  fc.assert(
    fc.property(
      table,
      fc.nat(28),
      (header, length) => void read(safetensorsFile(JSON.stringify(header), data.subarray(0, length))),
    ),
    { numRuns: OFFSETS, seed: 3 },
  );
});

const LENGTHS = 1000;
Deno.test(`parseSafetensors() refuses any other header length before it reads a header (${LENGTHS} files)`, () => {
  const own = new DataView(whole.buffer).getBigUint64(0, true);
  fc.assert(
    fc.property(fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.bigInt({ min: 0n, max: 1000n })), (length) => {
      const bytes = whole.slice();
      new DataView(bytes.buffer).setBigUint64(0, length, true);
      assert.equal(read(bytes) === undefined, length !== own);
    }),
    { numRuns: LENGTHS, seed: 4 },
  );
});
