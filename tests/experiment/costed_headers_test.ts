import assert from "node:assert/strict";
import { tokensPerStep } from "../../src/experiment/cost.ts";
import { EXPERIMENTS_FOLDER, listScales } from "../../src/experiment/catalogue.ts";
import { findRun, type Plan } from "../../src/experiment/plan.ts";
import { compactNumber, groupedNumber } from "../../src/experiment/plan_text.ts";
import { PAPER_CHECKPOINT_STEPS } from "../../src/experiment/paper_units.ts";
import { parameterCount } from "../../src/model/config.ts";
import { fixedPlan } from "./plan_fixture.ts";

/** What a scale costs, as the comment at the top of its file states it. */
function costHeader(plan: Plan): string {
  const { scale, totals } = plan;
  const pretraining = findRun(plan, "upstream", "pretrain");
  const continuing = findRun(plan, "max-learning-rate", "1x");
  assert.ok(continuing !== undefined);
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

for (const scale of await listScales()) {
  Deno.test(`scales/${scale}.yaml opens with its true cost`, async () => {
    const text = await Deno.readTextFile(new URL(`scales/${scale}.yaml`, EXPERIMENTS_FOLDER));
    assert.equal(text.split("\n").slice(0, 4).join("\n"), costHeader(await fixedPlan(scale)));
  });
}
