/**
 * The table of tensors that a pickle of PyTorch's describes.
 *
 * @see https://github.com/pytorch/pytorch/blob/v2.13.0/torch/_utils.py, `_rebuild_tensor_v2`
 */
import { printable } from "../../files/safe_name.ts";
import { dtypeBytes, type SafetensorsDtype } from "../safetensors/safetensors_header.ts";
import { readPickle } from "./pickle.ts";
import { describeValue, type PickleTuple, type PickleValue } from "./pickle_value.ts";
import { type Fail, failOf, SAVE_AGAIN } from "./torch_error.ts";

const TENSOR = "torch._utils._rebuild_tensor_v2";
/** A tensor that is trained: a tensor, whether it is, and no hooks. */
const PARAMETER = "torch._utils._rebuild_parameter";

const STORAGES: ReadonlyMap<string, SafetensorsDtype> = new Map([
  ["torch.DoubleStorage", "F64"],
  ["torch.FloatStorage", "F32"],
  ["torch.HalfStorage", "F16"],
  ["torch.BFloat16Storage", "BF16"],
  ["torch.LongStorage", "I64"],
  ["torch.IntStorage", "I32"],
  ["torch.ShortStorage", "I16"],
  ["torch.CharStorage", "I8"],
  ["torch.ByteStorage", "U8"],
  ["torch.BoolStorage", "BOOL"],
]);

/** All that a table of tensors may name. */
const GLOBALS: ReadonlySet<string> = new Set(["collections.OrderedDict", TENSOR, PARAMETER, ...STORAGES.keys()]);

/** Lengths in a shape; PyTorch has no more. */
const MAX_DIMENSIONS = 64;

/** A tensor, and the storage that it is a part of. */
export interface TorchTensor {
  /** element type, by the name that safetensors has for it */
  readonly dtype: SafetensorsDtype;
  /** lengths, outermost first; a scalar has none */
  readonly shape: readonly number[];
  /** names the storage */
  readonly storage: string;
  /** bytes of the whole storage */
  readonly storageBytes: number;
  /** bytes in the storage before its first element */
  readonly offset: number;
  /** bytes from its first element to the end of its last one */
  readonly span: number;
  /** bytes of its elements in row-major order: `span`, unless it leaves some out or repeats some */
  readonly bytes: number;
  /** elements to go on by for each dimension; absent if elements lie one after another in row-major order */
  readonly strides?: readonly number[];
}

/** The remedy for a table that is a part of something. */
const SAVE_TABLE = "save the model's table of tensors alone, as safetensors or as pytorch_model.bin";

/**
 * Reads the pickle of a file.
 *
 * @param name the file's name, for messages
 * @returns tensors by name, in the pickle's order
 * @throws {UserError} `UNSAFE_PICKLE` as {@linkcode readPickle}; `UNSUPPORTED_TORCH_FILE` if it is no table of tensors;
 * `BAD_TORCH_FILE` if one of them goes beyond its storage
 */
export function readStateDict(pickle: Uint8Array, name: string): ReadonlyMap<string, TorchTensor> {
  const fail = failOf(name);
  const table = readPickle(pickle, GLOBALS, name);
  if (typeof table !== "object" || table?.kind !== "dict") {
    return fail(`its pickle is ${describeValue(table)}, expected a dict of tensors`, SAVE_TABLE);
  }
  const tensors = new Map<string, TorchTensor>();
  for (const [key, value] of table.entries) {
    tensors.set(key, parseTensor(value, (problem, remedy) => fail(`"${printable(key)}" ${problem}`, remedy)));
  }
  return tensors;
}

function parseTensor(value: PickleValue | undefined, fail: Fail): TorchTensor {
  if (typeof value !== "object" || value?.kind !== "call") {
    return fail(`is ${describeValue(value)}, expected a tensor`, SAVE_TABLE);
  }
  if (value.callee === PARAMETER) {
    const [data] = value.items;
    // A parameter is no parameter of another.
    const isPlain = typeof data === "object" && data?.kind === "call" && data.callee === TENSOR;
    return isPlain ? parseTensor(data, fail) : fail(`is a parameter of ${describeValue(data)}, expected a tensor`);
  }
  if (value.callee !== TENSOR) return fail(`is made by "${value.callee}", expected a tensor`);
  // A seventh says that elements are to be negated or conjugated.
  if (value.items.length === 7) return fail("is a view whose elements change as they are read", SAVE_AGAIN);
  if (value.items.length !== 6) return fail(`is made of ${value.items.length} values, expected 6`);
  const [storage, first, lengths, steps] = value.items;
  const { dtype, key, elements } = parseStorage(storage, fail);
  const shape = counts(lengths, "shape", fail);
  const strides = counts(steps, "strides", fail);
  if (!isCount(first)) return fail("has no valid offset");
  const size = shape.reduce((product, length) => product * length, 1);
  if (!Number.isSafeInteger(size)) fail(`has the shape [${printable(shape.join())}], which nothing holds`);
  if (shape.length !== strides.length) {
    fail(`has the strides [${printable(strides.join())}] for the shape [${printable(shape.join())}]`);
  }
  const isPlain = isContiguous(shape, strides, size);
  const extent = size === 0
    ? 0
    : isPlain
    ? size
    : shape.reduce((sum, length, i) => sum + (length - 1) * (strides[i] ?? 0), 1);
  if (!(first + extent <= elements)) {
    fail(`takes elements ${first} to ${first + extent} of a storage of ${elements}`);
  }
  const width = dtypeBytes(dtype);
  return {
    dtype,
    shape,
    storage: key,
    storageBytes: elements * width,
    offset: first * width,
    span: extent * width,
    bytes: size * width,
    ...(!isPlain && { strides }),
  };
}

function isCount(value: PickleValue | undefined): value is number {
  return typeof value === "number" && value >= 0;
}

function isTuple(value: PickleValue | undefined): value is PickleTuple {
  return typeof value === "object" && value?.kind === "tuple";
}

function counts(value: PickleValue | undefined, what: string, fail: Fail): number[] {
  if (!isTuple(value) || value.items.length > MAX_DIMENSIONS) return fail(`has no valid ${what}`);
  return value.items.map((item) => isCount(item) ? item : fail(`has no valid ${what}`));
}

/** Whether elements lie one after another in row-major order; the stride of a length of 1 says nothing. */
function isContiguous(shape: readonly number[], strides: readonly number[], size: number): boolean {
  if (size === 0) return true;
  let expected = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    const length = shape[i] ?? 1;
    if (length !== 1 && strides[i] !== expected) return false;
    expected *= length;
  }
  return true;
}

/** `("storage", type, key, device, elements)` */
function parseStorage(
  value: PickleValue | undefined,
  fail: Fail,
): { readonly dtype: SafetensorsDtype; readonly key: string; readonly elements: number } {
  const id = typeof value === "object" && value?.kind === "persistent" ? value.id : undefined;
  if (!isTuple(id) || id.items.length !== 5) return fail("has no valid storage");
  const [tag, type, key, device, elements] = id.items;
  if (tag !== "storage" || typeof key !== "string" || typeof device !== "string" || !isCount(elements)) {
    return fail("has no valid storage");
  }
  const dtype = typeof type === "object" && type?.kind === "global" ? STORAGES.get(type.name) : undefined;
  if (dtype === undefined) return fail("has a storage of no known type");
  if (!Number.isSafeInteger(elements * dtypeBytes(dtype))) return fail(`has a storage of ${elements} elements`);
  return { dtype, key, elements };
}
