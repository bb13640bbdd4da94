/** Arms whose corpus is a mix, in plans of scales that have it and of scales that have not. */
import { deepEqual, equal, notEqual, ok, rejects } from "node:assert/strict";
import { sha256 } from "../../../src/digest/sha256.ts";
import { mixesOf } from "../../../src/experiment/arm/mixes.ts";
import { buildPlan, findRun, type Plan } from "../../../src/experiment/plan/plan.ts";
import { planFromJson, planToJson } from "../../../src/experiment/plan/plan_json.ts";
import { formatPlan } from "../../../src/experiment/plan/plan_text.ts";
import { withFolder } from "../../temporary_folder.ts";
import { userError } from "../../data/user_error.ts";
import { FIXED_OPTIONS, fixedPlan } from "../plan/plan_fixture.ts";
import { SHIFT } from "./shift_fixture.ts";

/** Plans with the arms of {@linkcode SHIFT} among the others. */
async function withShift(use: (ownExperiments: URL) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/shift.yaml`, SHIFT);
    await use(new URL(`file://${folder}/`));
  });
}

const specificationOf = (plan: Plan, arm: string) => findRun(plan, "shift", arm)?.specification;

Deno.test("a mix has its own run, in which it stands for downstream in training and validation", () =>
  withShift(async (ownExperiments) => {
    const strong = sha256("strong");
    const corpusDigests = { ...FIXED_OPTIONS.corpusDigests, mixes: { strong } };
    const plan = await fixedPlan("tiny", { ownExperiments, ownMixes: ["strong"], corpusDigests });
    const specification = specificationOf(plan, "strong");
    deepEqual(specification?.corpus, { name: "downstream", digest: strong, mix: "strong" });
    deepEqual(specification?.validation, { upstream: sha256("upstream"), downstream: strong });
    deepEqual(mixesOf(plan.runs), ["strong"]);
    deepEqual(plan.data, { state: "pinned", ...corpusDigests });
    const again = planFromJson(planToJson(plan), "plan.json");
    equal(again.planDigest, plan.planDigest);
    ok(formatPlan(plan).includes("  mixes   strong "));
    const without = await fixedPlan("tiny", { only: ["max-learning-rate"] });
    const key = (found: Plan) => findRun(found, "max-learning-rate", "1x")?.key;
    equal(key(plan), key(without), "no other run's key changes");
    equal(without.data.mixes, undefined);
  }));

Deno.test("the mix that downstream is gives the run of downstream, and the others runs of their own", () =>
  withShift(async (ownExperiments) => {
    const plan = await buildPlan({
      seeds: 1,
      engine: FIXED_OPTIONS.engine,
      scale: "tiny",
      ownExperiments,
      only: ["shift"],
    });
    deepEqual(specificationOf(plan, "overlap-0")?.corpus.mix, undefined);
    notEqual(findRun(plan, "shift", "overlap-0")?.key, findRun(plan, "shift", "overlap-50")?.key);
    equal(findRun(plan, "shift", "overlap-0")?.key, findRun(plan, "shift", "downstream")?.key);
    deepEqual(mixesOf(plan.runs), ["overlap-50", "strong"]);
    deepEqual(plan.data.mixes, { "overlap-50": "npm:overlap-50", strong: "npm:strong" });
  }));

Deno.test("arms on mixes that a scale does not have are left out, and refused where they are asked for by name", () =>
  withShift(async (ownExperiments) => {
    const plan = await fixedPlan("smoke", { ownExperiments });
    deepEqual(plan.experiments.find(({ name }) => name === "shift")?.arms, ["downstream"]);
    await rejects(
      fixedPlan("smoke", { ownExperiments, only: ["shift/strong"] }),
      userError("NO_SUCH_MIX", '"shift/strong"', "--mix strong=PATH"),
    );
    const paper = await buildPlan({ seeds: 1, engine: FIXED_OPTIONS.engine, scale: "paper", ownExperiments });
    deepEqual(paper.data.mixes, { strong: "files:strong" });
    await rejects(
      buildPlan({ ...FIXED_OPTIONS, scale: "tiny", ownExperiments, ownMixes: ["overlap-0"] }),
      userError("MIX_NAME_TAKEN", "overlap-0"),
    );
  }));
