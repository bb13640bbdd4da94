import assert from "node:assert/strict";
import fc from "fast-check";
import { learningRate, learningRateTable, scheduleDigest } from "../../src/schedule/learning_rate.ts";
import { SCHEDULE_KINDS, type ScheduleSpecification } from "../../src/schedule/specification.ts";

/** The paper's main run: T = 131,296 steps, warm-up 1 % of them. */
const PAPER: ScheduleSpecification = {
  kind: "paper",
  totalSteps: 131_296,
  warmupSteps: 1312.96,
  maxLearningRate: 3e-4,
  minLearningRate: 3e-4 * 0.1,
};

const TOKENS_PER_STEP = 1104 * 2048;

/** Rates at 10, 50, 100, 150, 200, 240 and 297B tokens in units of 1e-4, to three decimals. */
function ratesByTokens(specification: ScheduleSpecification): string[] {
  return [10e9, 50e9, 100e9, 150e9, 200e9, 240e9, 131_296 * TOKENS_PER_STEP]
    .map((tokens) => (learningRate(specification, Math.round(tokens / TOKENS_PER_STEP)) * 1e4).toFixed(3));
}

Deno.test("learningRate() of paper follows the paper's clamped cosine", () => {
  assert.deepEqual(ratesByTokens(PAPER), ["2.996", "2.818", "2.276", "1.522", "0.762", "0.300", "0.300"]);
});

Deno.test("learningRate() of cosine follows the corrected formula", () => {
  const rates = ratesByTokens({ ...PAPER, kind: "cosine" });
  assert.deepEqual(rates, ["2.996", "2.833", "2.337", "1.649", "0.961", "0.542", "0.300"]);
});

Deno.test("learningRate() of paper reaches the minimum where the paper and Pythia do", () => {
  // The cosine meets the minimum at w + T · arccos(−0.8) / π: 105,715.2 for the paper and 115,138.9 for Pythia.
  const firstAtMinimum = (specification: ScheduleSpecification) =>
    learningRateTable(specification).findIndex((rate, step) =>
      step > specification.warmupSteps && rate === Math.fround(specification.minLearningRate)
    );
  assert.equal(firstAtMinimum(PAPER), 105_716);
  assert.ok(learningRate(PAPER, 105_715) < PAPER.minLearningRate * (1 + 1e-4));
  assert.equal(firstAtMinimum({ ...PAPER, totalSteps: 143_000, warmupSteps: 1430 }), 115_139);
});

// Known answers of gpt-neox v1.0 and of gpt-neox after #1008, in f64.
const KNOWN = [
  ["paper", 0, 3e-4, [[0, 3e-4], [1, 0.00029999999995706036], [43765, 0.00022500103609126781], [65648, 1.5e-4]]],
  ["paper", 656.48, 1.5e-4, [[0, 0], [1, 2.2849134779429683e-7], [656, 0.00014989032415305871]]],
  ["paper", 656.48, 3e-4, [[13129, 0.0002933695854149985], [105036, 3.004902523968374e-5]]],
  ["paper", 2625.92, 6e-4, [[105036, 6.884968768948712e-5], [106349, 6.295684003063481e-5], [131295, 6e-5]]],
  ["cosine", 0, 1.5e-4, [[105036, 2.7892112360044056e-5], [131295, 1.500000001932282e-5]]],
  ["cosine", 1312.96, 6e-4, [[105036, 0.00011258012581755197], [106349, 0.00010761013540198412]]],
] as const;

for (const [kind, warmupSteps, maxLearningRate, rates] of KNOWN) {
  Deno.test(`learningRateTable() of ${kind}, warm-up ${warmupSteps}, maximum ${maxLearningRate} gives known f32 rates`, () => {
    const specification = { ...PAPER, kind, warmupSteps, maxLearningRate, minLearningRate: maxLearningRate * 0.1 };
    const table = learningRateTable(specification);
    for (const [step, rate] of rates) assert.equal(table[step], Math.fround(rate), `step ${step}`);
  });
}

