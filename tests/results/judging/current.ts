/** Rules of version 2 over small curves: arms with losses by document, and a paper of one or several claims. */
import type { ArmCurves, JudgeContext } from "../../../src/results/arm_curves.ts";
import type { Claim } from "../../../src/results/claim_schema.ts";
import { judgeClaims, type Verdict } from "../../../src/results/claims.ts";
import type { Paper } from "../../../src/results/paper_schema.ts";
import type { Rule } from "../../../src/results/rule_schema.ts";
import { claimOf, PAPER } from "../paper.ts";
import { arm, REHEARSAL } from "../rehearsal.ts";

/** An arm whose points have downstream losses by document, a hundred tokens each, in one domain. */
export function armOfDocuments(
  name: string,
  steps: readonly number[],
  documents: readonly (readonly number[])[],
  seedIndex = 0,
): ArmCurves {
  const plain = arm(name, steps, documents.map((losses) => [1, losses.reduce((a, b) => a + b) / losses.length]), {
    seedIndex,
  });
  const listed = (losses: readonly number[]) => losses.map((loss) => ({ tokens: 100, loss: 100 * loss }));
  const set = (count: number) => ({
    domains: [{ name: "text", weight: 1 }],
    documents: Array.from({ length: count }, () => ({ domain: 0, tokens: 100 })),
  });
  const count = documents[0]?.length ?? 0;
  return {
    ...plain,
    curves: {
      ...plain.curves,
      validation: { upstream: set(count), downstream: set(count) },
      points: plain.curves.points.map((point, index) => ({
        ...point,
        domains: { upstream: [point.upstream], downstream: [point.downstream] },
        documents: { upstream: listed(Array(count).fill(1)), downstream: listed(documents[index] ?? []) },
      })),
    },
  };
}

/** A paper of some claims, by rules of version 2. */
export function currentPaper(claims: readonly Claim[], more: Partial<Paper> = {}): Paper {
  return { ...PAPER, rulesVersion: 2, claims, ...more };
}

/** The verdict on one rule. */
export function judge(rule: Rule, arms: readonly ArmCurves[], context: JudgeContext = REHEARSAL): Verdict {
  const [verdict] = judgeClaims(currentPaper([claimOf(rule)]), arms, context);
  if (verdict === undefined) throw new Error("No verdict");
  return verdict;
}
