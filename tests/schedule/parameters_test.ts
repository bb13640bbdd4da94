/** Schedules as experiments set them: what a YAML file states, what becomes of it in a run's key, and what is refused. */
import assert from "node:assert/strict";
import { experimentSchema } from "../../src/experiment/schema.ts";
import { learningRateTable, scheduleDigest } from "../../src/schedule/learning_rate.ts";
import { SCHEDULE_KINDS, scheduleOf } from "../../src/schedule/catalogue.ts";
import { scheduleSchema } from "../../src/schedule/specification.ts";
import { validate } from "../../src/text/yaml.ts";
import { fixedPlan, FIXTURE_CATALOGUE } from "../experiment/plan/plan_fixture.ts";

const ARM = {
  phase: "continuing",
  corpus: "downstream",
  start: { kind: "random" },
  maxLearningRate: 1,
  warmupPercent: 1,
  tokens: 50e9,
};

const experimentOf = (arm: Record<string, unknown>) => ({
  name: "own",
  source: "here",
  title: "Own",
  question: "What does the schedule do?",
  arms: { one: { ...ARM, ...arm } },
});

/** The specification that an arm gets at scale `smoke`, with its run's key. */
async function planned(arm: Record<string, unknown>) {
  const path = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${path}/own.yaml`, JSON.stringify(experimentOf(arm)));
    const ownExperiments = new URL(`file://${path}/`);
    const { runs } = await fixedPlan("smoke", { ...FIXTURE_CATALOGUE, ownExperiments, only: ["own"] });
    const run = runs.find(({ usedBy }) => usedBy.some(({ experiment }) => experiment === "own"));
    assert.ok(run !== undefined);
    return { key: run.key, schedule: run.specification.schedule, digest: run.specification.scheduleDigest };
  } finally {
    await Deno.remove(path, { recursive: true });
  }
}

function refused(arm: Record<string, unknown>, message: RegExp) {
  assert.throws(() => validate(experimentSchema, experimentOf(arm), "own.yaml"), { code: "INVALID_FIELD", message });
}

/** A parameter that an arm may leave out, its default and another value. */
const PARAMETERS = [
  [{ schedule: "wsd" }, "decayFraction", 0.1, 0.25],
  [{ schedule: "infinite", constantLearningRate: 0.55 }, "cooldownFraction", 0.6, 0.5],
  [{ schedule: "infinite", constantLearningRate: 0.55 }, "annealFraction", 0.85, 0.9],
  [{ schedule: "infinite", constantLearningRate: 0.55 }, "cooldown", "cosine", "inverse-square-root"],
] as const;

for (const [arm, name, byDefault, other] of PARAMETERS) {
  Deno.test(`an arm sets ${name} of ${arm.schedule}; its default leaves the run's key as it was`, async () => {
    const [left, stated, changed] = await Promise.all([
      planned(arm),
      planned({ ...arm, [name]: byDefault }),
      planned({ ...arm, [name]: other }),
    ]);
    assert.equal(stated.key, left.key);
    assert.ok(!(name in left.schedule) && !(name in stated.schedule));
    assert.notEqual(changed.key, left.key);
    assert.deepEqual(changed.schedule, { ...left.schedule, [name]: other });
    assert.notEqual(changed.digest, left.digest);
  });
}

Deno.test("every schedule is planned from its own parameters, and its specification is read back", async () => {
  for (const kind of SCHEDULE_KINDS) {
    assert.equal(scheduleOf(kind).kind, kind);
    const required = { infinite: { constantLearningRate: 0.5 }, constant: { warmupPercent: 0 } };
    const { schedule, digest } = await planned({ schedule: kind, ...required[kind as keyof typeof required] });
    assert.equal(schedule.kind, kind);
    assert.deepEqual(scheduleSchema.parse(schedule), schedule);
    assert.equal(scheduleDigest(schedule), digest);
    assert.ok(learningRateTable(schedule).every((rate) => rate >= 0 && rate <= schedule.maxLearningRate * (1 + 1e-6)));
  }
});

Deno.test("an arm with a parameter of another schedule is refused, with the schedule that has it", () => {
  refused({ schedule: "paper", decayFraction: 0.2 }, /unknown key arms\.one\.decayFraction: only with schedule "wsd"/);
  refused({ schedule: "cosine", constantLearningRate: 0.5 }, /constantLearningRate: only with schedule "infinite"/);
  refused({ schedule: "wsd", decayFracton: 0.2 }, /decayFracton: did you mean "decayFraction"\?/);
});

Deno.test("an arm with a parameter out of its range is refused", () => {
  refused({ schedule: "wsd", decayFraction: 1.2 }, /arms\.one\.decayFraction is 1\.2, expected a number of at most 1/);
  refused({ schedule: "constant" }, /arms\.one\.warmupPercent is 1, expected 0, as a constant rate has no warm-up/);
  refused({ schedule: "infinite" }, /constantLearningRate is missing, expected a multiple of the model's own/);
  refused(
    { schedule: "infinite", constantLearningRate: 0.5, cooldown: "line" },
    /cooldown is "line": .*known: cosine, inverse-square-root/,
  );
});

Deno.test("a specification with a member of another schedule is not read", () => {
  const frame = { totalSteps: 10, warmupSteps: 1, maxLearningRate: 1, minLearningRate: 0.1 };
  assert.ok(scheduleSchema.safeParse({ kind: "wsd", ...frame, decayFraction: 0.2 }).success);
  assert.ok(!scheduleSchema.safeParse({ kind: "cosine", ...frame, decayFraction: 0.2 }).success);
  assert.ok(!scheduleSchema.safeParse({ kind: "infinite", ...frame }).success);
  assert.ok(!scheduleSchema.safeParse({ kind: "sawtooth", ...frame }).success);
});
