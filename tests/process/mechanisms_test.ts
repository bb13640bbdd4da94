/** Runs that are more than plain training: the same bits on any number of threads and when resumed, and verified. */
import assert from "node:assert/strict";
import { sha256 } from "../../src/digest/sha256.ts";
import { createExactEngine } from "../../src/engine/exact/engine.ts";
import { EXPERIMENTS_FOLDER } from "../../src/experiment/catalogue.ts";
import { formatVerification } from "../../src/manifest/verify/verification_report.ts";
import { paperJudge } from "../../src/results/paper_judge.ts";
import type { ReproduceOptions, Reproduction } from "../../src/reproduce/options.ts";
import { loadPaper, PAPER_FILE } from "../../src/reproduce/paper_file.ts";
import { replan } from "../../src/reproduce/replan.ts";
import { retrain } from "../../src/retrain/retrain.ts";
import { Interrupted } from "../../src/train/run_environment.ts";
import { FOLDERS, MECHANISMS } from "../reproduce/mechanisms.ts";
import { DATA_CACHE, digestOf, kernelCache, reproduceSmoke } from "../reproduce/smoke.ts";
import { withFolder } from "../temporary_folder.ts";

function reproduceMechanisms(
  output: string,
  threads: number,
  options: Partial<ReproduceOptions> = {},
): Promise<Reproduction> {
  return reproduceSmoke(output, threads, { folder: EXPERIMENTS_FOLDER, ...MECHANISMS, ...options });
}

/** Reproduces, and stops once within every run on the way. */
async function withStops(output: string, threads: number): Promise<Reproduction> {
  const stopped = new Set<string>();
  while (true) {
    const controller = new AbortController();
    try {
      const result = await reproduceMechanisms(output, threads, {
        signal: controller.signal,
        events: {
          onProgress: ({ run, step }) => {
            if (stopped.has(run.label) || step < 5 || step >= run.steps) return;
            stopped.add(run.label);
            controller.abort();
          },
        },
      });
      assert.ok(stopped.size > 1);
      return result;
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
    }
  }
}

Deno.test("every mechanism gives the same bits on any number of threads, resumed or not, and retrains", async () => {
  await withFolder(async (folder) => {
    const whole = await reproduceMechanisms(`${folder}/whole`, 1);
    // One of them has no steps, and is done as soon as it is evaluated.
    assert.deepEqual(
      new Set(whole.results.map((result) => result.kind === "trained" && result.origin)),
      new Set(["trained"]),
    );
    assert.equal(digestOf(await withStops(`${folder}/stopped`, 2)), digestOf(whole));
    assert.equal(digestOf(await reproduceMechanisms(`${folder}/threads`, 4)), digestOf(whole));

    const { text } = await loadPaper(FOLDERS);
    const { report, retrained, choice } = await retrain(whole.manifestPath, {
      judge: paperJudge(text, PAPER_FILE),
      replan: (plan, inputs) => replan(plan, inputs, FOLDERS),
      pieces: { kind: "all" },
      engine: () => createExactEngine({ threads: 2, sha256, cache: kernelCache }),
      dataCache: DATA_CACHE,
    });
    assert.equal(report.verdict, "verified", formatVerification(report));
    assert.equal(retrained.length, choice?.total);
    // Without the mechanism these would be other runs with other curves.
    const ends = whole.results.map((result) => result.kind === "trained" ? result.record.states.at(-1)?.state : "");
    assert.equal(new Set(ends).size, ends.length);
  });
});
