/** What a scale costs, as the comment at the top of its file states it. */
import { sha256 } from "../src/digest/sha256.ts";
import { tokensPerStep } from "../src/experiment/plan/cost.ts";
import { buildPlan, findRun, type Plan } from "../src/experiment/plan/plan.ts";
import { compactNumber, groupedNumber } from "../src/text/numbers.ts";
import { PAPER_CHECKPOINT_STEPS } from "../src/experiment/scale/paper_units.ts";
import type { Experiment } from "../src/experiment/schema.ts";
import { parameterCount } from "../src/model/config.ts";

/** Lines of the comment. */
const LINES = 4;

/** Costs are those of the paper's own experiments. */
export const PAPER_SECTIONS = ({ section }: Experiment): boolean => section !== undefined;

/** The comment for a plan at one seed. */
export function costHeader(plan: Plan): string {
  const { scale, totals } = plan;
  const pretraining = findRun(plan, "upstream", "pretrain");
  const continuing = findRun(plan, "max-learning-rate", "1x");
  if (continuing === undefined) throw new Error(`Scale "${scale.name}" plans no arm "max-learning-rate/1x"`);
  const phase = (steps: number, tokens: number) =>
    `${groupedNumber(steps)} steps of ${groupedNumber(tokens)} tokens = ${compactNumber(steps * tokens)} tokens`;
  return [
    `# parameters    ${groupedNumber(parameterCount(scale.model.config))}`,
    `# pre-training  ${
      pretraining !== undefined
        ? phase(scale.pretraining.steps, tokensPerStep(pretraining))
        : `${scale.start?.kind === "huggingface" ? scale.start.model : ""} after ${
          PAPER_CHECKPOINT_STEPS.map(groupedNumber).join(", ")
        } steps, from the hub`
    }`,
    `# continuing    ${phase(scale.continuing.steps, tokensPerStep(continuing))}, the schedule's whole horizon`,
    `# everything    ${totals.runs} runs, ${groupedNumber(totals.steps)} steps, ${
      compactNumber(totals.tokens)
    } tokens, ${compactNumber(totals.flops)} FLOPs with evaluation, at one seed`,
  ].join("\n");
}

/**
 * The text of a scale's file under the comment that belongs to it.
 *
 * @param experiments names of those that are counted
 */
export async function scaleWithCosts(scale: string, text: string, experiments: readonly string[]): Promise<string> {
  const plan = await buildPlan({
    scale,
    only: await plannedAt(scale, experiments),
    seeds: 1,
    engine: { level: "machine_to_machine", arithmetic: "any" },
    corpusDigests: { upstream: sha256("upstream"), downstream: sha256("downstream") },
  });
  return [costHeader(plan), ...text.split("\n").slice(LINES)].join("\n");
}

/** A scale that continues models of others has no pre-training to choose. */
async function plannedAt(scale: string, experiments: readonly string[]): Promise<string[]> {
  const { experiments: planned } = await buildPlan({
    scale,
    seeds: 1,
    engine: { level: "machine_to_machine", arithmetic: "any" },
  });
  return planned.map(({ name }) => name).filter((name) => experiments.includes(name));
}