Deno.test("learningRate() is exactly 0 at step 0 when there is a warm-up, and the maximum when there is none", () => {
  for (const kind of ["paper", "cosine", "linear", "wsd"] as const) {
    assert.equal(learningRate({ ...PAPER, kind }, 0), 0);
    assert.equal(learningRateTable({ ...PAPER, kind, warmupSteps: 0 })[0], Math.fround(3e-4));
  }
});

Deno.test("learningRate() climbs in proportion through a fractional warm-up", () => {
  const specification = { ...PAPER, totalSteps: 100, warmupSteps: 2.5 };
  assert.deepEqual([0, 1, 2].map((step) => learningRate(specification, step)), [0, 3e-4 / 2.5, 3e-4 * 2 / 2.5]);
  assert.ok(learningRate(specification, 3) < 3e-4);
});

Deno.test("learningRate() of constant never moves", () => {
  const specification = { ...PAPER, kind: "constant" as const, warmupSteps: 0 };
  assert.deepEqual([0, 1, 131_295].map((step) => learningRate(specification, step)), [3e-4, 3e-4, 3e-4]);
});

Deno.test("learningRate() of linear and wsd falls on straight lines", () => {
  const base = { totalSteps: 100, warmupSteps: 20, maxLearningRate: 1, minLearningRate: 0.2 };
  const linear = { kind: "linear" as const, ...base };
  assert.deepEqual([10, 20, 60, 100, 150].map((step) => learningRate(linear, step)), [0.5, 1, 0.6, 0.2, 0.2]);
  const wsd = { kind: "wsd" as const, ...base, decayFraction: 0.5 };
  assert.deepEqual([10, 20, 50, 75, 100].map((step) => learningRate(wsd, step)), [0.5, 1, 1, 0.6, 0.2]);
  const byDefault = { kind: "wsd" as const, ...base };
  assert.deepEqual([90, 95, 100].map((step) => learningRate(byDefault, step).toFixed(12)), [
    "1.000000000000",
    "0.600000000000",
    "0.200000000000",
  ]);
});

Deno.test("learningRate() of infinite cools down, stays constant and anneals as the follow-up's formulas say", () => {
  const base = {
    kind: "infinite",
    totalSteps: 1000,
    warmupSteps: 100,
    maxLearningRate: 3e-4,
    minLearningRate: 3e-5,
    constantLearningRate: 1.65e-4,
  } as const;
  const close = (actual: number, expected: number) => assert.ok(Math.abs(actual / expected - 1) < 1e-14, `${actual}`);
  // Half-way through the cooldown (step 350 of 100 to 600): the mean for a cosine, and for the inverse square root
  // 3e-4 + (1.65e-4 − 3e-4) · (1/√6 − 1) / (1/√11 − 1).
  close(learningRate(base, 350), (3e-4 + 1.65e-4) / 2);
  close(learningRate({ ...base, cooldown: "inverse-square-root" }, 350), 0.0001856295228745167);
  for (const cooldown of ["cosine", "inverse-square-root"] as const) {
    const specification = { ...base, cooldown };
    close(learningRate(specification, 100), 3e-4);
    assert.deepEqual([600, 700, 850].map((step) => learningRate(specification, step)), [1.65e-4, 1.65e-4, 1.65e-4]);
    // Half-way through the annealing: the geometric mean.
    close(learningRate(specification, 925), Math.sqrt(1.65e-4 * 3e-5));
    assert.deepEqual([1000, 2000].map((step) => learningRate(specification, step)), [3e-5, 3e-5]);
  }
});

const anySpecification: fc.Arbitrary<ScheduleSpecification> = fc.record({
  kind: fc.constantFrom(...SCHEDULE_KINDS),
  totalSteps: fc.integer({ min: 1, max: 400 }),
  warmup: fc.double({ min: 0, max: 0.4, noNaN: true }),
  maxLearningRate: fc.double({ min: 1e-6, max: 1, noNaN: true }),
  minimum: fc.double({ min: 0.01, max: 1, noNaN: true }),
  constant: fc.double({ min: 0, max: 1, noNaN: true }),
}).map(({ kind, totalSteps, warmup, maxLearningRate, minimum, constant }) => {
  const minLearningRate = maxLearningRate * minimum;
  return {
    kind,
    totalSteps,
    warmupSteps: kind === "constant" ? 0 : warmup * totalSteps,
    maxLearningRate,
    minLearningRate,
    ...(kind === "infinite"
      ? {
        constantLearningRate: Math.min(
          maxLearningRate,
          minLearningRate + constant * (maxLearningRate - minLearningRate),
        ),
      }
      : {}),
  } as ScheduleSpecification;
});

