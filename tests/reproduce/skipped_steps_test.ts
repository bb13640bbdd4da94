import assert from "node:assert/strict";
import { UserError } from "../../src/errors.ts";
import { paperJudge } from "../../src/results/paper_judge.ts";
import { verifyManifestFile } from "../../src/manifest/verify/verify_file.ts";
import { isTrained } from "../../src/manifest/format/run.ts";
import { retrain } from "../../src/retrain/retrain.ts";
import { loadPaper, PAPER_FILE } from "../../src/reproduce/paper_file.ts";
import { learningRateTable } from "../../src/schedule/learning_rate.ts";
import { readJournalFile } from "../../src/train/journal/journal.ts";
import { fromBits } from "../../src/train/journal/journal_record.ts";
import { RunFolder } from "../../src/train/folder/run_folder.ts";
import { Interrupted } from "../../src/train/run_environment.ts";
import { withFolder } from "../temporary_folder.ts";
import { skippingEngine } from "../train/skipping_engine.ts";
import { DATA_CACHE, digestOf, reproduceSmoke } from "./smoke.ts";
import { FIXTURE_CATALOGUE } from "../experiment/plan/plan_fixture.ts";

const ONLY = ["max-learning-rate/1x", "max-learning-rate/2x"];
const judge = paperJudge((await loadPaper(FIXTURE_CATALOGUE)).text, PAPER_FILE);

Deno.test("reproduce() spends a skipped step's batch and not its learning rate, and its manifest verifies and retrains", () =>
  withFolder(async (folder) => {
    const { manifestPath, plan } = await reproduceSmoke(folder, 1, { engine: await skippingEngine(), only: ONLY });
    for (const run of plan.runs) {
      const rates = learningRateTable(run.specification.schedule);
      let updates = 0;
      const skips: number[] = [];
      const reading = await readJournalFile(new RunFolder(folder, run.label).journal, run.key, undefined, (record) => {
        if (record.kind === "skip") skips.push(record.step);
        if (record.kind === "step") assert.equal(fromBits(record.lr), rates[updates++]);
      });
      assert.deepEqual(skips, [0, 5, 6, 40].filter((step) => step < run.steps));
      assert.equal(reading.skipped, skips.length);
      assert.equal(reading.steps, run.steps);
    }
    const { verdict, steps, statement } = await verifyManifestFile(manifestPath, { judge });
    assert.equal(verdict, "verified", JSON.stringify(steps));
    for (const run of statement?.predicate.runs.filter(isTrained) ?? []) {
      assert.deepEqual(run.conditions, [{ fromStep: 0, conditions: { gpu: "one" } }]);
    }
    const again = await retrain(manifestPath, {
      judge,
      pieces: { kind: "all" },
      engine: () => skippingEngine(),
      dataCache: DATA_CACHE,
    });
    assert.equal(again.report.verdict, "verified", JSON.stringify(again.report.steps.at(-1)));
    const elsewhere = await retrain(manifestPath, {
      judge,
      pieces: { kind: "random", count: 1 },
      engine: () => skippingEngine({ gpu: "two" }),
      dataCache: DATA_CACHE,
    });
    assert.equal(elsewhere.report.exitCode, 2);
    assert.match(elsewhere.report.steps.at(-1)?.detail ?? "", /other conditions: gpu: "one" then, "two" now/);
  }));

/** Stops after some steps of the second run. */
async function interrupted(folder: string): Promise<void> {
  const controller = new AbortController();
  let steps = 0;
  await assert.rejects(
    reproduceSmoke(folder, 1, {
      engine: await skippingEngine(),
      only: ONLY,
      signal: controller.signal,
      events: { onProgress: ({ run }) => void (run.label.includes("_1") && ++steps === 9 && controller.abort()) },
    }),
    (error) => error instanceof Interrupted,
  );
}

Deno.test("reproduce() goes on with the engine's own state and the schedule's place after an interruption", () =>
  withFolder(async (folder) => {
    const whole = await reproduceSmoke(`${folder}/whole`, 1, { engine: await skippingEngine(), only: ONLY });
    await interrupted(`${folder}/parts`);
    const parts = await reproduceSmoke(`${folder}/parts`, 1, { engine: await skippingEngine(), only: ONLY });
    assert.equal(digestOf(parts), digestOf(whole));
  }));

Deno.test("reproduce() goes on under other conditions by the user's word only, and the manifest says so", () =>
  withFolder(async (folder) => {
    await interrupted(folder);
    const elsewhere = { engine: await skippingEngine({ gpu: "two" }), only: ONLY };
    await assert.rejects(
      reproduceSmoke(folder, 1, elsewhere),
      (error) =>
        error instanceof UserError && error.code === "CONDITIONS_CHANGED" &&
        /gpu: "one" then, "two" now.*--accept-other-device/.test(error.message),
    );
    const { manifestPath } = await reproduceSmoke(folder, 1, { ...elsewhere, acceptOtherConditions: true });
    const { verdict, steps, statement } = await verifyManifestFile(manifestPath, { judge });
    assert.equal(verdict, "verified", JSON.stringify(steps));
    const changed = statement?.predicate.runs.filter(isTrained).filter(({ conditions }) => conditions?.length === 2);
    assert.equal(changed?.length, 1);
    assert(statement?.predicate.limits.some((limit) => limit.includes("its bits cannot be repeated")));
    const again = await retrain(manifestPath, {
      judge,
      pieces: { kind: "named", names: [`${changed[0]?.label}:0..16`] },
      engine: () => skippingEngine({ gpu: "two" }),
      dataCache: DATA_CACHE,
    });
    assert.match(again.report.steps.at(-1)?.detail ?? "", /was resumed under other conditions at step \d+/);
  }));
