import assert from "node:assert/strict";
import { UserError } from "../../../src/errors.ts";
import { parseSafetensors, toFloat32 } from "../../../src/formats/safetensors/safetensors.ts";
import { safetensorsHeader, type SafetensorsInput } from "../../../src/formats/safetensors/safetensors_header.ts";
import { safetensorsFile } from "./safetensors_file.ts";

/** A file as anyone may write it: any header, any data. */
function file(header: unknown, data: Uint8Array | number = 0): Uint8Array {
  const text = typeof header === "string" ? header : JSON.stringify(header);
  return safetensorsFile(text, typeof data === "number" ? new Uint8Array(data) : data);
}

const tensor = (shape: number[], begin: number, end: number, dtype = "F32") => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

/** A tensor with its elements. */
type Tensor = SafetensorsInput & { readonly data: Float32Array };

/** A file as rewarm writes it. */
function written(tensors: readonly Tensor[], metadata?: Record<string, string>): Uint8Array {
  const header = safetensorsHeader(tensors, metadata);
  const data = tensors.map(({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  const bytes = new Uint8Array(header.length + data.reduce((sum, { length }) => sum + length, 0));
  let at = header.length;
  bytes.set(header);
  for (const part of data) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function assertRefused(bytes: Uint8Array, problem: RegExp): void {
  assert.throws(() => parseSafetensors(bytes, "model.safetensors"), (error) => {
    assert(error instanceof UserError, String(error));
    assert.equal(error.code, "BAD_SAFETENSORS");
    assert.match(error.message, /^"model\.safetensors" is not a whole safetensors file: .*: fetch the file again$/s);
    assert.match(error.message, problem);
    return true;
  });
}

const SAMPLE: Tensor[] = [
  { name: "b", shape: [2, 3], data: Float32Array.of(1, -2.5, 3e-45, -0, 7, 1e30) },
  { name: "a", shape: [], data: Float32Array.of(4) },
  { name: "empty", shape: [0, 5], data: new Float32Array(0) },
];

Deno.test("parseSafetensors() gives back what safetensorsHeader() and the tensors' bytes say", () => {
  const { tensors, metadata } = parseSafetensors(written(SAMPLE, { step: "3", format: "pt" }), "x");
  assert.deepEqual({ ...metadata }, { format: "pt", step: "3" });
  assert.deepEqual([...tensors.keys()], ["b", "a", "empty"]);
  for (const { name, shape, data } of SAMPLE) {
    const entry = tensors.get(name);
    assert(entry);
    assert.deepEqual([entry.dtype, entry.shape], ["F32", shape]);
    assert.deepEqual(toFloat32(entry), data);
  }
});

Deno.test("safetensorsHeader() gives the same bytes for metadata in any order, and data at a multiple of 8", () => {
  const header = safetensorsHeader(SAMPLE, { b: "2", a: "1" });
  assert.deepEqual(header, safetensorsHeader(SAMPLE, { a: "1", b: "2" }));
  assert.equal(
    new TextDecoder().decode(header.subarray(8)).trimEnd(),
    '{"__metadata__":{"a":"1","b":"2"},"b":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},' +
      '"a":{"dtype":"F32","shape":[],"data_offsets":[24,28]},"empty":{"dtype":"F32","shape":[0,5],"data_offsets":[28,28]}}',
  );
  for (let i = 0; i < 8; i++) {
    assert.equal(safetensorsHeader([{ name: "x".repeat(i), shape: [0] }]).length % 8, 0);
  }
});

Deno.test("parseSafetensors() takes tensors in any order, empty ones among them, and spaces behind the header", () => {
  const header = JSON.stringify({
    last: tensor([1], 4, 8),
    empty: tensor([0], 4, 4),
    first: tensor([1], 0, 4),
    "also empty": tensor([3, 0], 8, 8),
  });
  const { tensors } = parseSafetensors(file(header + "   ", Uint8Array.of(0, 0, 128, 63, 0, 0, 0, 64)), "x");
  assert.deepEqual(["first", "last"].map((name) => toFloat32(tensors.get(name)!)[0]), [1, 2]);
  assert.equal(tensors.get("empty")?.data.length, 0);
});

Deno.test("parseSafetensors() refuses a file that is cut short, wherever it is cut", () => {
  const whole = written(SAMPLE, { format: "pt" });
  for (let length = 0; length < whole.length; length++) assertRefused(whole.subarray(0, length), /./);
  assertRefused(new Uint8Array(0), /expected 8 bytes of header length, found 0 bytes in all/);
  assertRefused(whole.subarray(0, whole.length - 1), /ends at byte 28 of 27/);
});

Deno.test("parseSafetensors() refuses a header length beyond the file or beyond reason", () => {
  const lengths = [3n, 2n ** 32n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n];
  for (const length of lengths) {
    const bytes = file({}, 0);
    new DataView(bytes.buffer).setBigUint64(0, length, true);
    assertRefused(bytes, /the header claims \d+ bytes, the file has 10/);
  }
});

const REFUSED: [string, unknown, number, RegExp][] = [
  ["is not JSON", "{", 0, /its header is not strict JSON: A member's name is expected/],
  ["is an array", [], 0, /its header is not an object/],
  ["is null", "null", 0, /its header is not an object/],
  ["is a number", "1", 0, /its header is not an object/],
  ["has metadata that is an array", { __metadata__: [] }, 0, /its metadata is not an object/],
  ["has metadata that is no string", { __metadata__: { step: 3 } }, 0, /metadata field "step" is not a string/],
  ["has a tensor that is null", { t: null }, 0, /tensor "t" has the type undefined/],
  ["has a tensor that is a string", { t: "F32" }, 0, /tensor "t" has the type undefined/],
  [
    "has a type that cannot be made text",
    { t: { ...tensor([1], 0, 4), dtype: { toString: 1, valueOf: 1 } } },
    4,
    /type object: fetch/,
  ],
  ["has a type that moves the cursor", { t: tensor([1], 0, 4, "\u001b[2J") }, 4, /has the type \ufffd\[2J: fetch/],
  [
    "has two tensors of one name",
    `{"t":${JSON.stringify(tensor([1], 0, 4))},"\\u0074":${JSON.stringify(tensor([1], 0, 4))}}`,
    4,
    /not strict JSON: The key "t" stands twice/,
  ],
  ["is nested deeply", "[".repeat(100_000), 0, /not strict JSON: The nesting is deeper than 32/],
  ["has a length beyond 2^53", '{"t":{"dtype":"U8","shape":[18446744073709551616],"data_offsets":[0,0]}}', 0, /2\^53/],
  ["has a lone surrogate", '{"\\ud800":{}}', 0, /lone surrogate/],
  ["has more dimensions than any tensor", { t: tensor(new Array(65).fill(1), 0, 4) }, 4, /no valid shape/],
  ["begins with white space", ' {"t":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}', 0, /does not begin with \{/],
  ["has a type of another case", { t: tensor([1], 0, 4, "f32") }, 4, /tensor "t" has the type f32/],
  ["has a type named as a method", { t: tensor([], 0, 4, "toString") }, 4, /tensor "t" has the type toString/],
  ["has no shape", { t: { dtype: "F32", data_offsets: [0, 4] } }, 4, /tensor "t" has no valid shape/],
  ["has a negative dimension", { t: tensor([-1], 0, 4) }, 4, /tensor "t" has no valid shape/],
  ["has a fractional dimension", { t: tensor([0.5, 2], 0, 4) }, 4, /tensor "t" has no valid shape/],
  ["has a dimension that is text", { t: { dtype: "F32", shape: ["1"], data_offsets: [0, 4] } }, 4, /no valid shape/],
  ["has one offset", { t: { dtype: "F32", shape: [1], data_offsets: [0] } }, 4, /no valid offsets/],
  ["has three offsets", { t: { dtype: "F32", shape: [1], data_offsets: [0, 4, 8] } }, 4, /no valid offsets/],
  ["has a negative offset", { t: tensor([1], -4, 0) }, 4, /no valid offsets/],
  ["has offsets in reverse", { t: tensor([1], 4, 0) }, 4, /takes 4 bytes, its offsets give -4/],
  [
    "has offsets that do not fit the shape",
    { t: tensor([2], 0, 4) },
    4,
    /shape \[2\] takes 8 bytes, its offsets give 4/,
  ],
  ["has a shape beyond any memory", { t: tensor([2 ** 52, 2 ** 52], 0, 4) }, 4, /takes .* bytes, its offsets give 4/],
  ["has a tensor beyond the data", { t: tensor([2], 0, 8) }, 4, /ends at byte 8 of 4/],
  ["has a gap", { a: tensor([1], 0, 4), b: tensor([1], 8, 12) }, 12, /gap or overlap at byte 4/],
  ["has an overlap", { a: tensor([2], 0, 8), b: tensor([1], 4, 8) }, 8, /gap or overlap at byte 8/],
  ["names the same bytes twice", { a: tensor([1], 0, 4), b: tensor([1], 0, 4) }, 4, /gap or overlap at byte 4/],
  ["starts late", { a: tensor([1], 4, 8) }, 8, /gap or overlap at byte 0/],
  ["leaves bytes at the end", { a: tensor([1], 0, 4) }, 7, /3 bytes follow the last tensor/],
  ["has no tensor but data", {}, 1, /1 bytes follow the last tensor/],
];

for (const [what, header, bytes, problem] of REFUSED) {
  Deno.test(`parseSafetensors() refuses a header that ${what}`, () => assertRefused(file(header, bytes), problem));
}

Deno.test("parseSafetensors() takes null for no metadata, as the format's own library does", () => {
  const { tensors, metadata } = parseSafetensors(file({ __metadata__: null, t: tensor([1], 0, 4) }, 4), "x");
  assert.deepEqual([[...tensors.keys()], metadata], [["t"], {}]);
});

Deno.test("parseSafetensors() says of types and members that it does not know that they are not supported", () => {
  const types = ["F8_E4M3", "F8_E5M2", "F8_E8M0", "F4", "F6_E2M3", "C64", "I128"];
  for (const type of types) {
    assert.throws(() => parseSafetensors(file({ t: tensor([4], 0, 4, type) }, 4), "model.safetensors"), {
      code: "UNSUPPORTED_SAFETENSORS",
      message: `"model.safetensors" is not supported: tensor "t" has the type ${type}: ` +
        'save it as F16, BF16, F32 or F64, as ".float()" does in PyTorch',
    });
  }
  assert.throws(() => parseSafetensors(file({ t: { ...tensor([1], 0, 4), sparse: true } }, 4), "model.safetensors"), {
    code: "UNSUPPORTED_SAFETENSORS",
    message: /tensor "t" has members that the format does not know: save it again/,
  });
});

Deno.test("parseSafetensors() refuses a header that is not UTF-8", () => {
  const bytes = file({ a: tensor([0], 0, 0) });
  bytes[10] = 0xff;
  assertRefused(bytes, /not strict JSON: The text is not UTF-8/);
});

Deno.test("parseSafetensors() keeps a metadata field __proto__ a field like any other", () => {
  const { metadata } = parseSafetensors(file('{"__metadata__":{"__proto__":"x"}}'), "x");
  assert.deepEqual(Object.entries(metadata), [["__proto__", "x"]]);
  assert.equal(Object.getPrototypeOf(metadata), Object.prototype);
});

Deno.test("safetensorsHeader() writes tensors and metadata of any name", () => {
  const names = ["__proto__", "constructor"];
  const metadata = JSON.parse('{"__proto__":"x","constructor":"y"}');
  const header = safetensorsHeader(names.map((name) => ({ name, shape: [0] })), metadata);
  const read = parseSafetensors(header, "x");
  assert.deepEqual([...read.tensors.keys()], names);
  assert.deepEqual(Object.entries(read.metadata), [["__proto__", "x"], ["constructor", "y"]]);
});

Deno.test("toFloat32() widens halves, keeps f32 and rounds f64 once", () => {
  const convert = (
    dtype: "F32" | "F64" | "F16" | "BF16",
    data: ArrayBufferView,
  ) => [...toFloat32({ dtype, data: new Uint8Array(data.buffer as ArrayBuffer) })];
  assert.deepEqual(convert("F32", Float32Array.of(0.1, -0)), [Math.fround(0.1), -0]);
  assert.deepEqual(convert("F64", Float64Array.of(0.1, 1e300)), [Math.fround(0.1), Infinity]);
  assert.deepEqual(convert("F16", Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7c00)), [1, -2, 2 ** -24, Infinity]);
  assert.deepEqual(convert("BF16", Uint16Array.of(0x3f80, 0xc000, 0x0001, 0xff80)), [1, -2, 2 ** -133, -Infinity]);
});

Deno.test("toFloat32() reads tensors that do not start at a multiple of their size", () => {
  const bytes = Uint8Array.of(9, 0, 0, 128, 63, 9);
  assert.deepEqual([...toFloat32({ dtype: "F32", data: bytes.subarray(1, 5) })], [1]);
});

Deno.test("toFloat32() refuses integers", () => {
  assert.throws(() => toFloat32({ dtype: "I64", data: new Uint8Array(8) }), {
    name: "UserError",
    message: "A tensor of type I64 does not hold weights",
  });
});
