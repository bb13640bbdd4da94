/** The judge of the paper's claims: the same when a manifest is made and when it is verified. Web-standard APIs only. */
import { sha256, shortDigest } from "../digest/sha256.ts";
import type { Plan } from "../experiment/plan/plan.ts";
import { parameterCount } from "../model/config.ts";
import type { ArmCurves, JudgeContext } from "./arm_curves.ts";
import { judgeClaims } from "./claims.ts";
import { compareNumbers } from "./compare_numbers.ts";
import { makeEstimates } from "./estimates/estimate.ts";
import { requireJudgeable } from "./judging_budget.ts";
import { type Paper, parsePaper } from "./paper_schema.ts";
import type { Judge, Judgement } from "../manifest/verify/verify_claims.ts";

/** The scale at which a plan's claims are judged. The paper's own is known by its counts, not by its name. */
export function judgeContext(paper: Paper, { scale }: Plan): JudgeContext {
  const { config } = scale.model;
  const { steps, batchSequences } = scale.continuing;
  const tokensPerStep = batchSequences * config.sequenceLength;
  return {
    scale: scale.name,
    isPaperScale: parameterCount(config) === paper.paper.parameters &&
      steps * tokensPerStep === paper.paper.downstreamTokens,
    totalDownstreamSteps: steps,
    tokensPerStep,
    vocabularySize: config.vocabularySize,
    pretrainingTokens: scale.pretraining.steps * scale.pretraining.batchSequences * config.sequenceLength,
  };
}

/**
 * Verdicts, estimates and comparisons for a manifest's predicate.
 *
 * @throws {UserError} `RULES_TOO_LARGE`
 */
export function judgeResults(paper: Paper, plan: Plan, arms: readonly ArmCurves[]): Judgement {
  requireJudgeable(paper, arms);
  const context = judgeContext(paper, plan);
  const estimates = makeEstimates(paper, arms, context);
  return {
    ...(paper.rulesVersion === 1 ? {} : { rulesVersion: paper.rulesVersion }),
    claims: judgeClaims(paper, arms, context),
    ...(estimates.length === 0 ? {} : { estimates }),
    comparisons: compareNumbers(paper, { ...context, runs: plan.runs }, arms),
  };
}

/**
 * A judge for verification: by the rules at hand if they are those that were signed, else by the copy beside the
 * manifest, and then says so.
 *
 * @param texts of the rules at hand: one of each set of experiments
 */
export function paperJudge(texts: string | readonly string[], fileName: string): Judge {
  const known = new Map([texts].flat().map((text) => [sha256(text), text]));
  const digests = [...known.keys()].map(shortDigest).join(", ");
  return ({ predicate: { paper, tool }, plan, arms, rules }) => {
    const text = known.get(paper.sha256);
    if (text !== undefined) return judgeResults(parsePaper(text, fileName), plan, arms);
    const differ = `the rules here (${fileName}, ${digests}) are not those that were signed (${
      shortDigest(paper.sha256)
    })`;
    if (rules === undefined) {
      return `${differ}; verify with the version of rewarm that made the manifest, ${tool.version}`;
    }
    const caveat = `What the paper claims: ${differ}, so that the claims were judged by the copy beside the manifest.`;
    return { ...judgeResults(parsePaper(rules, paper.name), plan, arms), caveat };
  };
}
