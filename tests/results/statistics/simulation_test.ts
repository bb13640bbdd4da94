/**
 * What intervals and verdicts promise, counted over simulated experiments whose truth is known. Every draw is a Philox
 * word by its place, so that the counts are the same everywhere; the bounds are four standard deviations of such counts.
 */
import assert from "node:assert/strict";
import { cos, log } from "../../../src/arithmetic/elementary.ts";
import { philox } from "../../../src/arithmetic/philox.ts";
import type { Contrast, Expectation } from "../../../src/results/contrast.ts";
import { measureContrast } from "../../../src/results/judging/measurement.ts";
import { bootstrapInterval } from "../../../src/results/statistics/bootstrap.ts";
import { holmAdjusted } from "../../../src/results/statistics/holm.ts";
import { jackknifeError } from "../../../src/results/statistics/jackknife.ts";
import { errorOverSeeds, tInterval } from "../../../src/results/statistics/paired_test.ts";
import { mean } from "../../../src/results/statistics/summary.ts";

/** Standard normal numbers, by Box and Muller. */
function normals(experiment: number, count: number, stream: number): number[] {
  const block = new Uint32Array(4);
  return Array.from({ length: count }, (_, index) => {
    philox([20261201, 0], [experiment, index, 0, stream], block);
    const uniform = ((block[0] ?? 0) + 1) / 2 ** 32;
    return Math.sqrt(-2 * log(uniform)) * cos(2 * Math.PI * (block[1] ?? 0) / 2 ** 32);
  });
}

/** Share of experiments of which something holds. */
function share(experiments: number, holds: (experiment: number) => boolean): number {
  let count = 0;
  for (let experiment = 0; experiment < experiments; experiment++) if (holds(experiment)) count++;
  return count / experiments;
}

function isNear(found: number, expected: number, experiments: number, what: string): void {
  const bound = 4 * Math.sqrt(expected * (1 - expected) / experiments);
  assert.ok(Math.abs(found - expected) <= bound, `${what}: ${found}, expected ${expected} ± ${bound}`);
}

function contrastOf(values: readonly number[], expectation: Expectation): Contrast {
  return { label: "a contrast", unit: "share of loss", values, expectation };
}

Deno.test("t intervals over 2, 3 and 5 seeds cover the truth in 95 % of experiments", () => {
  for (const seeds of [2, 3, 5]) {
    const found = share(4000, (experiment) => {
      const values = normals(experiment, seeds, seeds).map((z) => 0.02 + 0.004 * z);
      const { low, high } = tInterval(mean(values), errorOverSeeds(values), 0.95);
      return low <= 0.02 && 0.02 <= high;
    });
    isNear(found, 0.95, 4000, `${seeds} seeds`);
  }
});

Deno.test('the bootstrap of version 1 covers 51, 75 and 84 % where it says "95 %"', () => {
  for (const [seeds, covered] of [[2, 0.5], [3, 0.75], [5, 0.84]] as const) {
    const found = share(400, (experiment) => {
      const { low, high } = bootstrapInterval(normals(experiment, seeds, 10 + seeds));
      return low <= 0 && 0 <= high;
    });
    isNear(found, covered, 400, `${seeds} seeds`);
  }
});

Deno.test("without any effect, a direction is shown in at most 2.5 % of experiments, also where the margin is small", () => {
  const expectation: Expectation = { kind: "beyond", holdsFrom: 1e-6, failsTo: -1e-6, neutral: 0 };
  for (const seeds of [2, 3, 5]) {
    const found = share(
      4000,
      (experiment) =>
        measureContrast(contrastOf(normals(experiment, seeds, 20 + seeds), expectation)).outcome === "holds",
    );
    assert.ok(found <= 0.025 + 4 * Math.sqrt(0.025 * 0.975 / 4000), `${seeds} seeds: ${found}`);
    assert.ok(found > 0.01, `${seeds} seeds: ${found}, so that the test can fail`);
  }
});

