import assert from "node:assert/strict";
import { sha256 } from "../../src/digest/sha256.ts";
import { runKey } from "../../src/experiment/run/run_key.ts";
import { canonicalJson } from "../../src/digest/canonical_json.ts";
import { learningRateTable } from "../../src/schedule/learning_rate.ts";
import { formatVerification, OPTIONAL_STEPS } from "../../src/manifest/verify/verification_report.ts";
import { folderArtefacts } from "../../src/manifest/verify/folder_artefacts.ts";
import { readTree } from "../../src/manifest/format/run_tree.ts";
import { RetrainingMismatch } from "../../src/retrain/difference.ts";
import { segmentName, segmentsOf } from "../../src/retrain/segment.ts";
import { Trainer } from "../../src/retrain/trainer.ts";
import { readJournalFile } from "../../src/train/journal/journal.ts";
import type { Retraining } from "../../src/retrain/retrain.ts";
import type { RetrainingField } from "../../src/retrain/difference.ts";
import { checkpointName } from "../../src/train/checkpoint/checkpoint.ts";
import { journalFormat } from "../../src/train/journal/journal_header.ts";
import { fromBits64, type JournalRecord, toBits, toBits64 } from "../../src/train/journal/journal_record.ts";
import { RunFolder } from "../../src/train/folder/run_folder.ts";
import { trainPlan } from "../../src/train/train_plan.ts";
import {
  doubleBytesPerToken,
  honest,
  PARENT,
  plannedRun,
  readPlan,
  readRecords,
  resign,
  retrainFolder,
  rewriteCheckpoint,
  RUN_1,
  RUN_2,
  smokeCorpora,
  smokeEngine,
  withCopy,
  writeRecords,
} from "./forgery.ts";

function step(result: Retraining, name = "retrain") {
  return result.report.steps.find((step) => step.name === name);
}

/** Everything but retraining must be deceived, and retraining must find this. */
function expectCaught(result: Retraining, run: string, field: RetrainingField, detail: RegExp, at?: number): void {
  const text = formatVerification(result.report);
  const others = result.report.steps.filter(({ name, status }) => !OPTIONAL_STEPS.has(name) && status !== "ok");
  assert.deepEqual(others, [], text);
  assert.equal(result.report.exitCode, 1, text);
  assert.equal(result.difference?.run, run, text);
  assert.equal(result.difference.field, field, text);
  if (at !== undefined) assert.equal(result.difference.step, at, text);
  assert.match(step(result)?.detail ?? "", detail);
}

Deno.test("retrain() finds every step, evaluation and state of a reproduction the same", async () => {
  const result = await retrainFolder(honest);
  assert.equal(result.report.verdict, "verified", formatVerification(result.report));
  assert.equal(result.retrained.length, result.choice?.total);
  const plan = await readPlan(honest);
  assert.equal(result.retrained.reduce((sum, { from, to }) => sum + to - from, 0), plan.totals.steps);
  assert.match(step(result)?.detail ?? "", /segments retrained, \d+ steps and \d+ evaluations gave the same bits/);
  assert(!result.report.caveats.some((caveat) => /\btraining\b/.test(caveat)), result.report.caveats.join());
});

Deno.test("retrain() repeats the choice of a seed, and says what it is worth and leaves open", async () => {
  const seed = "0123456789abcdef0123456789abcdef";
  const first = await retrainFolder(honest, { kind: "random", count: 2, seed });
  const second = await retrainFolder(honest, { kind: "random", count: 2, seed });
  assert.equal(first.report.verdict, "verified");
  assert.deepEqual(first.retrained.map(segmentName), second.retrained.map(segmentName));
  assert.equal(first.retrained.length, 2);
  assert.match(step(first)?.detail ?? "", new RegExp(seed));
  assert.match(first.report.caveats.join(), /probability 1 − \(1 − p\)\^2 or more/);
});

