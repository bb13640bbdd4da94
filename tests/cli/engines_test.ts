import assert from "node:assert/strict";
import { chooseEngine, kernelChoice, threadCount } from "../../src/cli/engines.ts";
import { mixedArithmetic } from "../../src/engine/cuda/mixed/engine.ts";
import { ARITHMETIC_VERSION } from "../../src/engine/ordered/arithmetic.ts";
import { UserError } from "../../src/errors.ts";
import { nativeHint } from "../../src/cli/native_hint.ts";

Deno.test("chooseEngine() knows what each engine promises before it is started", () => {
  const identityOf = (engine?: string) => chooseEngine(engine === undefined ? {} : { engine }).identity;
  const exact = { level: "machine_to_machine", arithmetic: ARITHMETIC_VERSION };
  assert.deepEqual(identityOf(), exact);
  assert.deepEqual(identityOf("exact"), exact);
  assert.deepEqual(identityOf("cuda-ordered"), exact);
  for (const precision of ["bf16", "fp16"] as const) {
    const identity = { level: "run_to_run", arithmetic: mixedArithmetic(precision) };
    assert.deepEqual(identityOf(`cuda-${precision}`), identity);
  }
});

Deno.test("chooseEngine() names the nearest engine when it does not know one", () => {
  assert.throws(
    () => chooseEngine({ engine: "cuda-orderd" }),
    (error) =>
      error instanceof UserError && error.code === "UNKNOWN_ENGINE" && error.message.includes('"cuda-ordered"'),
  );
});

Deno.test("threadCount() refuses more threads than the exact engine takes", () => {
  assert.equal(threadCount({ threads: 3 }), 3);
  assert.throws(() => threadCount({ threads: 65 }), /at most 64/);
});

Deno.test("kernelChoice() is automatic unless told otherwise, and names the nearest choice to one that it does not know", () => {
  assert.equal(kernelChoice({}), "auto");
  assert.equal(kernelChoice({ kernels: "wasm" }), "wasm");
  assert.throws(
    () => kernelChoice({ kernels: "nativ" }),
    (error) => error instanceof UserError && error.code === "UNKNOWN_KERNELS" && error.message.includes('"native"'),
  );
});

Deno.test("nativeHint() tells those of native kernels who could have them and did not decline", async () => {
  const isOffered = Deno.build.arch === "x86_64" && ["linux", "darwin", "windows"].includes(Deno.build.os);
  const hint = await nativeHint({}, "reproduce:native");
  assert.equal(hint?.includes("deno task reproduce:native"), isOffered ? true : undefined);
  assert.equal(await nativeHint({ kernels: "wasm" }, "reproduce:native"), undefined);
  assert.equal(await nativeHint({ engine: "cuda-ordered" }, "reproduce:native"), undefined);
});
