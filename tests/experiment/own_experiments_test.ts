/** A seventh experiment is one YAML file: in a folder of the user's, or among rewarm's own. */
import assert from "node:assert/strict";
import { UserError } from "../../src/errors.ts";
import { EXPERIMENTS_FOLDER, loadExperiments } from "../../src/experiment/catalogue.ts";
import { loadPaper } from "../../src/reproduce/paper_file.ts";
import { digestsOf, readInputs } from "../../src/reproduce/inputs.ts";
import { replan } from "../../src/reproduce/replan.ts";
import { fixedPlan, FIXTURE_CATALOGUE } from "./plan/plan_fixture.ts";

const HALF_WARMUP = `
name: own-half-warmup
source: a question of our own
title: A warm-up of half the tokens
question: Does a very long warm-up forget less?
arms:
  "50%":
    label: "50 %"
    phase: continuing
    corpus: downstream
    start: { kind: pretrained, step: 143000 }
    schedule: paper
    maxLearningRate: 1
    warmupPercent: 50
    tokens: 50e9
figures:
  - id: figure-half
    title: Upstream loss with a very long warm-up
    plots: { kind: loss, metric: upstream }
    with: [warmup-length]
claims:
  - id: own-half-warmup-forgets-less
    title: A very long warm-up forgets less
    statement: With a warm-up of half the tokens, the upstream loss after 50B tokens is lower than with 1 %.
    section: "-"
    figure: ""
    confidence: "?"
    comparable: every-scale
    rule:
      kind: below
      runs: [own-half-warmup/50%]
      reference: warmup-length/1%
      metric: upstream
      at: 50e9
      margin: difference
`;

async function withFolder(files: Readonly<Record<string, string>>, use: (folder: URL) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempDir();
  try {
    for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(`${path}/${name}`, text);
    await use(new URL(`file://${path}/`));
  } finally {
    await Deno.remove(path, { recursive: true });
  }
}

async function userError(promise: Promise<unknown>): Promise<UserError> {
  const error = await promise.then(() => undefined, (error: unknown) => error);
  assert.ok(error instanceof UserError, String(error));
  return error;
}

Deno.test("an experiment of the user's is planned, digested, judged and drawn like rewarm's own", async () => {
  await withFolder({ "own-half-warmup.yaml": HALF_WARMUP }, async (ownExperiments) => {
    const plan = await fixedPlan("smoke", { ownExperiments });
    assert.ok(plan.runs.some(({ label }) => label === "own-half-warmup_50%_seed-0"));
    assert.equal(plan.experiments.at(-1)?.section, "a question of our own");

    const inputs = digestsOf(await readInputs("smoke", { ownExperiments }));
    assert.ok(inputs.some(({ name }) => name === "own-experiments/own-half-warmup.yaml"));

    const { content } = await loadPaper({ ownExperiments });
    assert.equal(content.claims.at(-1)?.id, "own-half-warmup-forgets-less");
    assert.equal(content.experiments.at(-1)?.figures[0]?.id, "figure-half");
  });
});

Deno.test("replan() knows an experiment of the user's by its bytes", async () => {
  await withFolder({ "own-half-warmup.yaml": HALF_WARMUP }, async (ownExperiments) => {
    const folders = { ...FIXTURE_CATALOGUE, ownExperiments };
    const plan = await fixedPlan("smoke", folders);
    const inputs = digestsOf(await readInputs("smoke", folders));
    assert.deepEqual(await replan(plan, inputs, folders), { isSame: true, planDigest: plan.planDigest });
    // Without the folder, or with another text in it, nobody can say what the arm was to train.
    assert.deepEqual(await replan(plan, inputs, FIXTURE_CATALOGUE), { isSame: false, planDigest: undefined });
    await Deno.writeTextFile(new URL("own-half-warmup.yaml", ownExperiments), HALF_WARMUP.replace("50\n", "40\n"));
    const changed = await replan(plan, inputs, folders);
    assert.equal(changed.isSame, false);
    assert.notEqual(changed.planDigest, plan.planDigest);
  });
});

Deno.test("a file that lies among rewarm's experiments is an input of the manifest", async () => {
  const experiments = await loadExperiments();
  const names = (digestsOf(await readInputs("smoke"))).map(({ name }) => name);
  assert.deepEqual(
    names.filter((name) => name.startsWith("experiments/")),
    [...experiments.map(({ name }) => `experiments/${name}.yaml`), "experiments/scales/smoke.yaml"],
  );
});

Deno.test("an experiment's file is refused with its name when it takes a name twice or claims what it cannot", async () => {
  const upstream = await Deno.readTextFile(new URL("upstream.yaml", EXPERIMENTS_FOLDER));
  await withFolder({ "upstream.yaml": upstream }, async (ownExperiments) => {
    const { code, message } = await userError(loadExperiments({ ownExperiments }));
    assert.equal(code, "DUPLICATE_EXPERIMENT");
    assert.match(message, /"experiments\/upstream\.yaml" and "own-experiments\/upstream\.yaml" are both/);
  });
  const bad = (from: string, to: string, expected: RegExp) =>
    withFolder({ "own-half-warmup.yaml": HALF_WARMUP.replace(from, to) }, async (ownExperiments) => {
      assert.match((await userError(loadPaper({ ownExperiments }))).message, expected);
    });
  await bad("margin: difference", "margin: diffrence", /claims\[0\]\.rule\.margin is "diffrence"/);
  await bad("kind: below", "kind: belo", /"own-experiments\/own-half-warmup\.yaml": claims\[0\]\.rule\.kind is "belo"/);
  await bad("source: a question of our own\n", "", /"own-experiments\/own-half-warmup\.yaml": section is missing/);
  await bad("id: own-half-warmup-forgets-less", "id: rewarming-raises-upstream", /id .*not used above/);
});
