/**
 * Fuzzing of checkpoints as retraining reads them, their digests in the manifest made to fit: it finds that such a
 * checkpoint does not hold the recorded state, or trains on from the very state. Seeds are fixed.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { sha256 } from "../../src/digest/sha256.ts";
import type { TrainedRun } from "../../src/manifest/format/run.ts";
import { RetrainingMismatch } from "../../src/retrain/difference.ts";
import { segmentsOf } from "../../src/retrain/segment.ts";
import { Trainer } from "../../src/retrain/trainer.ts";
import { checkpointName } from "../../src/train/checkpoint/checkpoint.ts";
import { RunFolder } from "../../src/train/folder/run_folder.ts";
import { trainPlan } from "../../src/train/train_plan.ts";
import { applyByteEdits, byteEdits } from "../fuzz/byte_edits.ts";
import { applyJsonEdit, jsonEdit, placesOf } from "../fuzz/json_edits.ts";
import { memoryArtefacts } from "../manifest/fixture.ts";
import { safetensorsFile } from "../formats/safetensors/safetensors_file.ts";
import { withFolder } from "../temporary_folder.ts";
import { fakeEngine, fakePlan } from "../train/fake_training.ts";

const engine = fakeEngine();
const { plan, corpora } = await fakePlan(engine, ["upstream"]);
const artefacts = new Map<string, Uint8Array>();
let honest: TrainedRun | undefined;
await withFolder(async (output) => {
  const [result] = await trainPlan({ runs: plan.runs, engine, corpora, output });
  assert(result?.kind === "trained");
  const { run, record } = result;
  const folder = new RunFolder(output, run.label);
  const add = async (path: string) => {
    const bytes = await Deno.readFile(path);
    const name = path.slice(output.length + 1);
    artefacts.set(name, bytes);
    return { name, sha256: sha256(bytes) };
  };
  const states = [];
  for (const recorded of record.states) {
    const path = `${folder.checkpoints}/${checkpointName(recorded.step)}`;
    const isThere = await Deno.stat(path).then(() => true, () => false);
    states.push({ ...recorded, ...(isThere ? { checkpoint: await add(path) } : {}) });
  }
  honest = {
    ...run,
    outcome: "completed",
    journal: { ...await add(folder.journal), root: record.journalRoot, steps: record.steps },
    states,
    merkleTree: { treeSize: 1, rootHash: sha256("not looked at here") },
    curves: await add(folder.curves),
  };
});

const run = honest ?? assert.fail();
const last = run.states.findLast(({ checkpoint, step }) => checkpoint !== undefined && step > 0) ?? assert.fail();
const name = last.checkpoint?.name ?? assert.fail();
const whole = artefacts.get(name) ?? assert.fail();
const headerLength = Number(new DataView(whole.buffer).getBigUint64(0, true));
const header = JSON.parse(new TextDecoder().decode(whole.subarray(8, 8 + headerLength)));
const data = whole.slice(8 + headerLength);
/** Ends with the checkpoint, which is then loaded and compared. */
const segment = segmentsOf([run]).find(({ to }) => to === last.step) ?? assert.fail();

/** Retrains the segment with another file for its checkpoint; what differs, or nothing. */
async function retrainWith(bytes: Uint8Array): Promise<string | undefined> {
  const states = run.states.map((state) =>
    state.step === last.step ? { ...state, checkpoint: { name, sha256: sha256(bytes) } } : state
  );
  const forged = { ...run, states };
  const trainer = new Trainer({
    runs: [forged],
    artefacts: memoryArtefacts(new Map([...artefacts, [name, bytes]])),
    engine,
    corpora,
  });
  try {
    await trainer.retrain({ ...segment, run: forged });
    return undefined;
  } catch (error) {
    assert(error instanceof RetrainingMismatch, String(error));
    assert.deepEqual([error.difference.run, error.difference.step], [run.label, last.step]);
    return error.difference.field;
  } finally {
    trainer.close();
  }
}

const FILES = 100;
Deno.test(`Trainer.retrain() finds what is wrong with a checkpoint that the manifest was made to fit (${FILES} checkpoints)`, async () => {
  assert.equal(await retrainWith(whole), undefined);
  const places = placesOf(header);
  let found = 0;
  await fc.assert(
    fc.asyncProperty(fc.option(byteEdits), jsonEdit, async (bytes, json) => {
      const file = bytes === null
        ? safetensorsFile(applyJsonEdit(header, places, json).text, data)
        : applyByteEdits(whole, bytes);
      const field = await retrainWith(file);
      if (field !== undefined) found++;
      assert(field === undefined || field === "checkpoint", field);
    }),
    { numRuns: FILES, seed: 1 },
  );
  assert(found > FILES / 2, `${found}`);
});
