/** Compiled kernels between runs: what is kept is used, what is lost is compiled again. */
import assert from "node:assert/strict";
import { sha256 } from "../../src/digest/sha256.ts";
import { createExactEngine } from "../../src/engine/exact/engine.ts";
import type { KernelCache } from "../../src/engine/kernel_cache.ts";
import { compileKernels, KERNEL_FILES, kernelModules } from "../../src/engine/exact/kernels.ts";

class RecordingCache implements KernelCache {
  readonly kept = new Map<string, Uint8Array<ArrayBuffer>>();
  readonly calls: string[] = [];

  get(digest: string) {
    this.calls.push(`get ${digest}`);
    return Promise.resolve(this.kept.get(digest));
  }

  put(digest: string, binary: Uint8Array<ArrayBuffer>) {
    this.calls.push(`put ${digest}`);
    this.kept.set(digest, binary);
    return Promise.resolve();
  }
}

Deno.test("createExactEngine() takes kernels from the cache, and compiles those that it has lost", async () => {
  const cache = new RecordingCache();
  const start = () => createExactEngine({ threads: 1, sha256, cache });
  const digest = (await start()).description["kernels"] ?? "";
  assert.match(digest, /^[0-9a-f]{64}$/);
  assert.deepEqual(cache.calls, [`get ${digest}`, `put ${digest}`]);
  const binary = cache.kept.get(digest);

  cache.calls.length = 0;
  await start();
  assert.deepEqual(cache.calls, [`get ${digest}`]);

  // A cache that finds its file damaged answers that it has none: the kernels are compiled again, to the same bytes.
  cache.calls.length = 0;
  cache.kept.delete(digest);
  await start();
  assert.deepEqual(cache.calls, [`get ${digest}`, `put ${digest}`]);
  assert.deepEqual(cache.kept.get(digest), binary);

  // The cached bytes are what runs: others are noticed.
  cache.kept.set(digest, new Uint8Array(16));
  await assert.rejects(start(), WebAssembly.CompileError);
});

Deno.test("createExactEngine() names what a verifier must know", async () => {
  const cache = new RecordingCache();
  const engines = await Promise.all(
    (["relaxed", "emulated"] as const).map((fma) => createExactEngine({ threads: 3, sha256, cache, fma })),
  );
  for (const engine of engines) {
    assert.deepEqual([engine.name, engine.level, engine.arithmetic], ["exact", "machine_to_machine", "ordered-f32/1"]);
    assert.equal(engine.description["threads"], "3");
  }
  assert.equal(engines[1]?.description["fused multiply-add"], "emulated");
  assert.equal(cache.kept.size, 2);
});

Deno.test("kernelModules() refuses a source that is missing, and names it", () => {
  const files = new Map<string, string>(KERNEL_FILES.map((name) => [name, ""]));
  files.delete("gelu.ts");
  assert.throws(() => kernelModules(files, "relaxed"), /"gelu\.ts" is missing/);
});

Deno.test("compileKernels() passes on the compiler's message when a source is wrong", async () => {
  await assert.rejects(compileKernels(new Map([["index.ts", "export const x: i32 = nothing;"]])), /nothing/);
});