Deno.test("retrain() trains from the runs' beginnings, through their parents, when no checkpoint is there", async () => {
  await withCopy(async (folder) => {
    for (const { label } of (await readPlan(folder)).runs) {
      await Deno.remove(new RunFolder(folder, label).checkpoints, { recursive: true }).catch(() => {});
    }
    const starts: number[] = [];
    const result = await retrainFolder(folder, { kind: "named", names: [`${RUN_1}:20..30`, `${RUN_1}:32..40`] }, {
      withoutCheckpoints: true,
      events: { onSegment: (_, { startedAt }) => starts.push(startedAt) },
    });
    assert.equal(result.report.verdict, "verified", formatVerification(result.report));
    assert.deepEqual(starts, [0, 30]);
  });
});

Deno.test("retrain() starts from the newest checkpoint before a piece", async () => {
  const starts: number[] = [];
  const result = await retrainFolder(honest, { kind: "named", names: [`${RUN_1}:20..30`, `${PARENT}:48..50`] }, {
    events: { onSegment: (_, { startedAt }) => starts.push(startedAt) },
  });
  assert.equal(result.report.verdict, "verified", formatVerification(result.report));
  assert.deepEqual(starts, [16, 48]);
});

const otherText = `${honest}.txt`;
await Deno.writeTextFile(otherText, "Another text than was trained on.\n\n".repeat(100));

Deno.test("retrain() could not check when data, engine or pieces are not at hand", async () => {
  for (
    const { options, names, reason } of [
      {
        options: { corpusFiles: { upstream: [otherText], downstream: [otherText] } },
        reason: /upstream corpus here has the digest/,
      },
      {
        options: { engine: async () => ({ ...await smokeEngine(), arithmetic: "ordered-f32/2" }) },
        reason:
          /was computed by "ordered-f32\/1" \(machine_to_machine\), and the engine here computes by "ordered-f32\/2"/,
      },
      {
        options: { engine: async () => ({ ...await smokeEngine(), level: "run_to_run" as const }) },
        reason: /\(run_to_run\)/,
      },
      { options: { engine: () => Promise.reject(new Deno.errors.NotCapable("write")) }, reason: /deno task retrain/ },
      { options: {}, names: ["nobody:0..1"], reason: /No trained run is "nobody"/ },
      { options: { signal: AbortSignal.abort() }, reason: /Stopped at step 0/ },
    ]
  ) {
    const result = await retrainFolder(honest, { kind: "named", names: names ?? [`${PARENT}:0..16`] }, options);
    assert.equal(step(result)?.status, "not checked");
    assert.match(step(result)?.detail ?? "", reason);
    assert.equal(result.report.exitCode, 2);
    assert.match(formatVerification(result.report), /Could not check: retrain/);
  }
});

