/** The whole smoke plan on the TensorFlow engine: journals, checkpoints, claims, and a manifest that verifies. */
import assert from "node:assert/strict";
import { sha256 } from "../../../../src/digest/sha256.ts";
import { createExactEngine } from "../../../../src/engine/exact/engine.ts";
import { createTensorFlowEngine } from "../../../../src/engine/tensorflow/engine.ts";
import { generateSigningKey } from "../../../../src/manifest/keys/keys.ts";
import { paperJudge } from "../../../../src/results/paper_judge.ts";
import { verifyManifestFile } from "../../../../src/manifest/verify/verify_file.ts";
import { retrain } from "../../../../src/retrain/retrain.ts";
import { loadPaper, PAPER_FILE } from "../../../../src/reproduce/paper_file.ts";
import { reproduce } from "../../../../src/reproduce/reproduce.ts";
import { withFolder } from "../../../temporary_folder.ts";
import { sharedCache } from "../../fixture.ts";
import { FIXTURE_CATALOGUE } from "../../../experiment/plan/plan_fixture.ts";

const DATA_CACHE = ".cache/data";

Deno.test("reproduce() trains the smoke plan on TensorFlow.js, and verify() bears its manifest out", async (t) => {
  await withFolder(async (folder) => {
    const engine = await createTensorFlowEngine({ backend: "wasm" });
    const { results, manifestPath } = await reproduce({
      ...FIXTURE_CATALOGUE,
      scale: "smoke",
      engine,
      threads: 1,
      output: folder,
      dataCache: DATA_CACHE,
      signingKey: generateSigningKey,
    });
    assert.equal(results.length, 17);
    for (const result of results) assert(result.kind === "trained" && result.record.outcome.kind === "completed");

    await t.step("the manifest states the engine, that it promises no bits, and its libraries", async () => {
      const paper = await loadPaper(FIXTURE_CATALOGUE);
      const { statement, verdict } = await verifyManifestFile(manifestPath, {
        judge: paperJudge(paper.text, PAPER_FILE),
      });
      assert.equal(verdict, "verified");
      assert.equal(statement?.predicate.engine.name, "tensorflow");
      assert.equal(statement.predicate.engine.level, "not_guaranteed");
      assert.equal(statement.predicate.engine.description["backend"], "wasm");
      assert.equal(statement.predicate.environment.libraries["@tensorflow/tfjs"], "4.22.0");
    });

    await t.step("retraining says that it cannot check, and does not fail", async () => {
      const { report } = await retrain(manifestPath, {
        pieces: { kind: "random", count: 1 },
        engine: () => createExactEngine({ threads: 1, sha256, cache: sharedCache }),
        dataCache: DATA_CACHE,
      });
      assert.equal(report.verdict, "could not check");
    });
  });
});
