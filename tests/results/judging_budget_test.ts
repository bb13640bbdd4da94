import assert from "node:assert/strict";
import { judgeResults } from "../../src/results/paper_judge.ts";
import { judgeClaims } from "../../src/results/claims.ts";
import { contrastCount, requireJudgeable } from "../../src/results/judging_budget.ts";
import type { Rule } from "../../src/results/rule_schema.ts";
import { bootstrapInterval } from "../../src/results/statistics/bootstrap.ts";
import { fixedPlan } from "../experiment/plan/plan_fixture.ts";
import { PAPER, paperWith } from "./paper.ts";
import { arm, REHEARSAL } from "./rehearsal.ts";

const spread = (count: number): Rule => ({
  kind: "spread-within",
  runs: Array.from({ length: count }, (_, i) => `x/${i}`),
  metric: "upstream",
  at: "end",
  margin: "difference",
});

Deno.test("requireJudgeable() lets the paper's own rules pass, and counts the comparisons that rules really make", () => {
  requireJudgeable(PAPER, []);
  const curve = (name: string) => arm(name, [0, 1184], [[2, 2], [1, 1]]);
  for (const rule of [spread(2), spread(5)]) {
    const arms = Array.from({ length: 5 }, (_, i) => curve(`x/${i}`));
    const context = { ...REHEARSAL, tokensPerStep: 1 };
    const [verdict] = judgeClaims(paperWith(rule), arms, context);
    assert.equal(verdict?.numbers.length, contrastCount(rule));
  }
});

Deno.test("judgeResults() refuses rules that take hours over curves of kilobytes", async () => {
  const claims = Array.from({ length: 1994 }, (_, i) => ({ ...paperWith(spread(16)).claims[0]!, id: `claim-${i}` }));
  const plan = await fixedPlan("smoke");
  assert.throws(() => judgeResults({ ...PAPER, claims }, plan, []), {
    code: "RULES_TOO_LARGE",
    message: /make 239280 comparisons, and at most 400 are made/,
  });
  const points = Array.from({ length: 100_000 }, (_, step): readonly [number, number] => [step + 1, 2]);
  const long = arm("x/0", points.map(([step]) => step), points);
  const few = Array.from({ length: 399 }, (_, i) => ({
    ...paperWith({ kind: "peak-about", runs: ["x/0"], metric: "upstream", value: 2, margin: "difference" }).claims[0]!,
    id: `claim-${i}`,
  }));
  assert.throws(() => judgeResults({ ...PAPER, claims: few }, plan, [long]), {
    code: "RULES_TOO_LARGE",
    message: /read 39900000 points of curves that have 100000, and at most 8400000 are read/,
  });
});

Deno.test("bootstrapInterval() gives the same when it is asked again", () => {
  const values = Array.from({ length: 200 }, (_, i) => (i * 79 % 200) / 200);
  const first = bootstrapInterval(values);
  bootstrapInterval([1, 2, 3]);
  assert.deepEqual(bootstrapInterval(values), first);
  assert.ok(first.low < 0.4975 && first.high > 0.4975);
});