Deno.test("retrain() trains nothing when a checkpoint has one flipped bit: its digest is not the signed one", async () => {
  await withCopy(async (folder) => {
    await flipBit(folder);
    const result = await retrainFolder(folder);
    assert.match(step(result, "artefacts")?.detail ?? "", /step-000016\.safetensors" was changed/);
    assert.equal(step(result)?.status, "not checked");
    assert.equal(result.report.exitCode, 1);
  });
});

Deno.test("retrain() catches one flipped bit of a checkpoint when the manifest was signed over it", async () => {
  await withCopy(async (folder) => {
    await flipBit(folder);
    await resign(folder);
    expectCaught(await retrainFolder(folder), RUN_1, "checkpoint", /has the digest/, 16);
    const later = await retrainFolder(folder, { kind: "named", names: [`${RUN_1}:16..32`] });
    expectCaught(later, RUN_1, "checkpoint", /has the digest/, 16);
  });
});

async function flipBit(folder: string): Promise<void> {
  const path = `${folder}/runs/${RUN_1}/checkpoints/${checkpointName(16)}`;
  const bytes = await Deno.readFile(path);
  bytes[bytes.length - 5] = (bytes[bytes.length - 5] ?? 0) ^ 1;
  await Deno.writeFile(path, bytes);
}

Deno.test("retrain() catches a checkpoint with other weights when its state, the journal and the manifest fit it", async () => {
  await withCopy(async (folder) => {
    const run = await plannedRun(folder, RUN_1);
    const forged = await rewriteCheckpoint(
      folder,
      run,
      32,
      run.key,
      (weights) => weights.forEach((weight, index) => weights[index] = weight * 1.01),
    );
    const records = await readRecords(folder, RUN_1);
    await writeRecords(
      folder,
      RUN_1,
      run.key,
      records.map((record) => record.kind === "state" && record.step === 32 ? { ...record, state: forged } : record),
    );
    await resign(folder);
    expectCaught(await retrainFolder(folder), RUN_1, "state", /step 32: its state is/, 32);
    const after = await retrainFolder(folder, { kind: "named", names: [`${RUN_1}:32..48`] });
    expectCaught(after, RUN_1, "loss", /step 32: its loss is/, 32);
  });
});

Deno.test("retrain() trains nothing when a curve is not the one that its journal records", async () => {
  await withCopy(async (folder) => {
    const path = new RunFolder(folder, RUN_1).curves;
    const curves = JSON.parse(await Deno.readTextFile(path));
    const point = curves.points.find((point: { step: number }) => point.step === 24);
    point.downstream -= 2 ** -40;
    await Deno.writeTextFile(path, canonicalJson(curves));
    await resign(folder);
    const result = await retrainFolder(folder);
    assert.match(step(result, "curves")?.detail ?? "", /its downstream loss at step 24 is .*, and the journal records/);
    assert.equal(result.report.exitCode, 1);
  });
});

Deno.test("retrain() catches an evaluation edited, with journal, curve and manifest made to fit", async () => {
  await withCopy(async (folder) => {
    const run = await plannedRun(folder, RUN_1);
    const records = (await readRecords(folder, RUN_1)).map((record) =>
      record.kind === "evaluation" && record.step === 24
        ? { ...record, downstream: toBits64(fromBits64(record.downstream) - 2 ** -40) }
        : record
    );
    await writeRecords(folder, RUN_1, run.key, records);
    await resign(folder);
    expectCaught(await retrainFolder(folder), RUN_1, "curve", /step 24: its curve is downstream/, 24);
  });
});

Deno.test("retrain() catches bytes a token edited in every journal, curve and summary", async () => {
  await withCopy(async (folder) => {
    await doubleBytesPerToken(folder);
    expectCaught(await retrainFolder(folder), PARENT, "curve", /bytes a token/, 0);
  });
});

Deno.test("retrain() trains nothing when a rate of the journal is not the schedule's", async () => {
  await withCopy(async (folder) => {
    const run = await plannedRun(folder, RUN_1);
    const records = await readRecords(folder, RUN_1);
    await writeRecords(
      folder,
      RUN_1,
      run.key,
      records.map((record) => record.kind === "step" && record.step === 5 ? { ...record, lr: toBits(0.001) } : record),
    );
    await resign(folder);
    const result = await retrainFolder(folder);
    assert.match(step(result, "journals")?.detail ?? "", /learning rate is 0\.001.*and the schedule has/);
    assert.equal(result.report.exitCode, 1);
  });
});

/** Records with the rates of another schedule. */
function withRates(records: readonly JournalRecord[], rates: Float32Array): JournalRecord[] {
  return records.map((record) => {
    const lr = toBits(rates[Math.min(record.step, rates.length - 1)] ?? 0);
    return record.kind === "step" || record.kind === "evaluation" ? { ...record, lr } : record;
  });
}

Deno.test("retrain() catches a table of learning rates changed with schedule, keys and all digests recomputed", async () => {
  await withCopy(async (folder) => {
    const plan = await readPlan(folder);
    const run = await plannedRun(folder, RUN_1);
    const schedule = { ...run.specification.schedule, maxLearningRate: run.specification.schedule.maxLearningRate * 2 };
    const rates = learningRateTable(schedule);
    const bytes = new DataView(new ArrayBuffer(rates.byteLength));
    rates.forEach((rate, index) => bytes.setFloat32(4 * index, rate, true));
    const specification = { ...run.specification, schedule, scheduleDigest: sha256(new Uint8Array(bytes.buffer)) };
    const forged = { ...run, specification, key: runKey(specification) };
    const { planDigest: _, ...content } = {
      ...plan,
      runs: plan.runs.map((each) => each.label === RUN_1 ? forged : each),
    };
    const planDigest = sha256(canonicalJson(content));
    await Deno.writeTextFile(`${folder}/plan.json`, canonicalJson({ ...content, planDigest }));
    await writeRecords(folder, RUN_1, forged.key, withRates(await readRecords(folder, RUN_1), rates));
    const records = await readRecords(folder, RUN_1);
    for (const record of records) {
      if (record.kind === "state" && record.step > 0) await rewriteCheckpoint(folder, run, record.step, forged.key);
    }
    await resign(folder, ({ predicate }) => {
      predicate.plan.planDigest = planDigest;
      const stated = predicate.runs.find((each: { label: string }) => each.label === RUN_1);
      Object.assign(stated, { key: forged.key, specification });
    });
    const { difference, ...result } = await retrainFolder(folder);
    assert(difference !== undefined);
    expectCaught({ ...result, difference }, RUN_1, difference.field, /retraining gives/);
    assert(["loss", "gradient norm", "curve"].includes(difference.field), difference.field);
    assert(difference.step < 8);
  });
});

Deno.test("retrain() trains nothing when two journals are swapped: each is chained to its run", async () => {
  await withCopy(async (folder) => {
    const [first, second] = [new RunFolder(folder, RUN_2).journal, new RunFolder(folder, RUN_1).journal];
    await Deno.rename(first, `${first}.swap`);
    await Deno.rename(second, first);
    await Deno.rename(`${first}.swap`, second);
    const result = await retrainFolder(folder);
    assert.match(step(result, "artefacts")?.detail ?? "", /journal\.jsonl" was changed/);
    assert.match(step(result, "journals")?.detail ?? "", /header is not that of a journal/);
    assert.equal(result.report.exitCode, 1);
  });
});

Deno.test("retrain() catches two journals swapped with headers, rates and chains recomputed", async () => {
  await withCopy(async (folder) => {
    const labels = [RUN_1, RUN_2] as const;
    const all = [await readRecords(folder, RUN_1), await readRecords(folder, RUN_2)];
    for (const [index, label] of labels.entries()) {
      const run = await plannedRun(folder, label);
      const rates = learningRateTable(run.specification.schedule);
      await writeRecords(folder, label, run.key, withRates(all[1 - index] ?? [], rates));
      await Deno.remove(new RunFolder(folder, label).checkpoints, { recursive: true });
    }
    await resign(folder, (statement) => {
      const isGone = (name: string) => labels.some((label) => name.startsWith(`runs/${label}/checkpoints/`));
      statement.subject = statement.subject.filter(({ name }: { name: string }) => !isGone(name));
    });
    expectCaught(await retrainFolder(folder), RUN_1, "curve", /step 2: its curve is upstream/, 2);
    const later = await retrainFolder(folder, { kind: "named", names: [`${RUN_2}:40..41`] }, {
      withoutCheckpoints: true,
    });
    expectCaught(later, RUN_2, "loss", /step 2: its loss is [0-9a-f]{8} \(/, 2);
  });
});

Deno.test("retrain() catches the honest chain of a training in another order", async () => {
  await withCopy(async (folder) => {
    const original = await readRecords(folder, RUN_1);
    const plan = await readPlan(folder);
    const run = await plannedRun(folder, RUN_1);
    await Deno.remove(new RunFolder(folder, RUN_1).path, { recursive: true });
    const { specification } = run;
    const other = { ...run, specification: { ...specification, orderSeed: specification.orderSeed + 1 } };
    const corpora = await smokeCorpora();
    await trainPlan({
      runs: plan.runs.map((each) => each.label === RUN_1 ? other : each),
      engine: await smokeEngine(),
      corpora,
      output: folder,
    });
    corpora.upstream.close();
    corpora.downstream.close();
    await resign(folder);
    expectCaught(await retrainFolder(folder), RUN_1, "batch", /step 0: its batch is/, 0);

    // The same with the right batches' digests put in.
    const batches = new Map(original.flatMap((record) => record.kind === "step" ? [[record.step, record.batch]] : []));
    const records = (await readRecords(folder, RUN_1)).map((record) =>
      record.kind === "step" ? { ...record, batch: batches.get(record.step) ?? record.batch } : record
    );
    await writeRecords(folder, RUN_1, run.key, records);
    await resign(folder);
    expectCaught(await retrainFolder(folder), RUN_1, "loss", /step 0: its loss is/, 0);
  });
});

Deno.test("retrain() catches the lowest bit of one loss with the chain recomputed", async () => {
  await withCopy(async (folder) => {
    const run = await plannedRun(folder, PARENT);
    const records = (await readRecords(folder, PARENT)).map((record) => {
      if (record.kind !== "step" || record.step !== 40) return record;
      return { ...record, loss: (Number.parseInt(record.loss, 16) ^ 1).toString(16).padStart(8, "0") };
    });
    await writeRecords(folder, PARENT, run.key, records);
    await resign(folder);
    expectCaught(await retrainFolder(folder), PARENT, "loss", /step 40: its loss is/, 40);
    const elsewhere = await retrainFolder(folder, { kind: "named", names: [`${PARENT}:0..32`] });
    assert.equal(elsewhere.report.verdict, "verified");
    assert.match(elsewhere.report.caveats.join(), /other pieces/);
  });
});

Deno.test("retrain() repeats a divergence to the bits of what was no number any more, and catches an invented one", async () => {
  await withCopy(async (folder) => {
    const corpora = await smokeCorpora();
    const engine = await smokeEngine();
    const planned = await plannedRun(folder, PARENT);
    const optimizer = { ...planned.specification.optimizer, weightDecay: 1e30 };
    const specification = { ...planned.specification, optimizer };
    const run = { ...planned, label: "diverging", specification, key: runKey(specification) };
    try {
      const [result] = await trainPlan({ runs: [run], engine, corpora, output: folder });
      assert(result?.kind === "trained" && result.record.outcome.kind === "diverged", JSON.stringify(result));
      const { states, steps, journalRoot } = result.record;
      const path = new RunFolder(folder, run.label);
      const name = (file: string) => file.slice(folder.length + 1);
      const evidence = {
        ...run,
        outcome: "diverged" as const,
        journal: {
          name: name(path.journal),
          sha256: await path.digest(path.journal),
          format: journalFormat(run.specification),
          root: journalRoot,
          steps,
        },
        states,
        curves: { name: name(path.curves), sha256: await path.digest(path.curves) },
      };
      const { tree: merkleTree } = await readTree(evidence, folderArtefacts(folder));
      const trained = { ...evidence, merkleTree };
      const options = { runs: [trained], artefacts: folderArtefacts(folder), engine, corpora };
      const trainer = new Trainer(options);
      const segments = segmentsOf([trained]);
      assert.equal(segments.at(-1)?.diverges, true);
      for (const segment of segments) await trainer.retrain(segment);
      trainer.close();

      const records = await readRecords(folder, run.label);
      await writeRecords(
        folder,
        run.label,
        run.key,
        records.map((record) => record.kind === "divergence" ? { ...record, value: "ff800000" } : record),
      );
      const { chain } = await readJournalFile(path.journal, run.key);
      const forged = {
        ...trained,
        journal: { ...trained.journal, root: chain },
        curves: { ...trained.curves, sha256: await path.digest(path.curves) },
      };
      const second = new Trainer({ ...options, runs: [forged] });
      await assert.rejects(async () => {
        for (const segment of segmentsOf([forged])) await second.retrain(segment);
      }, (error) => error instanceof RetrainingMismatch && error.difference.field === "divergence");
      second.close();
    } finally {
      corpora.upstream.close();
      corpora.downstream.close();
    }
  });
});
