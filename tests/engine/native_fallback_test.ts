/** Native kernels where they may not be loaded: what a process without --allow-ffi does, and what is committed. */
import assert from "node:assert/strict";
import { sha256 } from "../../src/digest/sha256.ts";
import { createExactEngine } from "../../src/engine/exact/engine.ts";
import { takeMemory } from "../../src/engine/exact/kernel_code.ts";
import { planLayout } from "../../src/engine/exact/layout.ts";
import { sourceDigest } from "../../tools/native_libraries.ts";
import record from "../../src/engine/exact/native/libraries/digests.json" with { type: "json" };
import { LIBRARY_FOLDER, libraryDigest, libraryName } from "../../src/engine/exact/native/platform.ts";
import { hex, runSelfTest, SELF_TEST_DIGEST } from "../../src/engine/exact/native/self_test.ts";
import { sharedCache, smallTraining } from "./fixture.ts";
import { KernelBench } from "./kernel_fixture.ts";

const PLATFORMS = (["linux", "darwin", "windows"] as const).flatMap((os) =>
  (["x86_64", "aarch64"] as const).map((arch) => ({ os, arch }))
);

Deno.test("every platform's library is committed with the digest that the engine demands", async () => {
  const names = PLATFORMS.map((platform) => libraryName(platform));
  for (const name of names) {
    assert(name !== undefined);
    const bytes = await Deno.readFile(new URL(name, LIBRARY_FOLDER));
    assert.equal(hex(await crypto.subtle.digest("SHA-256", bytes)), libraryDigest(name), name);
    assert(bytes.length < 2 ** 18, `${name} has ${bytes.length} bytes`);
  }
  const files = (await Array.fromAsync(Deno.readDir(LIBRARY_FOLDER))).map(({ name }) => name);
  assert.deepEqual(files.sort(), [...names, "digests.json"].sort());
  assert.equal(libraryName({ os: "freebsd", arch: "x86_64" }), undefined);
});

Deno.test("the committed libraries were compiled from the sources as they are", async () => {
  // Whether the compiler gives these bytes is for "deno task native:build --check" to say.
  assert.equal(record.source, await sourceDigest(), 'run "deno task native:build"');
});

Deno.test("the self-test's digest is what WebAssembly's kernels give, and shows a kernel that does nothing", async () => {
  const bench = await KernelBench.open("relaxed", 20);
  const digest = (change: Partial<typeof bench.kernels> = {}) =>
    runSelfTest({ ...bench.kernels, ...change }, bench.buffer, 65536);
  assert.equal(await digest(), SELF_TEST_DIGEST);
  for (const kernel of Object.keys(bench.kernels)) {
    if (/InPlace$|^memory$/.test(kernel)) continue; // the fixture's own
    assert.notEqual(await digest({ [kernel]: () => 0 }), SELF_TEST_DIGEST, kernel);
  }
});

Deno.test("createExactEngine() runs WebAssembly and says why when native kernels may not be loaded", async () => {
  const options = { threads: 1, sha256, cache: sharedCache };
  const automatic = await createExactEngine({ ...options, kernels: "auto" });
  assert.equal(automatic.description["instruction set"], "WebAssembly SIMD");
  assert.equal(
    automatic.description["instruction set chosen"],
    "no native kernels: Deno was started without --allow-ffi for their folder",
  );
  await assert.rejects(createExactEngine({ ...options, kernels: "native" }), {
    name: "UserError",
    code: "NO_NATIVE_KERNELS",
    message: /^Native kernels cannot be used: Deno was started without --allow-ffi for their folder: give/,
  });
  const emulated = await createExactEngine({ ...options, kernels: "auto", fma: "emulated" });
  assert.equal(emulated.description["fused multiply-add"], "emulated");
});

Deno.test("planLayout() goes as far as the memory that it is told of", () => {
  const training = smallTraining({ vocabularySize: 50304, sequenceLength: 2048, hiddenSize: 512, heads: 8 }, 8);
  assert.throws(() => planLayout(training, 8, 64), /WebAssembly addresses 4 GiB.*native kernels/);
  const { bytes } = planLayout(training, 8, 64, undefined, 2 ** 34);
  assert(bytes > 2 ** 32 && bytes < 2 ** 34, `${bytes}`);
  assert.throws(() => planLayout(training, 8, 64, undefined, 2 ** 32 + 65536), /but this machine has 4\.0 GiB/);
});

Deno.test("takeMemory() says how much could not be had", () => {
  const native = { kind: "native", library: "", set: "avx2" } as const;
  assert.throws(() => takeMemory(native, 2 ** 52), {
    name: "RangeError",
    message: /^This machine has no 4194304\.0 GiB for the exact engine/,
  });
});
