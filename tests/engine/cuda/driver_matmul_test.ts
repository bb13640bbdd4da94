/** Matmuls by cuBLASLt: their layout against plain loops, on a fake library. Needs gcc. */
import assert from "node:assert/strict";
import { CublasLt } from "../../../src/engine/cuda/driver/cublaslt.ts";
import { Device } from "../../../src/engine/cuda/driver/device.ts";
import { Matmul } from "../../../src/engine/cuda/driver/matmul.ts";
import { matmulBytes, type MatmulProblem } from "../../../src/engine/cuda/driver/matmul_descriptor.ts";
import { slice, type View } from "../../../src/engine/cuda/driver/view.ts";
import { UserError } from "../../../src/errors.ts";
import { testWithFakes } from "./fakes/build.ts";

const DRIVER = { source: "fake_driver.c", library: "libcuda.so.1" };
const LIBRARY = { source: "fake_cublaslt.c", library: "libcublasLt.so.12" };

interface Setting {
  readonly device: Device;
  readonly library: CublasLt;
  readonly handle: bigint;
}

async function withLibrary(folder: string, use: (setting: Setting) => Promise<void> | void): Promise<void> {
  const places = { libraryFolders: [folder], onlyThere: true };
  using device = Device.open(places);
  const library = CublasLt.open(places, device.properties.driverVersion);
  try {
    const handle = library.createHandle(device);
    await use({ device, library, handle });
    library.destroyHandle(handle);
  } finally {
    library.close();
  }
}

function testMatmul(name: string, use: (setting: Setting) => Promise<void> | void, definitions: string[] = []): void {
  testWithFakes(name, [DRIVER, { ...LIBRARY, definitions }], (folder) => withLibrary(folder, use));
}

type Format = "f16" | "bf16" | "f32";

/** Small whole numbers, which every format holds exactly. */
function numbers(length: number, seed: number): number[] {
  return Array.from({ length }, (_, i) => (i * 7 + seed * 5) % 11 - 5);
}

function encode(values: readonly number[], format: Format): Uint8Array<ArrayBuffer> {
  if (format === "f32") return new Uint8Array(Float32Array.from(values).buffer);
  if (format === "f16") return new Uint8Array(Float16Array.from(values).buffer);
  const words = new Uint32Array(Float32Array.from(values).buffer);
  return new Uint8Array(Uint16Array.from(words, (word) => word >>> 16).buffer);
}

function decode(bytes: Uint8Array<ArrayBuffer>, format: Format): number[] {
  if (format === "f32") return Array.from(new Float32Array(bytes.buffer));
  if (format === "f16") return Array.from(new Float16Array(bytes.buffer));
  return Array.from(new Float32Array(Uint32Array.from(new Uint16Array(bytes.buffer), (word) => word << 16).buffer));
}

/** D = alpha · op(A) · op(B) + beta · D + bias, row-major, by definition. */
function reference(
  { rows, columns, inner, transposeA, transposeB }: MatmulProblem,
  [a, b, d, bias]: readonly number[][],
  alpha: number,
  beta: number,
): number[] {
  const at = (values: readonly number[] | undefined, i: number) => values?.[i] ?? 0;
  return Array.from({ length: rows * columns }, (_, index) => {
    const [i, j] = [Math.floor(index / columns), index % columns];
    let sum = 0;
    for (let k = 0; k < inner; k++) {
      sum += at(a, transposeA ? k * rows + i : i * inner + k) * at(b, transposeB ? j * inner + k : k * columns + j);
    }
    return alpha * sum + beta * at(d, index) + at(bias, j);
  });
}

testMatmul(
  "Matmul.run() computes row-major matmuls in every layout, format and with every addition",
  async (setting) => {
    const { device } = setting;
    const workspace = device.allocate(8192, "workspace");
    const upload = (values: readonly number[], format: Format, what: string): View => {
      const bytes = encode(values, format);
      const view = device.allocate(bytes.length, what);
      device.upload(view, bytes);
      return view;
    };
    for (const input of ["f16", "bf16"] as const) {
      for (const output of [input, "f32"] as const) {
        for (const [transposeA, transposeB] of [[false, false], [true, false], [false, true], [true, true]] as const) {
          for (const hasBias of output === "f32" ? [false] : [false, true]) {
            for (const [alpha, beta] of [[1, 0], [2, 1]] as const) {
              const problem = { rows: 3, columns: 5, inner: 4, transposeA, transposeB, input, output, bias: hasBias };
              const matmul = new Matmul(problem, { ...setting, workspaceBytes: 8192 });
              const values = [numbers(12, 1), numbers(20, 2), numbers(15, 3), hasBias ? numbers(5, 4) : []];
              const [a = [], b = [], d = [], bias = []] = values;
              const target = upload(d, output, "D");
              const operands = {
                a: upload(a, input, "A"),
                b: upload(b, input, "B"),
                d: target,
                workspace,
                alpha,
                beta,
              };
              matmul.run(hasBias ? { ...operands, bias: upload(bias, output, "bias") } : operands);
              const found = new Uint8Array(target.bytes);
              await device.download(target, found);
              assert.deepEqual(decode(found, output), reference(problem, values, alpha, beta), JSON.stringify(problem));
              matmul.close();
            }
          }
        }
      }
    }
  },
);

