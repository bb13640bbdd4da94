/** Where a verdict's error comes from: all documents, the sampled ones, or none. */
import assert from "node:assert/strict";
import type { ArmCurves } from "../../../src/results/arm_curves.ts";
import type { ValidationSet } from "../../../src/results/curves.ts";
import { sampleMeans } from "../../../src/results/document_losses.ts";
import type { Rule } from "../../../src/results/rule_schema.ts";
import { arm } from "../rehearsal.ts";
import { A_BELOW_B } from "../two_arms.ts";
import { armOfDocuments, judge } from "./current.ts";

/** Steps up to 50B tokens; of these only the first and the last keep losses of all documents. */
const STEPS = [0, 20, 60, 247];
const COUNT = 20;

/** Loss of each of twenty documents at a level: some are far harder than others. */
function lossesAt(level: number, noise = 0): number[] {
  return Array.from({ length: COUNT }, (_, i) => level * (1 + 0.1 * i) * (1 + (i % 2 === 0 ? noise : -noise)));
}

const sampledSet = (first: number): ValidationSet => ({
  domains: [{ name: "a", weight: 0.9 }, { name: "b", weight: 0.1 }],
  sampledDocuments: Array.from({ length: COUNT }, (_, i) => ({
    domain: i < COUNT / 2 ? 0 : 1,
    document: first + i,
    tokens: 32 * (1 + i % 3),
  })),
});

/** An arm whose points have losses by sampled document, downstream and where wanted upstream, from a list. */
function armOfSample(
  name: string,
  losses: readonly (readonly number[])[],
  { first = 0, steps = STEPS, upstream = losses.map(() => lossesAt(1)) }: {
    first?: number;
    steps?: readonly number[];
    upstream?: readonly (readonly number[])[];
  } = {},
): ArmCurves {
  const set = sampledSet(first);
  const sumsOf = (ofDocuments: readonly number[]) =>
    ofDocuments.map((loss, i) => loss * (set.sampledDocuments?.[i]?.tokens ?? NaN));
  const plain = arm(name, steps, losses.map(() => [1, 1]));
  return {
    ...plain,
    curves: {
      ...plain.curves,
      validation: { upstream: set, downstream: set },
      points: plain.curves.points.map((point, index) => {
        const sampledDocuments = { upstream: sumsOf(upstream[index] ?? []), downstream: sumsOf(losses[index] ?? []) };
        const before = sampleMeans(set, sampledDocuments.upstream);
        const after = sampleMeans(set, sampledDocuments.downstream);
        return {
          ...point,
          upstream: before.mean,
          downstream: after.mean,
          domains: { upstream: before.domains, downstream: after.domains },
          sampledDocuments,
        };
      }),
    },
  };
}

/** Re-warming makes the loss rise above that of the arm that is not re-warmed, peak to peak. */
const PEAK: Rule = {
  kind: "peaks-above",
  runs: ["x/rewarmed"],
  reference: "x/constant",
  metric: "downstream",
  within: 50e9,
  margin: "difference",
};
const constant = armOfSample("x/constant", [2, 1.99, 1.98, 1.9].map((level) => lossesAt(level)));

Deno.test("one seed decides a claim about peaks by the documents that every evaluation samples", () => {
  const rewarmed = armOfSample("x/rewarmed", [
    lossesAt(2),
    lossesAt(2.1, 0.01),
    lossesAt(2.05, 0.01),
    lossesAt(1.8),
  ]);
  const verdict = judge(PEAK, [rewarmed, constant]);
  assert.equal(verdict.verdict, "reproduced", verdict.reason);
  assert.match(verdict.reason, /over 20 documents/);
  const falling = armOfSample("x/rewarmed", [2, 1.96, 1.92, 1.8].map((level) => lossesAt(level, 0.001)));
  assert.equal(judge(PEAK, [falling, constant]).verdict, "contradicted");
});

Deno.test("a peak that rests on one sampled document is not decided", () => {
  const peak = lossesAt(1.99).map((loss, i) => i === 3 ? loss * 4 : loss);
  const rewarmed = armOfSample("x/rewarmed", [lossesAt(2), peak, lossesAt(1.95), lossesAt(1.8)]);
  const verdict = judge(PEAK, [rewarmed, constant]);
  assert.equal(verdict.verdict, "inconclusive");
  assert.match(verdict.reason, /over 20 documents/);
});

