import assert from "node:assert/strict";
import { sha256 } from "../../../src/digest/sha256.ts";
import { createExactEngine } from "../../../src/engine/exact/engine.ts";
import { paperJudge } from "../../../src/results/paper_judge.ts";
import { retrain } from "../../../src/retrain/retrain.ts";
import { loadPaper, PAPER_FILE } from "../../../src/reproduce/paper_file.ts";
import { digestOf, GOLDEN, kernelCache, reproduceSmoke } from "../../reproduce/smoke.ts";
import { withFolder } from "../../temporary_folder.ts";
import { hasCompiler, withCudaEngine } from "./ordered_fixture.ts";
import { FIXTURE_CATALOGUE } from "../../experiment/plan/plan_fixture.ts";

Deno.test({
  name:
    "reproduce() finds the golden digest when cuda-ordered trains smoke, and the exact engine retrains its manifest",
  ignore: !hasCompiler,
  fn: () =>
    withFolder(async (folder) => {
      const { manifestPath, ...reproduction } = await withCudaEngine((engine) =>
        reproduceSmoke(`${folder}/out`, 1, { engine })
      );
      assert.equal(digestOf(reproduction), GOLDEN.digest);
      const { report } = await retrain(manifestPath, {
        judge: paperJudge((await loadPaper(FIXTURE_CATALOGUE)).text, PAPER_FILE),
        pieces: { kind: "random", count: 5 },
        engine: () => createExactEngine({ threads: 2, sha256, cache: kernelCache }),
        dataCache: ".cache/data",
      });
      const step = report.steps.find(({ name }) => name === "retrain");
      assert.equal(step?.status, "ok", step?.detail);
    }),
});
