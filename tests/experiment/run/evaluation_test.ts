import assert from "node:assert/strict";
import fc from "fast-check";
import { evaluationSteps, isCheckpointStep, isEvaluationStep } from "../../../src/experiment/run/evaluation.ts";

const GRID = { windows: 4, interval: 50, denseInterval: 7, denseUntilStep: 20, landmarks: [33, 120] };

Deno.test("evaluationSteps() is dense at first, then sparse, and holds landmarks and the last step", () => {
  assert.deepEqual(evaluationSteps(GRID, 110), [0, 7, 14, 33, 50, 100, 110]);
  assert.deepEqual(evaluationSteps(GRID, 150), [0, 7, 14, 33, 50, 100, 120, 150]);
});

Deno.test("isEvaluationStep() without a last step depends on the step alone", () => {
  assert.equal(isEvaluationStep(GRID, 110), false);
  assert.equal(isEvaluationStep(GRID, 110, 110), true);
  assert.equal(isEvaluationStep(GRID, 33), true);
});

Deno.test("evaluationSteps() of a run begins with those of its prefix when the prefix ends on the grid", () => {
  const grid = fc.record({
    windows: fc.constant(4),
    interval: fc.integer({ min: 1, max: 40 }),
    denseInterval: fc.integer({ min: 1, max: 10 }),
    denseUntilStep: fc.integer({ min: 0, max: 60 }),
    landmarks: fc.uniqueArray(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 5 }),
  });
  fc.assert(fc.property(grid, fc.integer({ min: 0, max: 100 }), (specification, further) => {
    const end = specification.landmarks[0] ?? 0;
    const short = evaluationSteps(specification, end);
    assert.deepEqual(evaluationSteps(specification, end + further).slice(0, short.length), short);
  }));
});

Deno.test("isCheckpointStep() holds on the interval and at landmarks, and not before the first step", () => {
  const specification = { checkpointInterval: 40, evaluation: GRID };
  const steps = Array.from({ length: 130 }, (_, step) => step).filter((step) => isCheckpointStep(specification, step));
  assert.deepEqual(steps, [33, 40, 80, 120]);
});