const PROBLEM: MatmulProblem = { rows: 8, columns: 16, inner: 32, input: "bf16", output: "f32" };
const MINE = Array.from({ length: 64 }, (_, i) => (0x40 + i).toString(16)).join("");

testMatmul("Matmul keeps its algorithm with the library's version, and takes it back", (setting) => {
  const options = { ...setting, workspaceBytes: 8192 };
  const chosen = new Matmul(PROBLEM, options);
  assert.deepEqual(chosen.algorithm, { library: "cuBLASLt 13.4.2", bytes: MINE });
  assert.equal(chosen.workspaceBytes, 4096);
  assert.equal(chosen.describe(), "algorithm 64, tile 65, stages 70, splits 66, reduction 67");
  const restored = new Matmul(PROBLEM, { ...options, algorithm: chosen.algorithm });
  assert.deepEqual(restored.algorithm, chosen.algorithm);
  assert.equal(restored.workspaceBytes, 4096);
  chosen.close();
  restored.close();
});

testMatmul("Matmul refuses an algorithm of another version, another device, or no algorithm at all", (setting) => {
  const options = { ...setting, workspaceBytes: 8192 };
  const refuse = (library: string, bytes: string, words: RegExp, workspaceBytes = 8192) =>
    assert.throws(() => new Matmul(PROBLEM, { ...options, workspaceBytes, algorithm: { library, bytes } }), words);
  refuse(
    "cuBLASLt 12.6.0",
    MINE,
    /bf16 to f32 was chosen by cuBLASLt 12\.6\.0, and cuBLASLt 13\.4\.2 was found: install cuBLASLt 12\.6\.0/,
  );
  refuse("cuBLASLt 13.4.2", MINE.replace("40", "41"), /does not run on Fake GPU 40 \(status 15\)/);
  refuse("cuBLASLt 13.4.2", MINE, /does not run/, 4095);
  refuse("cuBLASLt 13.4.2", MINE.slice(2), /64 bytes in hexadecimal/);
});

testMatmul("Matmul says that there is no algorithm", (setting) => {
  assert.throws(
    () => new Matmul(PROBLEM, { ...setting, workspaceBytes: 8192 }),
    (error) => error instanceof UserError && error.code === "NO_MATMUL_ALGORITHM" && /8 × 32 × 16/.test(error.message),
  );
}, ["FAKE_NOTHING"]);

testMatmul("Matmul.run() refuses operands of the wrong size or alignment", (setting) => {
  const { device } = setting;
  const matmul = new Matmul(PROBLEM, { ...setting, workspaceBytes: 8192 });
  const memory = device.allocate(1 << 16, "memory");
  const part = (bytes: number, offset = 0) => slice(memory, offset, bytes, "part");
  const good = { a: part(512), b: part(1024), d: part(512), workspace: part(4096) };
  matmul.run(good);
  const refuse = (wrong: Partial<typeof good> & { bias?: View }, words: RegExp) =>
    assert.throws(() => matmul.run({ ...good, ...wrong }), words);
  refuse({ a: part(510) }, /A of a matmul of 8 × 32 × 16, bf16 to f32 takes 512 bytes; "part" has 510/);
  refuse({ b: part(512) }, /B of .* takes 1024 bytes/);
  refuse({ d: part(256) }, /D of .* takes 512 bytes/);
  refuse({ a: part(512, 8) }, /"part" is not aligned to 16 bytes/);
  refuse({ workspace: part(4000) }, /needs a workspace of 4096 bytes; it has 4000/);
  refuse({ bias: part(32) }, /has no bias/);
  device.free(memory);
  refuse({}, /was freed/);
  matmul.close();
});

Deno.test("matmulBytes() gives the operands' sizes and refuses what is no matmul", () => {
  assert.deepEqual(matmulBytes(PROBLEM), { a: 512, b: 1024, d: 512, bias: 0 });
  assert.deepEqual(matmulBytes({ ...PROBLEM, output: "bf16", bias: true }), { a: 512, b: 1024, d: 256, bias: 32 });
  assert.throws(() => matmulBytes({ ...PROBLEM, rows: 0 }), /A matmul of 0 × 32 × 16/);
  assert.throws(() => matmulBytes({ ...PROBLEM, output: "f16" }), /Factors are bf16, the result f16/);
  assert.throws(() => matmulBytes({ ...PROBLEM, bias: true }), /A bias needs a result of 16 bits/);
});
