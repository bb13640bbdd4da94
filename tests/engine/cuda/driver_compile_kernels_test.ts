/** From source to image: by NVRTC, from the cache, from kernels built beforehand. Some need gcc, some the real thing. */
import assert from "node:assert/strict";
import { compileKernels, type CompileOptions, kernelsDigest } from "../../../src/engine/cuda/driver/compile_kernels.ts";
import { kernelFolder } from "../../../src/files/kernel_folder.ts";
import { openNvcc } from "../../../src/engine/cuda/driver/nvcc.ts";
import { Nvrtc } from "../../../src/engine/cuda/driver/nvrtc.ts";
import { readPrebuilt, writePrebuilt } from "../../../src/engine/cuda/driver/prebuilt_kernels.ts";
import { chooseTarget, parseTarget, type Target } from "../../../src/engine/cuda/driver/target.ts";
import { sha256 } from "../../../src/digest/sha256.ts";
import { UserError } from "../../../src/errors.ts";
import { withFolder } from "../../temporary_folder.ts";
import { canRun, testWithFakes } from "./fakes/build.ts";
import { HAS_NVRTC, REAL_PLACES } from "./real_libraries.ts";

const HOPPER = { computeCapability: [9, 0], driverVersion: "13.0" } as const;
const FLAGS = ["--std=c++17", "--fmad=false"];
const SOURCE = `extern "C" __global__ void scale(float* values, float factor) { values[threadIdx.x] *= factor; }\n`;
const FAKE = { source: "fake_nvrtc.c", library: "libnvrtc.so.12" };

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

function options(folder: string, more: Partial<CompileOptions> = {}): CompileOptions {
  return { device: HOPPER, flags: FLAGS, libraryFolders: [folder], onlyThere: true, ...more };
}

/** How often a fake NVRTC compiled. */
function timesCompiled(folder: string): number {
  const library = Deno.dlopen(`${folder}/libnvrtc.so.12`, { fake_compiled: { parameters: [], result: "i32" } });
  const times = library.symbols.fake_compiled();
  library.close();
  return times;
}

testWithFakes("compileKernels() gives machine code for an architecture that NVRTC knows", [FAKE], async (folder) => {
  const kernels = await compileKernels(SOURCE, options(folder));
  assert.equal(kernels.target, "sm_90");
  assert.equal(kernels.compiler, "NVRTC 12.4");
  assert.equal(text(kernels.image), `cubin --std=c++17\n--fmad=false\n--gpu-architecture=sm_90\n${SOURCE}`);
  assert.equal(kernels.digest, kernelsDigest(SOURCE, FLAGS));
  assert.equal(kernels.imageDigest, sha256(kernels.image));
});

testWithFakes("compileKernels() gives PTX for a newer GPU, and refuses an older one", [FAKE], async (folder) => {
  const device = { ...HOPPER, computeCapability: [12, 0] } as const;
  const kernels = await compileKernels(SOURCE, options(folder, { device }));
  assert.equal(kernels.target, "compute_90");
  assert.match(text(kernels.image), /^PTX [^]*--gpu-architecture=compute_90\n/);
  await assert.rejects(
    () => compileKernels(SOURCE, options(folder, { device: { ...HOPPER, computeCapability: [7, 0] } })),
    /NVRTC 12\.4 \(.*\) compiles for sm_90 and newer, and the GPU is sm_70: name the folder of an older NVRTC/,
  );
});

