/** All experiments beyond the paper, from one command to a manifest that verifies, at the smallest scale. */
import assert from "node:assert/strict";
import { sha256 } from "../../src/digest/sha256.ts";
import { createExactEngine } from "../../src/engine/exact/engine.ts";
import { EXPERIMENTS_FOLDER, readExperimentFiles } from "../../src/experiment/catalogue.ts";
import { formatVerification } from "../../src/manifest/verify/verification_report.ts";
import { manifestRenderer } from "../../src/report/manifest_renderer.ts";
import { loadRules, PAPER_FILE } from "../../src/reproduce/paper_file.ts";
import { replan } from "../../src/reproduce/replan.ts";
import { paperJudge } from "../../src/results/paper_judge.ts";
import { retrain } from "../../src/retrain/retrain.ts";
import { DATA_CACHE, kernelCache, reproduceSmoke } from "../reproduce/smoke.ts";
import { withFolder } from "../temporary_folder.ts";

Deno.test("the set beyond the paper is trained at smoke, and its manifest verifies and retrains", async () => {
  await withFolder(async (folder) => {
    const result = await reproduceSmoke(`${folder}/out`, 2, { folder: EXPERIMENTS_FOLDER, set: "beyond" });
    const { plan, results, manifestPath } = result;
    assert.ok(results.every(({ kind }) => kind === "trained"));
    const beyond = (await readExperimentFiles({ set: "beyond" })).filter(({ isBeyond }) => isBeyond);
    const missing = beyond.map(({ experiment }) => experiment.name)
      .filter((name) => !plan.experiments.some((planned) => planned.name === name));
    assert.deepEqual(missing, ["shift"], "smoke has no mixes");

    const rules = await loadRules();
    const { report, retrained } = await retrain(manifestPath, {
      judge: paperJudge(rules, PAPER_FILE),
      renderer: manifestRenderer(rules),
      replan,
      pieces: { kind: "random", count: 8 },
      engine: () => createExactEngine({ threads: 2, sha256, cache: kernelCache }),
      dataCache: DATA_CACHE,
    });
    assert.equal(report.verdict, "verified", formatVerification(report));
    assert.equal(retrained.length, 8);
  });
});
