import assert from "node:assert/strict";
import { chooseEngine, threadCount } from "../../src/cli/engines.ts";
import { mixedArithmetic } from "../../src/engine/cuda/mixed/engine.ts";
import { ARITHMETIC_VERSION } from "../../src/engine/ordered/arithmetic.ts";
import { UserError } from "../../src/errors.ts";

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
