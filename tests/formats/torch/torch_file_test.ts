import assert from "node:assert/strict";
import { parameterCount } from "../../../src/model/config.ts";
import { loadWeights } from "../../../src/model/hugging_face_tensors.ts";
import { parseSafetensors } from "../../../src/formats/safetensors/safetensors.ts";
import { TorchFile } from "../../../src/formats/torch/torch_file.ts";
import { bytesOf } from "../../../src/model/weights_source.ts";
import { userError } from "../../data/user_error.ts";
import { withFolder } from "../../temporary_folder.ts";
import { loadSmallModel, SMALL_MODEL } from "../../model/hugging_face_files.ts";
import { memoryFiles } from "./memory_file.ts";
import { archiveOf, PICKLE, type PickledTensor, tensorPickle, torchFile } from "./torch_archive.ts";

const FIXTURES = new URL("../../fixtures/torch/", import.meta.url).pathname;

/** What safetensors' own library wrote of the same weights. */
async function expected(folder: string): Promise<Float32Array<ArrayBuffer>> {
  const path = `${folder}/expected.safetensors`;
  const weights = new Float32Array(parameterCount(SMALL_MODEL)).fill(NaN);
  loadWeights(parseSafetensors(await Deno.readFile(path), path), SMALL_MODEL, weights, path);
  return weights;
}

for (const kind of ["f16", "bf16", "f32", "sharded"]) {
  Deno.test(`openHuggingFaceFolder() reads what PyTorch saved, ${kind}, to the bits of the same safetensors`, async () => {
    const weights = await loadSmallModel(FIXTURES + kind);
    assert.deepEqual(bytesOf(weights), bytesOf(await expected(FIXTURES + kind)));
    assert(new Set(weights).size > 1000, "weights differ");
  });
}

Deno.test("openHuggingFaceFolder() reads safetensors where there are both", () =>
  withFolder(async (folder) => {
    await Deno.copyFile(`${FIXTURES}f32/config.json`, `${folder}/config.json`);
    await Deno.copyFile(`${FIXTURES}f32/expected.safetensors`, `${folder}/model.safetensors`);
    await Deno.copyFile(`${FIXTURES}bad_system.bin`, `${folder}/pytorch_model.bin`);
    assert.deepEqual(await loadSmallModel(folder), await expected(`${FIXTURES}f32`));
  }));