testWithFakes("compileKernels() repeats the compiler's log", [FAKE], async (folder) => {
  await assert.rejects(() => compileKernels("#error no\n", options(folder)), (error) => {
    assert(error instanceof UserError);
    assert.equal(error.code, "KERNELS_DO_NOT_COMPILE");
    assert.match(error.message, /for sm_90, NVRTC_ERROR_COMPILATION:\nline 1: #error no/);
    return true;
  });
});

testWithFakes(
  "compileKernels() compiles once with a cache, and again when anything differs",
  [FAKE],
  async (folder) => {
    // Keeps the library loaded, and so its count.
    const kept = Deno.dlopen(`${folder}/libnvrtc.so.12`, {});
    const cache = kernelFolder(`${folder}/cache`);
    const first = await compileKernels(SOURCE, options(folder, { cache }));
    const second = await compileKernels(SOURCE, options(folder, { cache }));
    assert.deepEqual(second, first);
    assert.equal(timesCompiled(folder), 1);
    await compileKernels(SOURCE, options(folder, { cache, flags: ["--std=c++17"] }));
    await compileKernels(`${SOURCE}\n`, options(folder, { cache }));
    await compileKernels(SOURCE, options(folder, { cache, device: { ...HOPPER, computeCapability: [10, 0] } }));
    assert.equal(timesCompiled(folder), 4);
    kept.close();
  },
);

const COMPILER = {
  compiler: "a compiler of this test",
  compile: (source: string, flags: readonly string[], target: Target) =>
    Promise.resolve(new TextEncoder().encode(`${target} ${flags.join(" ")} ${source}`)),
};

/** A folder of kernels that were built beforehand, and no NVRTC. */
async function withPrebuilt(use: (folder: string, digest: string) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const digest = kernelsDigest(SOURCE, FLAGS);
    await writePrebuilt(folder, { digest, source: SOURCE, flags: FLAGS }, ["sm_80", "sm_90", "compute_80"], COMPILER);
    await use(folder, digest);
  });
}

Deno.test("compileKernels() takes kernels that were built beforehand where NVRTC is missing", async () => {
  await withPrebuilt(async (prebuiltFolder, digest) => {
    const compile = (computeCapability: readonly [number, number], source = SOURCE) =>
      compileKernels(source, options("absent", { prebuiltFolder, device: { ...HOPPER, computeCapability } }));
    const hopper = await compile([9, 0]);
    assert.equal(hopper.target, "sm_90");
    assert.equal(hopper.compiler, COMPILER.compiler);
    assert.equal(hopper.digest, digest);
    assert.equal(text(hopper.image), `sm_90 ${FLAGS.join(" ")} ${SOURCE}`);
    assert.equal((await compile([12, 0])).target, "compute_80");
    assert.equal((await compile([8, 6])).target, "compute_80");
    await assert.rejects(
      () => compile([7, 5]),
      /are for compute_80, sm_80, sm_90, and the GPU is sm_75: build them with/,
    );
    await assert.rejects(
      () => compile([9, 0], "other"),
      /has no kernels [0-9a-f]{4}….*: build them from the same version/,
    );
  });
  await assert.rejects(() => compileKernels(SOURCE, options("absent")), /^UserError: NVRTC is not on this machine/);
});

Deno.test("readPrebuilt() names what is damaged", async () => {
  await withPrebuilt(async (folder, digest) => {
    await Deno.writeTextFile(`${folder}/${digest}-sm_90`, "something else");
    await assert.rejects(
      () => readPrebuilt(folder, digest, [9, 0]),
      (error) =>
        error instanceof UserError && error.code === "DIGEST_MISMATCH" && /-sm_90" has the digest/.test(error.message),
    );
    for (const index of ["{", '{"compiler":"x"}', '{"compiler":"x","images":{"sm_9x":"00"}}']) {
      await Deno.writeTextFile(`${folder}/${digest}.json`, index);
      await assert.rejects(
        () => readPrebuilt(folder, digest, [9, 0]),
        /is no index of kernels: build the kernels again/,
      );
    }
  });
});

Deno.test("chooseTarget() prefers the device's machine code, then the newest PTX that is not newer", () => {
  const available: Target[] = ["sm_80", "compute_80", "sm_90", "compute_90", "compute_100"];
  assert.equal(chooseTarget([8, 0], available), "sm_80");
  assert.equal(chooseTarget([9, 0], available), "sm_90");
  assert.equal(chooseTarget([8, 9], available), "compute_80");
  assert.equal(chooseTarget([10, 0], available), "compute_100");
  assert.equal(chooseTarget([12, 1], available), "compute_100");
  assert.equal(chooseTarget([7, 5], available), undefined);
});