Deno.test("learningRateTable() stays between the bounds and only falls after the warm-up, whatever the schedule", () => {
  fc.assert(fc.property(anySpecification, (specification) => {
    const { totalSteps, warmupSteps, maxLearningRate, minLearningRate } = specification;
    const table = learningRateTable(specification);
    assert.equal(table.length, totalSteps);
    const margin = 1 + 2 ** -22;
    table.forEach((rate, step) => {
      assert.ok(rate <= maxLearningRate * margin, `step ${step}`);
      if (step < warmupSteps) return;
      assert.ok(rate >= minLearningRate / margin, `step ${step}`);
      if (step - 1 >= warmupSteps) assert.ok(rate <= (table[step - 1] ?? 0) * margin, `step ${step}`);
    });
  }));
});

Deno.test("learningRateTable() rounds learningRate() once", () => {
  fc.assert(fc.property(anySpecification, (specification) => {
    learningRateTable(specification).forEach((rate, step) =>
      assert.equal(rate, Math.fround(learningRate(specification, step)))
    );
  }));
});

Deno.test("scheduleDigest() is the same on every machine", () => {
  assert.equal(scheduleDigest(PAPER), "2ca743598db1e059c3af147265df480c302bc43ff9013c42d0c9092b84bb3149");
  assert.notEqual(scheduleDigest({ ...PAPER, warmupSteps: 1312 }), scheduleDigest(PAPER));
});

const BAD: readonly (readonly [Partial<ScheduleSpecification>, RegExp])[] = [
  [{ totalSteps: 0 }, /totalSteps of schedule "paper" is 0, expected a positive whole number/],
  [{ totalSteps: 1.5 }, /totalSteps/],
  [{ warmupSteps: -1 }, /warmupSteps of schedule "paper" is -1, expected 0 to 131296/],
  [{ warmupSteps: 131_297 }, /warmupSteps/],
  [{ warmupSteps: NaN }, /warmupSteps/],
  [{ maxLearningRate: 0 }, /maxLearningRate/],
  [{ minLearningRate: 4e-4 }, /minLearningRate of schedule "paper" is 0.0004, expected 0 to 0.0003/],
  [{ kind: "constant" }, /warmupSteps of schedule "constant" is 1312.96, expected 0/],
  [{ kind: "wsd", decayFraction: 0.995 }, /decayFraction of schedule "wsd" is 0.995, expected 0 to 0.99/],
  [{ kind: "infinite" }, /constantLearningRate of schedule "infinite" is undefined, expected/],
  [{ kind: "infinite", constantLearningRate: 1e-4, minLearningRate: 0 }, /minLearningRate/],
  [{ kind: "infinite", constantLearningRate: 1e-4, cooldownFraction: 0.9 }, /cooldownFraction/],
  [{ kind: "infinite", constantLearningRate: 1e-4, annealFraction: 1.1 }, /annealFraction/],
];

for (const [change, message] of BAD) {
  Deno.test(`learningRate() throws when ${JSON.stringify(change)} makes no sense`, () => {
    const specification = { ...PAPER, ...change } as ScheduleSpecification;
    for (const use of [() => learningRate(specification, 0), () => learningRateTable(specification)]) {
      assert.throws(use, (error) => error instanceof RangeError && message.test(error.message));
    }
  });
}

Deno.test("learningRate() throws when the step is negative or no number", () => {
  assert.throws(() => learningRate(PAPER, -1), /Step is -1, expected a number of at least 0/);
  assert.throws(() => learningRate(PAPER, NaN), RangeError);
});
