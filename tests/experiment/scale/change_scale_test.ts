import { MAX_STEPS } from "../../../src/schedule/specification.ts";
import assert from "node:assert/strict";
import fc from "fast-check";
import { loadScale } from "../../../src/experiment/catalogue.ts";
import {
  changeScale,
  changesFromWords,
  LEAST_STEPS,
  type ScaleChanges,
} from "../../../src/experiment/scale/change_scale.ts";
import { planFromJson, planToJson } from "../../../src/experiment/plan/plan_json.ts";
import type { Scale } from "../../../src/experiment/scale/scale.ts";
import { resolvedScaleSchema } from "../../../src/experiment/schema.ts";
import { userError } from "../../data/user_error.ts";
import { fixedPlan, FIXTURE_CATALOGUE } from "../plan/plan_fixture.ts";
import { present } from "../../present.ts";

const small = await loadScale("small", FIXTURE_CATALOGUE.folder);
const paper = await loadScale("paper", FIXTURE_CATALOGUE.folder);

Deno.test("changeScale() to fewer tokens takes fewer windows where claims look", () => {
  const changed = changeScale({ ...small, landmarkWindows: 1000 }, { tokens: 2265 * 64 * 2048 / 10 });
  assert.equal(changed.landmarkWindows, 100);
});

Deno.test("changeScale() without changes gives the scale itself", () => {
  assert.equal(changeScale(small, {}), small);
});

Deno.test("changeScale() to fewer tokens shrinks all that is counted in them, and keeps enough steps", () => {
  const changed = changeScale(small, { tokens: 2e6 });
  const { pretraining, continuing } = changed;
  assert.deepEqual([continuing.batchSequences, pretraining.batchSequences, changed.gradientBlockSequences], [4, 4, 4]);
  assert.equal(continuing.steps, Math.round(2e6 / (4 * 2048)));
  const ratio = pretraining.steps / continuing.steps;
  assert(Math.abs(ratio - small.pretraining.steps / small.continuing.steps) < 0.01);
  assert.deepEqual(continuing.evaluation, { interval: 8, denseInterval: 2, denseUntilStep: 12 });
  assert.deepEqual([continuing.checkpointInterval, pretraining.checkpointInterval], [61, 62]);
  assert.equal(changed.evaluationWindows, 8);
  assert.deepEqual(changed.changes, ["tokens 2000000"]);
  assert.equal(changed.name, "small");
});

Deno.test("changeScale() to many tokens keeps the batches, each phase its own", () => {
  const { pretraining, continuing, evaluationWindows } = changeScale(paper, { tokens: 30e9 });
  assert.deepEqual([pretraining.batchSequences, continuing.batchSequences], [1024, 1104]);
  assert.equal(continuing.steps, Math.round(30e9 / 2_260_992));
  assert.equal(evaluationWindows, Math.round(11040 * 30e9 / 296_859_205_632));
});

Deno.test("changeScale() to another batch or context keeps the tokens", () => {
  const batch = changeScale(small, { batchSequences: 6 });
  assert.deepEqual([batch.continuing.batchSequences, batch.gradientBlockSequences], [6, 2]);
  assert.equal(batch.continuing.steps, Math.round(2265 * 64 / 6));
  const context = changeScale(small, { sequenceLength: 512 });
  assert.equal(context.model.config.sequenceLength, 512);
  assert.deepEqual([context.continuing.steps, context.continuing.batchSequences], [4 * 2265, 64]);
  assert.equal(context.evaluationWindows, small.evaluationWindows);
});

Deno.test("changeScale() to another model takes its learning rate too", () => {
  const { model } = changeScale(paper, { model: "pythia-14m", sequenceLength: 256 });
  assert.deepEqual([model.config.hiddenSize, model.config.sequenceLength, model.maxLearningRate], [128, 256, 1e-3]);
});