Deno.test("parseTarget() takes the names that NVIDIA's compilers take", () => {
  assert.equal(parseTarget("sm_90"), "sm_90");
  assert.equal(parseTarget("compute_120"), "compute_120");
  for (const wrong of ["sm90", "sm_9", "sm_90a", "sm_1000", "", "compute_"]) {
    assert.throws(() => parseTarget(wrong), /Unknown architecture/, wrong);
  }
});

Deno.test({
  name: "Nvrtc compiles the same source to the same machine code twice, and PTX for newer GPUs",
  ignore: !HAS_NVRTC,
  fn: async () => {
    const compile = (computeCapability: readonly [number, number]) =>
      compileKernels(SOURCE, { ...REAL_PLACES, device: { ...HOPPER, computeCapability }, flags: FLAGS });
    const first = await compile([9, 0]);
    assert.equal(first.target, "sm_90");
    assert.deepEqual(first.image.slice(0, 4), new TextEncoder().encode("\x7fELF"));
    assert.equal((await compile([9, 0])).imageDigest, first.imageDigest);
    const ptx = await compile([99, 0]);
    assert.match(ptx.target, /^compute_/);
    assert.match(text(ptx.image), /\.visible \.entry scale\(/);
    const broken = SOURCE.replace("float factor", "flat factor");
    await assert.rejects(
      () => compileKernels(broken, { ...REAL_PLACES, device: HOPPER, flags: FLAGS }),
      /NVRTC_ERROR_COMPILATION:\nkernels\.cu\(1\): error: identifier "flat" is undefined/,
    );
  },
});

Deno.test({
  name: "writePrebuilt() with NVRTC gives the machine code that compileKernels() gives",
  ignore: !HAS_NVRTC,
  fn: async () => {
    await withFolder(async (folder) => {
      const compiled = await compileKernels(SOURCE, { ...REAL_PLACES, device: HOPPER, flags: FLAGS });
      const nvrtc = Nvrtc.open(REAL_PLACES);
      try {
        await writePrebuilt(folder, { digest: compiled.digest, source: SOURCE, flags: FLAGS }, ["sm_90"], nvrtc);
      } finally {
        nvrtc.close();
      }
      const { image, compiler } = await readPrebuilt(folder, compiled.digest, [9, 0]);
      assert.equal(sha256(image), compiled.imageDigest);
      assert.equal(compiler, compiled.compiler);
    });
  },
});

const HAS_NVCC = canRun("nvcc", "--version");
if (!HAS_NVCC) console.warn("nvcc cannot be started: its tests are skipped");

Deno.test({
  name: "writePrebuilt() with nvcc gives machine code and PTX, the same each time",
  ignore: !HAS_NVCC,
  fn: async () => {
    await withFolder(async (folder) => {
      const nvcc = await openNvcc();
      assert.match(nvcc.compiler, /^nvcc \d+\.\d+$/);
      const kernels = { digest: kernelsDigest(SOURCE, FLAGS), source: SOURCE, flags: FLAGS };
      const first = await writePrebuilt(`${folder}/a`, kernels, ["sm_90", "compute_80"], nvcc);
      const second = await writePrebuilt(`${folder}/b`, kernels, ["sm_90", "compute_80"], nvcc);
      assert.deepEqual(second, first);
      const { image } = await readPrebuilt(`${folder}/a`, kernels.digest, [9, 0]);
      assert.deepEqual(image.slice(0, 4), new TextEncoder().encode("\x7fELF"));
      const ptx = await readPrebuilt(`${folder}/a`, kernels.digest, [8, 6]);
      assert.match(text(ptx.image), /\.target sm_80/);
      await assert.rejects(() => nvcc.compile("#error stop\n", FLAGS, "sm_90"), /nvcc cannot compile .*sm_90:[^]*stop/);
    });
  },
});

Deno.test("openNvcc() says what to install where there is none", async () => {
  await assert.rejects(
    () => openNvcc("nvcc-that-is-nowhere"),
    /"nvcc-that-is-nowhere" is not on the path: install the/,
  );
});