Deno.test("at a difference of the margin, sameness is shown in at most 5 % of experiments", () => {
  const expectation: Expectation = { kind: "within", margin: 0.01 };
  for (const seeds of [3, 5]) {
    const found = share(4000, (experiment) => {
      const values = normals(experiment, seeds, 30 + seeds).map((z) => 0.01 + 0.001 * z);
      return measureContrast(contrastOf(values, expectation)).outcome === "holds";
    });
    assert.ok(found <= 0.05 + 4 * Math.sqrt(0.05 * 0.95 / 4000), `${seeds} seeds: ${found}`);
    assert.ok(found > 0.01, `${seeds} seeds: ${found}, so that the test can fail`);
  }
});

Deno.test("sameness is shown in most experiments where runs are alike and the noise is a fifth of the margin", () => {
  const expectation: Expectation = { kind: "within", margin: 0.01 };
  const found = share(1000, (experiment) => {
    const values = normals(experiment, 3, 40).map((z) => 0.002 * z);
    return measureContrast(contrastOf(values, expectation)).outcome === "holds";
  });
  assert.ok(found > 0.95, `${found}`);
});

Deno.test("of twenty claims that are all so, any is contradicted in at most 5 % of experiments", () => {
  const claims = 20, comparisons = 3, seeds = 3;
  // the hardest case: nothing lies to either side, and the margin is next to none
  const expectation: Expectation = { kind: "beyond", holdsFrom: 1e-6, failsTo: -1e-6, neutral: 0 };
  const contradictedBy = (experiment: number, correct: (p: readonly number[]) => number[]) => {
    const draws = normals(experiment, claims * comparisons * seeds, 50);
    const probabilities = Array.from({ length: claims }, (_, claim) => {
      const opposites = Array.from({ length: comparisons }, (_, comparison) => {
        const from = (claim * comparisons + comparison) * seeds;
        return measureContrast(contrastOf(draws.slice(from, from + seeds), expectation)).opposite;
      });
      return Math.min(1, comparisons * Math.min(...opposites));
    });
    return correct(probabilities).some((probability) => probability <= 0.05);
  };
  const corrected = share(2000, (experiment) => contradictedBy(experiment, holmAdjusted));
  assert.ok(corrected <= 0.05 + 4 * Math.sqrt(0.05 * 0.95 / 2000), `${corrected}`);
  const uncorrected = share(200, (experiment) => contradictedBy(experiment, (probabilities) => [...probabilities]));
  assert.ok(uncorrected > 0.4, `${uncorrected}: what the correction is for`);
});

Deno.test("jackknife intervals over 23 and 33 documents of unequal length cover the truth in about 95 % of samples", () => {
  for (const documents of [23, 33]) {
    const found = share(3000, (experiment) => {
      // lengths over a factor of about ten; a loss that differs by document, more than it differs between two runs
      const lengths = normals(experiment, documents, 60).map((z) => 1000 * 2 ** z);
      const level = normals(experiment, documents, 61), gain = normals(experiment, documents, 62);
      const b = lengths.map((tokens, i) => tokens * (2 + 0.3 * (level[i] ?? NaN)));
      const a = lengths.map((tokens, i) => (b[i] ?? NaN) - tokens * (0.02 + 0.01 * (gain[i] ?? NaN)));
      const relative = (without: number) => {
        let sumA = 0, sumB = 0;
        for (let i = 0; i < documents; i++) {
          if (i === without) continue;
          sumA += a[i] ?? NaN;
          sumB += b[i] ?? NaN;
        }
        return (sumB - sumA) / sumB;
      };
      const error = jackknifeError(lengths.map((_, without) => relative(without)));
      const { low, high } = tInterval(relative(-1), error, 0.95);
      return low <= 0.01 && 0.01 <= high;
    });
    assert.ok(found > 0.92 && found < 0.97, `${documents} documents: ${found}`);
  }
});
