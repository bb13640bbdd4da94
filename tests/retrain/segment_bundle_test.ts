/** Bundles for volunteers, who retrain a segment and need no other checkpoints than that takes. */
import assert from "node:assert/strict";
import { bundle } from "../../src/bundle/bundle.ts";
import { chooseCheckpoints } from "../../src/bundle/checkpoint_choice.ts";
import { readTarIndex } from "../../src/formats/tar/tar_index.ts";
import { formatVerification } from "../../src/manifest/verify/verification_report.ts";
import { isTrained, type ManifestRun } from "../../src/manifest/format/run.ts";
import { verifyManifestFile } from "../../src/manifest/verify/verify_file.ts";
import { checkpointName } from "../../src/train/checkpoint/checkpoint_name.ts";
import { withFolder } from "../temporary_folder.ts";
import { honest, judge, PARENT, retrainFolder, RUN_1 } from "./forgery.ts";

/** Packs segments of the honest reproduction; names of the checkpoints in the bundle. */
async function packed(output: string, segments: readonly string[], checkpoints?: readonly string[]): Promise<string[]> {
  const { path } = await bundle(honest, { output, segments, checkpoints, judge });
  const names = (await readTarIndex(path)).keys().filter((name) => name.includes("/checkpoints/"));
  return [...names].map((name) => name.slice(name.indexOf("/runs/") + "/runs/".length));
}

const state = (label: string, step: number) => `${label}/checkpoints/${checkpointName(step)}`;

for (
  const { segments, checkpoints, taken } of [
    // From a stored state to the next.
    { segments: [`${PARENT}:16..32`], taken: [state(PARENT, 16), state(PARENT, 32)] },
    // From random weights: nothing is there before.
    { segments: [`${PARENT}:0..16`], taken: [state(PARENT, 16)] },
    // From another run's state.
    { segments: [`${RUN_1}:0..16`], taken: [state(PARENT, 64), state(RUN_1, 16)] },
    // Within a segment: from the state before it, and no state is compared at its end.
    { segments: [`${RUN_1}:20..30`], taken: [state(RUN_1, 16)] },
    { segments: [`${PARENT}:16..32`], checkpoints: [`${PARENT}:48`], taken: [16, 32, 48].map((s) => state(PARENT, s)) },
  ]
) {
  Deno.test(`bundle() takes for ${segments.join()} what retraining it reads, which then trains nothing else`, () =>
    withFolder(async (folder) => {
      const output = `${folder}/segment.tar`;
      assert.deepEqual(await packed(output, segments, checkpoints), taken.sort());
      const trained = new Set<string>();
      let steps = 0;
      const { report, retrained } = await retrainFolder(output, { kind: "named", names: segments }, {
        withoutCheckpoints: true,
        events: {
          onStep: ({ label }) => {
            trained.add(label);
            steps++;
          },
        },
      });
      assert.equal(report.verdict, "verified", formatVerification(report));
      const [segment] = retrained;
      assert.deepEqual([...trained], [segment?.run.label]);
      const before = segment?.from === 20 ? 4 : 0;
      assert.equal(steps, before + (segment?.to ?? 0) - (segment?.from ?? 0));
    }));
}

Deno.test("chooseCheckpoints() takes for a run with a penalty what it pulls towards, wherever the segment begins", async () => {
  const { statement } = await verifyManifestFile(honest, {});
  const runs = statement?.predicate.runs ?? [];
  const penalty = { kind: "l2-sp", strength: 0.01 } as const;
  const pulled = runs.map((run) =>
    run.label === RUN_1 && isTrained(run) ? { ...run, specification: { ...run.specification, penalty } } : run
  );
  const segments = [`${RUN_1}:16..32`];
  const takenFor = (runs: readonly ManifestRun[]) =>
    [...chooseCheckpoints({ checkpoints: ["none"], segments }, runs).taken].map((name) => name.slice("runs/".length));
  const own = [state(RUN_1, 16), state(RUN_1, 32)];
  assert.deepEqual(takenFor(runs), own);
  assert.deepEqual(takenFor(pulled), [state(PARENT, 64), ...own]);
});
