/** The paper's experiments, those beyond it, and all: which arms a plan has, and what a verifier makes of them. */
import assert from "node:assert/strict";
import { EXPERIMENT_SETS, loadExperiments, readExperimentFiles } from "../../src/experiment/catalogue.ts";
import { buildPlan, type PlanOptions } from "../../src/experiment/plan/plan.ts";
import { digestsOf, readInputs } from "../../src/reproduce/inputs.ts";
import { loadPaper, loadRules } from "../../src/reproduce/paper_file.ts";
import { replan } from "../../src/reproduce/replan.ts";
import { FIXED_OPTIONS } from "./plan/plan_fixture.ts";

const smoke = (options: Partial<PlanOptions> = {}) => buildPlan({ ...FIXED_OPTIONS, scale: "smoke", ...options });

Deno.test("buildPlan() plans the paper's experiments unless another set is asked for", async () => {
  const [paper, beyond, all] = await Promise.all(EXPERIMENT_SETS.map((set) => smoke({ set })));
  assert.deepEqual(await smoke(), paper);
  const names = (plan: typeof paper) => plan?.experiments.map(({ name }) => name) ?? [];
  assert.deepEqual(names(all), [...names(paper), ...names(beyond)]);
  assert.ok(names(beyond).includes("replay") && !names(paper).includes("replay"));
  // The paper's runs are the same runs, under the same names, whatever is planned beside them.
  const labels = new Map(all?.runs.map(({ key, label }) => [key, label]));
  for (const { key, label } of [...paper?.runs ?? [], ...beyond?.runs ?? []]) assert.equal(labels.get(key), label);
});

Deno.test("buildPlan() finds an arm of any set by its name where the set is one that has it", async () => {
  const { experiments } = await smoke({ set: "beyond", only: ["replay/5%", "warmup-length/1%"] });
  assert.deepEqual(experiments.map(({ name, arms }) => [name, arms]), [["warmup-length", ["1%"]], ["replay", ["5%"]]]);
  await assert.rejects(smoke({ only: ["replay"] }), /Unknown experiment "replay"/);
});

Deno.test("replan() finds the plan of each set again from the names of its inputs", async () => {
  for (const set of EXPERIMENT_SETS) {
    const plan = await smoke({ set });
    const inputs = digestsOf(await readInputs("smoke", { set }));
    assert.deepEqual(await replan(plan, inputs), { isSame: true, planDigest: plan.planDigest }, set);
  }
});

Deno.test("loadRules() has the rules of every set", async () => {
  const texts = await loadRules();
  for (const set of EXPERIMENT_SETS) assert.ok(texts.includes((await loadPaper({ set })).text), set);
});

Deno.test("experiments beyond the paper name their source, and lie among the inputs under beyond/", async () => {
  const files = (await readExperimentFiles({ set: "all" })).filter(({ isBeyond }) => isBeyond);
  assert.ok(files.length > 0);
  for (const { name, experiment } of files) {
    assert.equal(name, `experiments/beyond/${experiment.name}.yaml`);
    assert.ok(experiment.source !== undefined, name);
  }
  assert.ok((await loadExperiments()).every(({ name }) => files.every(({ experiment }) => experiment.name !== name)));
});
