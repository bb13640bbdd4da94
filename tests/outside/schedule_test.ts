/** Every reference rate of GPT-NeoX, from tests/fixtures/outside. */
import assert from "node:assert/strict";
import { learningRate, learningRateTable } from "../../src/schedule/learning_rate.ts";
import type { ScheduleKind } from "../../src/schedule/specification.ts";

interface Case {
  readonly schedule: Exclude<ScheduleKind, "infinite">;
  readonly total_steps: number;
  readonly warmup_steps: number;
  readonly max_lr: number;
  readonly min_lr: number;
  readonly lr: readonly (readonly [number, number])[];
}

const file = new URL("../fixtures/outside/schedule/cases.json", import.meta.url);
const cases = JSON.parse(await Deno.readTextFile(file)) as readonly Case[];

for (const { schedule, total_steps, warmup_steps, max_lr, min_lr, lr } of cases) {
  Deno.test(`learningRate() of ${schedule}, warm-up ${warmup_steps}, maximum ${max_lr} rounds as the reference does`, () => {
    const specification = {
      kind: schedule,
      totalSteps: total_steps,
      warmupSteps: warmup_steps,
      maxLearningRate: max_lr,
      minLearningRate: min_lr,
    };
    const table = learningRateTable(specification);
    assert.ok(lr.length > 0);
    for (const [step, expected] of lr) {
      assert.equal(table[step], Math.fround(expected), `step ${step}`);
      assert.ok(Math.abs(learningRate(specification, step) - expected) <= 1e-15 * max_lr, `step ${step} in f64`);
    }
  });
}