Deno.test("openHuggingFaceFolder() refuses a shard of PyTorch's that the index does not name so", () =>
  withFolder(async (folder) => {
    for await (const { name } of Deno.readDir(`${FIXTURES}sharded`)) {
      await Deno.copyFile(`${FIXTURES}sharded/${name}`, `${folder}/${name}`);
    }
    const index = `${folder}/pytorch_model.bin.index.json`;
    const text = await Deno.readTextFile(index);
    await Deno.writeTextFile(index, text.replace(/00001(-of-00002\.bin",?\s*\}?\s*\}?)$/m, "00002$1"));
    await assert.rejects(loadSmallModel(folder), userError("BAD_CHECKPOINT", "pytorch_model.bin.index.json has it in"));
    await Deno.writeTextFile(index, text);
    await Deno.copyFile(`${FIXTURES}double.bin`, `${folder}/pytorch_model-00002-of-00002.bin`);
    await assert.rejects(loadSmallModel(folder), userError("BAD_CHECKPOINT", "thirds", "does not name it"));
  }));

Deno.test("openHuggingFaceFolder() refuses weights of PyTorch's that are not finite", () =>
  withFolder(async (folder) => {
    await Deno.copyFile(`${FIXTURES}f32/config.json`, `${folder}/config.json`);
    const bytes = await Deno.readFile(`${FIXTURES}f32/pytorch_model.bin`);
    const view = new DataView(bytes.buffer);
    // The storage "0" begins where the first multiple of 64 follows its name.
    const name = bytes.findIndex((_, i) =>
      new TextDecoder().decode(bytes.subarray(i, i + 20)) === "pytorch_model/data/0"
    );
    view.setUint32(Math.ceil((name + 24) / 64) * 64, 0x7f800000, true);
    await Deno.writeFile(`${folder}/pytorch_model.bin`, bytes);
    await assert.rejects(
      loadSmallModel(folder),
      userError("BAD_CHECKPOINT", "gpt_neox.embed_in.weight", "pytorch_model.bin", "not a finite number"),
    );
  }));

async function elementsOf(bytes: Uint8Array, name: string): Promise<number[]> {
  const file = await TorchFile.open("model.bin", memoryFiles(bytes));
  const elements: number[] = [];
  for await (const piece of file.elements(name)) for (const value of piece) elements.push(value);
  file.close();
  return elements;
}

const fixture = (name: string) => Deno.readFile(FIXTURES + name);

Deno.test("TorchFile reads parameters, doubles, and a tensor in the middle of its storage", async () => {
  assert.deepEqual(await elementsOf(await fixture("parameter.bin"), "weight"), [0, 1, 2, 3, 4, 5]);
  assert.deepEqual(await elementsOf(await fixture("middle.bin"), "middle"), [3, 4, 5, 6, 7, 8]);
  assert.deepEqual(await elementsOf(await fixture("double.bin"), "thirds"), [0, 1 / 3, 2 / 3, 1].map(Math.fround));
});

Deno.test("TorchFile reads slices of one storage, each its own, and an empty one", async () => {
  const flat = await fixture("flat.bin");
  assert.deepEqual(await elementsOf(flat, "first"), [0, 1, 2, 3, 4, 5]);
  assert.deepEqual(await elementsOf(flat, "last"), [6, 7, 8, 9]);
  assert.deepEqual(await elementsOf(flat, "none"), []);
  const chunk = await fixture("chunk.bin");
  assert.deepEqual(await elementsOf(chunk, "last"), [3, 4, 5]);
  assert.deepEqual(await elementsOf(chunk, "first"), [0, 1, 2]);
});

Deno.test("TorchFile reads tensors with the same elements, or some of the same, as what each has", async () => {
  const tied = await fixture("tied.bin");
  for (const name of ["one", "other"]) assert.deepEqual(await elementsOf(tied, name), [0, 1, 2, 3, 4, 5]);
  assert.deepEqual(await elementsOf(tied, "part"), [1, 2, 3]);
});

Deno.test("TorchFile reads elements that do not lie in order, and one that stands for several", async () => {
  assert.deepEqual(await elementsOf(await fixture("transposed.bin"), "transposed"), [0, 3, 1, 4, 2, 5]);
  assert.deepEqual(await elementsOf(await fixture("expanded.bin"), "expanded"), [1, 1, 1, 1]);
  const strided = await fixture("strided.bin");
  const at = (i: number, j: number, k: number) => 30 * i + 6 * j + k;
  const range = (length: number) => Array.from({ length }, (_, i) => i);
  const permuted = range(6).flatMap((k) => range(4).flatMap((i) => range(5).map((j) => at(i, j, k))));
  assert.deepEqual(await elementsOf(strided, "permuted"), permuted);
  const columns = range(4).flatMap((i) => [1, 2, 3].flatMap((j) => [0, 2, 4].map((k) => at(i, j, k))));
  assert.deepEqual(await elementsOf(strided, "columns"), columns);
  assert.deepEqual(await elementsOf(strided, "whole"), range(120));
});

Deno.test("TorchFile reads a pickle of protocol 4, and integers of every width for what they are", async () => {
  assert.deepEqual(await elementsOf(await fixture("protocol_4.bin"), "weight"), [0, 1, 2, 3, 4, 5]);
  const file = await TorchFile.open("int32.bin", memoryFiles(await fixture("int32.bin")));
  assert.deepEqual([file.slots.get("weight")?.dtype, file.slots.get("weight")?.shape], ["I32", [2]]);
});

/** What is whole and not read must not be fetched again. */
const REFUSED: [file: string, code: string, ...parts: string[]][] = [
  ["bad_system.bin", "UNSAFE_PICKLE", 'names "posix.system"'],
  ["bad_module.bin", "UNSAFE_PICKLE", 'names "torch.nn.modules.linear.Linear"'],
  ["bad_legacy.bin", "UNSUPPORTED_TORCH_FILE", "before PyTorch 1.6", "load it with PyTorch"],
  ["bad_legacy_4.bin", "UNSUPPORTED_TORCH_FILE", "before PyTorch 1.6", "load it with PyTorch"],
  ["bad_pickle.bin", "UNSUPPORTED_TORCH_FILE", "a pickle without an archive"],
  ["bad_nested.bin", "UNSUPPORTED_TORCH_FILE", '"model" is a dict, expected a tensor', "save the model's table"],
  ["bad_epoch.bin", "UNSUPPORTED_TORCH_FILE", '"epoch" is a number, expected a tensor', "save the model's table"],
  ["bad_alone.bin", "UNSUPPORTED_TORCH_FILE", "a call, expected a dict of tensors", "save the model's table"],
  ["bad_float8.bin", "UNSUPPORTED_TORCH_FILE", '"torch._utils._rebuild_tensor_v3"'],
  ["bad_complex.bin", "UNSUPPORTED_TORCH_FILE", '"torch.ComplexFloatStorage"'],
  ["bad_sparse.bin", "UNSUPPORTED_TORCH_FILE", '"torch._utils._rebuild_sparse_tensor"'],
  ["bad_checksums.bin", "UNSUPPORTED_TORCH_FILE", "without checksums", "set_crc32_options(True)"],
  ["bad_program.bin", "UNSUPPORTED_TORCH_FILE", "a program of TorchScript"],
];

for (const [file, code, ...parts] of REFUSED) {
  Deno.test(`TorchFile refuses ${file} of PyTorch's`, async () => {
    const bytes = await fixture(file);
    await assert.rejects(elementsOf(bytes, "one"), (error) => {
      assert.doesNotMatch(String(error), /fetch the file again/);
      return userError(code, "model.bin", ...parts)(error);
    });
  });
}

const TENSOR: PickledTensor = { elements: 6, shape: [2, 3], strides: [3, 1] };
const DATA = new Uint8Array(Float32Array.of(1, 2, 3, 4, 5, 6).buffer);
const pickleOf = (tensor: PickledTensor) => PICKLE.whole(PICKLE.dict(PICKLE.text("weight"), tensorPickle(tensor)));

Deno.test("TorchFile reads what the tests write, and takes any stride of a length of 1", async () => {
  assert.deepEqual(await elementsOf(torchFile(pickleOf(TENSOR), DATA), "weight"), [1, 2, 3, 4, 5, 6]);
  const column = { ...TENSOR, shape: [6, 1], strides: [1, 77] };
  assert.deepEqual(await elementsOf(torchFile(pickleOf(column), DATA), "weight"), [1, 2, 3, 4, 5, 6]);
});

const BAD_TENSORS: [what: string, change: Partial<PickledTensor>, part: string][] = [
  ["a storage shorter than it says", { elements: 7 }, "has 24 bytes, expected 28"],
  ["a storage longer than it says", { elements: 5, shape: [5], strides: [1] }, "has 24 bytes, expected 20"],
  ["elements beyond the storage", { offset: 1 }, "takes elements 1 to 7 of a storage of 6"],
  ["more elements than the storage", { shape: [2, 4], strides: [4, 1] }, "takes elements 0 to 8 of a storage of 6"],
  ["a negative length", { shape: [-2, -3] }, "has no valid shape"],
  ["a negative offset", { offset: -1 }, "has no valid offset"],
  [
    "strides that lead beyond the storage",
    { shape: [2, 2], strides: [4, 2] },
    "takes elements 0 to 7 of a storage of 6",
  ],
  ["strides beyond 2^53", { shape: [2, 2], strides: [2 ** 31 - 1, 2 ** 31 - 1] }, "of a storage of 6"],
  ["fewer strides than lengths", { strides: [1] }, "strides [1] for the shape [2,3]"],
  ["a shape beyond 2^53", { shape: Array(5).fill(2 ** 31 - 1), strides: Array(5).fill(0) }, "which nothing holds"],
  [
    "a shape of any number and none",
    { shape: [...Array(63).fill(2 ** 31 - 1), 0], strides: Array(64).fill(0) },
    "holds",
  ],
  ["too many dimensions", { shape: Array(65).fill(1), strides: Array(65).fill(1) }, "has no valid shape"],
  ["a storage that is not there", { key: "1" }, 'no storage "1" of "weight"'],
  ["a storage elsewhere in the archive", { key: "../version" }, 'no storage "../version"'],
  ["a storage of other elements", { type: "HalfStorage" }, "has 24 bytes, expected 12"],
];

for (const [what, change, part] of BAD_TENSORS) {
  Deno.test(`TorchFile refuses ${what}`, async () => {
    const bytes = torchFile(pickleOf({ ...TENSOR, ...change }), DATA);
    await assert.rejects(elementsOf(bytes, "weight"), userError("BAD_TORCH_FILE", part));
  });
}

const more = (name: string, text: string) =>
  torchFile(pickleOf(TENSOR), DATA, [{ name, data: new TextEncoder().encode(text) }]);

Deno.test("TorchFile refuses an archive with two pickles, with more than tensors, or of another byte order", async () => {
  const opening = (bytes: Uint8Array) => elementsOf(bytes, "weight");
  await assert.rejects(opening(more("other/data.pkl", "")), userError("BAD_TORCH_FILE", '"other/data.pkl"'));
  await assert.rejects(opening(more("model/data.pkl", "")), userError("BAD_TORCH_FILE", '"model/data.pkl" twice'));
  const program = userError("UNSUPPORTED_TORCH_FILE", "TorchScript", '"model/constants.pkl"');
  await assert.rejects(opening(more("model/constants.pkl", "")), program);
  await assert.rejects(opening(more("data.pkl", "")), userError("BAD_TORCH_FILE", '"data.pkl"'));
  assert.deepEqual(await opening(more("model/.data/serialization_id", "1")), [1, 2, 3, 4, 5, 6]);
  const big = [
    { name: "model/data.pkl", data: pickleOf(TENSOR) },
    { name: "model/byteorder", data: new TextEncoder().encode("big") },
    { name: "model/data/0", data: DATA },
  ];
  await assert.rejects(opening(archiveOf(big)), userError("UNSUPPORTED_TORCH_FILE", "byte order is big"));
  await assert.rejects(opening(archiveOf(big.slice(1))), userError("UNSUPPORTED_TORCH_FILE", "byte order is big"));
  const middle = big.with(1, { name: "model/byteorder", data: new TextEncoder().encode("\u001bmiddle") });
  await assert.rejects(opening(archiveOf(middle)), userError("BAD_TORCH_FILE", 'byte order is "\ufffdmiddle"'));
  await assert.rejects(opening(archiveOf(big.slice(2))), userError("BAD_TORCH_FILE", 'no "data.pkl"'));
  assert.deepEqual(await opening(archiveOf(big.toSpliced(1, 1))), [1, 2, 3, 4, 5, 6]);
});

Deno.test("TorchFile reads a tensor over several pieces of its storage, and compares the whole storage", async () => {
  const values = Float32Array.from({ length: 650_000 }, (_, i) => i);
  const tensor = { elements: values.length, offset: 262_143, shape: [300_000], strides: [1] };
  const bytes = torchFile(pickleOf(tensor), new Uint8Array(values.buffer));
  const elements = await elementsOf(bytes, "weight");
  assert.deepEqual([elements.length, elements[0], elements.at(-1)], [300_000, 262_143, 562_142]);
  assert(elements.every((value, i) => value === 262_143 + i));
  const last = new TextDecoder("latin1").decode(bytes).indexOf("model/version");
  bytes[last - 200] = 0xff;
  await assert.rejects(elementsOf(bytes, "weight"), userError("BAD_TORCH_FILE", '"weight" is damaged'));
});

Deno.test("TorchFile refuses a pickle whose checksum is another's", async () => {
  const bytes = torchFile(pickleOf(TENSOR), DATA);
  bytes[new TextDecoder("latin1").decode(bytes).indexOf("weight")] = 0x57;
  await assert.rejects(
    elementsOf(bytes, "Weight"),
    userError("BAD_TORCH_FILE", "what describes its tensors is damaged"),
  );
});

Deno.test("TorchFile says which tensor is damaged, and when the file became shorter", async () => {
  const bytes = torchFile(pickleOf(TENSOR), DATA);
  const at = new TextDecoder("latin1").decode(bytes).indexOf(new TextDecoder("latin1").decode(DATA));
  const damaged = bytes.slice();
  damaged[at + 23] = 0x41;
  await assert.rejects(elementsOf(damaged, "weight"), userError("BAD_TORCH_FILE", '"weight" is damaged'));
  let read = bytes;
  const files = memoryFiles(bytes);
  const whole = await files.open("model.bin", "read");
  const shrinking = {
    ...files,
    open: () =>
      Promise.resolve({
        ...whole,
        read: (into: Uint8Array) => read === bytes ? whole.read(into) : Promise.resolve(null),
      }),
  };
  const file = await TorchFile.open("model.bin", shrinking);
  read = damaged;
  await assert.rejects(
    file.elements("weight").next(),
    userError("BAD_TORCH_FILE", 'cut off while it was read, in tensor "weight"'),
  );
});

Deno.test("TorchFile reads a transposed tensor over several pieces, of every width", async () => {
  const [rows, columns] = [300, 1000];
  const values = Array.from({ length: rows * columns }, (_, i) => i % 2048);
  const widths = [["HalfStorage", Float16Array], ["FloatStorage", Float32Array], [
    "DoubleStorage",
    Float64Array,
  ]] as const;
  for (const [type, Numbers] of widths) {
    const tensor = { type, elements: values.length, shape: [columns, rows], strides: [1, columns] };
    const elements = await elementsOf(
      torchFile(pickleOf(tensor), new Uint8Array(Numbers.from(values).buffer)),
      "weight",
    );
    assert.equal(elements.length, values.length);
    assert(elements.every((value, i) => value === values[columns * (i % rows) + Math.floor(i / rows)]), type);
  }
});

/** A file of two tensors in one storage. */
const shared = (data: Uint8Array, ...tensors: [name: string, tensor: PickledTensor][]) =>
  torchFile(
    PICKLE.whole(PICKLE.dict(...tensors.flatMap(([name, tensor]) => [PICKLE.text(name), tensorPickle(tensor)]))),
    data,
  );

Deno.test("TorchFile reads a shared storage once for its checksum, and then each slice", async () => {
  const count = 2 ** 16;
  const data = new Uint8Array(Float32Array.from({ length: 8 * count }, (_, i) => i).buffer);
  const slices = Array.from({ length: 8 }, (_, i): [string, PickledTensor] => [
    `slice${i}`,
    { elements: 8 * count, offset: i * count, shape: [count], strides: [1] },
  ]);
  const bytes = shared(data, ...slices);
  let read = 0;
  const files = memoryFiles(bytes);
  const handle = await files.open("model.bin", "read");
  const counting = {
    ...handle,
    read: async (into: Uint8Array) => {
      const size = await handle.read(into);
      read += size ?? 0;
      return size;
    },
  };
  const file = await TorchFile.open("model.bin", { ...files, open: () => Promise.resolve(counting) });
  const opened = read;
  for (const [i, [name]] of slices.entries()) {
    let next = i * count;
    for await (const piece of file.elements(name)) for (const value of piece) assert.equal(value, next++);
    assert.equal(next, (i + 1) * count);
  }
  assert.equal(read - opened, 2 * data.length);
});

Deno.test("TorchFile says that a shared storage is damaged before it hands out a slice of it", async () => {
  const tensor = { elements: 6, shape: [3], strides: [1] };
  const bytes = shared(DATA, ["first", tensor], ["last", { ...tensor, offset: 3 }]);
  const at = new TextDecoder("latin1").decode(bytes).indexOf(new TextDecoder("latin1").decode(DATA));
  bytes[at + 23] = 0x41;
  const file = await TorchFile.open("model.bin", memoryFiles(bytes));
  await assert.rejects(file.elements("first").next(), userError("BAD_TORCH_FILE", '"first" is damaged'));
});

Deno.test("TorchFile refuses a small file that would be a large model", async () => {
  const one = { ...TENSOR, shape: [2 ** 30, 2 ** 10], strides: [0, 0] };
  const part = "its tensors have 4398046511104 bytes, and the file";
  await assert.rejects(elementsOf(torchFile(pickleOf(one), DATA), "weight"), userError("UNSUPPORTED_TORCH_FILE", part));
  const whole = { elements: 2 ** 16, shape: [2 ** 16], strides: [1] };
  const many = Array.from({ length: 300 }, (_, i): [string, PickledTensor] => [`t${i}`, whole]);
  const bytes = shared(new Uint8Array(2 ** 18), ...many);
  await assert.rejects(elementsOf(bytes, "t0"), userError("UNSUPPORTED_TORCH_FILE", "share or repeat elements"));
});