Deno.test("the number that is judged by sampled documents is the curve's own, with the jackknife's error", () => {
  const rewarmed = armOfSample("x/rewarmed", [2, 2.1, 2.05, 1.8].map((level, i) => lossesAt(level, 0.005 * i)));
  const [start, peak] = [constant, rewarmed].map(({ curves }) =>
    Math.max(...curves.points.map(({ downstream }) => downstream))
  );
  if (start === undefined || peak === undefined) throw new Error("There are two arms");
  const share = (peak - start) / start;
  const { numbers, evidence } = judge(PEAK, [rewarmed, constant]);
  assert.equal(numbers[0]?.value, share.toFixed(6));
  assert.ok(evidence.some(({ value }) => value === peak.toFixed(6)));
  // by hand: the share without each document, whose standard error is the jackknife's
  const meansWithout = ({ curves }: ArmCurves, left: number) =>
    curves.points.map(({ sampledDocuments }) => {
      const kept = (values: readonly number[]) => values.reduce((sum, value, i) => i === left ? sum : sum + value, 0);
      return kept(sampledDocuments?.downstream ?? []) /
        kept((sampledSet(0).sampledDocuments ?? []).map(({ tokens }) => tokens));
    });
  const shares = Array.from({ length: COUNT }, (_, left) => {
    const floor = Math.max(...meansWithout(constant, left), meansWithout(rewarmed, left)[0] ?? NaN);
    return (Math.max(...meansWithout(rewarmed, left)) - floor) / floor;
  });
  const centre = shares.reduce((sum, value) => sum + value, 0) / COUNT;
  const error = Math.sqrt((COUNT - 1) / COUNT * shares.reduce((sum, value) => sum + (value - centre) ** 2, 0));
  const low = Number(numbers.find(({ name }) => name.endsWith("low"))?.value);
  assert.ok(Math.abs((share - low) / error - 2.093) < 2e-3, `${(share - low) / error}`); // Student's, 19 degrees
});

Deno.test("one seed decides a claim about lines by the sampled documents of both corpora", () => {
  const rule: Rule = {
    kind: "more-linear",
    pairs: [{ run: "x/line", reference: "x/zigzag" }],
    until: 50e9,
    margin: "difference",
  };
  const steps = [0, 20, 60, 120, 180, 247];
  const levels = [1, 1.02, 1.04, 1.06, 1.08, 1.1];
  const upstream = levels.map((level) => lossesAt(level));
  const line = armOfSample("x/line", levels.map((level) => lossesAt(level, 0.002)), { steps, upstream });
  const zigzag = [1, 1.1, 1.02, 1.12, 1.01, 1.1].map((level) => lossesAt(level, 0.002));
  const verdict = judge(rule, [line, armOfSample("x/zigzag", zigzag, { steps, upstream })]);
  assert.equal(verdict.verdict, "reproduced", verdict.reason);
  assert.match(verdict.reason, /over 40 documents/);
});

Deno.test("all documents are read where every point has them, else the sample, and the two are never mixed", () => {
  const losses = [2, 1.9, 1.85, 1.8].map((level) => lossesAt(level));
  const both = (name: string, factor: number) => {
    const sample = armOfSample(name, losses.map((ofDocuments) => ofDocuments.map((loss) => loss * factor)));
    const whole = armOfDocuments(name, STEPS, STEPS.map((_, i) => [3, 4, 5].map((loss) => loss - i + factor)));
    const { validation } = whole.curves;
    return {
      ...sample,
      curves: {
        ...sample.curves,
        validation: {
          upstream: { ...sampledSet(0), documents: validation?.upstream.documents ?? [] },
          downstream: { ...sampledSet(0), documents: validation?.downstream.documents ?? [] },
        },
        points: sample.curves.points.map((point, i) => {
          const documents = whole.curves.points[i]?.documents;
          return (point.step === 0 || point.step === 247) && documents !== undefined ? { ...point, documents } : point;
        }),
      },
    };
  };
  const a = both("x/a", 0.9), b = both("x/b", 1);
  assert.match(judge(A_BELOW_B, [a, b]).reason, /over 3 documents/);
  const peak: Rule = { ...PEAK, runs: ["x/a"], reference: "x/b" };
  assert.match(judge(peak, [a, b]).reason, /over 20 documents/);
});

Deno.test("sampled documents of another text, of one arm alone, or of one document give no error", () => {
  const rise = [2, 2.1, 2.05, 1.8].map((level) => lossesAt(level));
  const rewarmed = armOfSample("x/rewarmed", rise);
  const other = armOfSample("x/rewarmed", rise, { first: 100 });
  assert.match(judge(PEAK, [other, constant]).reason, /no error is known/);
  const bare = { ...constant, curves: { ...constant.curves, points: constant.curves.points.map(without) } };
  assert.match(judge(PEAK, [rewarmed, bare]).reason, /no error is known/);
  const single = (of: ArmCurves): ArmCurves => {
    const set: ValidationSet = {
      domains: [{ name: "a", weight: 1 }],
      sampledDocuments: [{ domain: 0, document: 0, tokens: 32 }],
    };
    const points = of.curves.points.map((point) => ({
      ...point,
      domains: { upstream: [point.upstream], downstream: [point.downstream] },
      sampledDocuments: { upstream: [32 * point.upstream], downstream: [32 * point.downstream] },
    }));
    return { ...of, curves: { ...of.curves, validation: { upstream: set, downstream: set }, points } };
  };
  assert.match(judge(PEAK, [single(rewarmed), single(constant)]).reason, /no error is known/);
});

function without({ sampledDocuments: _, ...point }: ArmCurves["curves"]["points"][number]) {
  return point;
}
