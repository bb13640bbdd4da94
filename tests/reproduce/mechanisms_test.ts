/** What a plan says of runs that are more than plain training; tests/process/mechanisms_test.ts trains them. */
import assert from "node:assert/strict";
import { UserError } from "../../src/errors.ts";
import { buildPlan } from "../../src/experiment/plan.ts";
import { formatPlan } from "../../src/experiment/plan_text.ts";
import { runKey } from "../../src/experiment/run_key.ts";
import { FIXED_OPTIONS } from "../experiment/plan_fixture.ts";
import { withFolder } from "../temporary_folder.ts";
import { FOLDERS, MECHANISMS } from "./mechanisms.ts";

const plan = await buildPlan({ ...FIXED_OPTIONS, ...MECHANISMS, scale: "smoke" });

Deno.test("a mechanism is in a run's key, and one that is absent leaves it as it was", () => {
  for (const { key, specification, label } of plan.runs) {
    const { replay, ...plain } = specification;
    if (replay !== undefined) assert.notEqual(runKey(plain), key, label);
    assert.equal(runKey(JSON.parse(JSON.stringify(specification))), key);
  }
});

Deno.test("formatPlan() says what sets a run apart", () => {
  const text = formatPlan(plan);
  assert.match(text, /mechanisms_replay_seed-0 +25 % replay\n/);
  assert.match(text, /mechanisms_replay-ramp_seed-0 +replay from 50 to 5 % over 6\.4 steps\n/);
});

Deno.test("a mechanism that an arm cannot have is refused with its place", async () => {
  const fixture = await Deno.readTextFile(new URL("mechanisms.yaml", FOLDERS.ownExperiments));
  const refused = async (from: string, to: string, expected: RegExp) => {
    await withFolder(async (folder) => {
      assert.ok(fixture.includes(from), from);
      await Deno.writeTextFile(`${folder}/mechanisms.yaml`, fixture.replace(from, to));
      const ownExperiments = new URL(`file://${folder}/`);
      const error = await buildPlan({ ...FIXED_OPTIONS, ...MECHANISMS, ownExperiments, scale: "smoke" })
        .then(() => undefined, (error: unknown) => error);
      assert.ok(error instanceof UserError, String(error));
      assert.match(error.message, expected);
    });
  };
  await refused("percent: 25", "percent: 0", /arms\.replay\.replay\.percent is 0/);
  await refused("percent: 25", "percent: 100", /arms\.replay\.replay\.percent is 100/);
  await refused("untilPercent: 10", "untilPercent: 0", /replay\.from\.untilPercent is 0/);
  await refused("corpus: downstream", "corpus: upstream", /arms\.replay\.replay .*no replay, as the corpus/);
});