/** Whether a changed batch or context would make more steps than any plan may have. */
function tooManySteps({ pretraining, continuing }: Scale, changes: ScaleChanges): boolean {
  const share = (changes.tokens ?? continuing.steps * continuing.batchSequences * 2048) /
    (continuing.steps * continuing.batchSequences * 2048);
  return [pretraining, continuing].some(({ steps, batchSequences }) => {
    const tokens = steps * batchSequences * 2048 * share;
    return Math.round(tokens / ((changes.batchSequences ?? batchSequences) * (changes.sequenceLength ?? 2048))) >
      MAX_STEPS;
  });
}

Deno.test("changeScale() gives a valid scale whatever is changed", () => {
  fc.assert(fc.property(
    fc.constantFrom(small, paper),
    fc.record({
      tokens: fc.integer({ min: 1, max: 1e12 }),
      batchSequences: fc.integer({ min: 1, max: 5000 }),
      sequenceLength: fc.integer({ min: 1, max: 256 }).map((octets) => 8 * octets),
      evaluationWindows: fc.integer({ min: 1, max: 1e5 }),
    }, { requiredKeys: [] }),
    (scale, changes) => {
      if (tooManySteps(scale, changes)) {
        return void assert.throws(
          () => changeScale(scale, changes),
          userError("BAD_CHANGE", "steps", `at most ${MAX_STEPS}`),
        );
      }
      const changed = changeScale(scale, changes);
      assert.deepEqual(changeScale(scale, changesFromWords(changed.changes ?? [])), changed);
      assert.deepEqual(resolvedScaleSchema.parse(changed), changed);
      if (changes.batchSequences !== undefined) assert.equal(changed.continuing.batchSequences, changes.batchSequences);
      else if (changes.tokens !== undefined && changes.sequenceLength === undefined) {
        assert(changed.continuing.steps >= Math.min(LEAST_STEPS, Math.floor(changes.tokens / 2048)) - 1);
      }
    },
  ));
});

Deno.test("changeScale() refuses numbers that are none", () => {
  assert.throws(() => changeScale(small, { tokens: 0 }), userError("BAD_CHANGE", "tokens", "0"));
  assert.throws(() => changeScale(small, { batchSequences: 1.5 }), userError("BAD_CHANGE", "batch", "1.5"));
  assert.throws(() => changeScale(small, { evaluationWindows: NaN }), userError("BAD_CHANGE", "windows"));
});

for (
  const [scale, changes, found] of [
    ["smoke", { tokens: 1 }, "(tokens 1), has 1 step of continued training"],
    ["tiny", { tokens: 1, batchSequences: 4 }, "(tokens 1, batch 4), has 1 step"],
    ["small", { batchSequences: 1e9 }, "(batch 1000000000), has 1 step"],
  ] as const
) {
  Deno.test(`a plan of scale "${scale}" that is changed to ${found} names tokens that are enough`, async () => {
    let message = "";
    await assert.rejects(fixedPlan(scale, { changes }), (error: Error) => {
      message = error.message;
      return userError("ARM_LENGTH", found, 'too few for arm "')(error);
    });
    const tokens = Number(/--tokens (\d+)/.exec(message)?.[1]);
    assert((await fixedPlan(scale, { changes: { ...changes, tokens } })).runs.length > 0);
  });
}

Deno.test("a plan of a changed scale says so, and survives being written and read", async () => {
  const plan = await fixedPlan("small", { changes: { tokens: 2e6, model: "pythia-31m" } });
  assert.deepEqual(plan.scale.changes, ["model pythia-31m", "tokens 2000000"]);
  assert.deepEqual(planFromJson(planToJson(plan), "plan.json"), present(plan));
  assert.equal(plan.runs.length, 17);
});

Deno.test("a schedule too short for the earliest checkpoint is refused by name", async () => {
  await assert.rejects(
    fixedPlan("small", { changes: { tokens: 2048 * 4, batchSequences: 1 } }),
    userError("ARM_START", "earlier-checkpoints/7%-warmup-0%"),
  );
});
