import assert from "node:assert/strict";
import { diffManifests } from "../../src/retrain/diff.ts";
import { main } from "../../src/cli/main.ts";
import { PREDICATE_TYPES } from "../../src/manifest/format/predicate.ts";
import { chainStart, formatHeader, type JournalHeader } from "../../src/train/journal/journal_header.ts";
import { chainNext, formatRecord, fromBits64, toBits64 } from "../../src/train/journal/journal_record.ts";
import { RunFolder } from "../../src/train/folder/run_folder.ts";
import { trainPlan } from "../../src/train/train_plan.ts";
import { reproduceSmoke } from "../reproduce/smoke.ts";
import { withFolder } from "../temporary_folder.ts";
import {
  doubleBytesPerToken,
  honest,
  plannedRun,
  readPlan,
  readRecords,
  resign,
  RUN_1,
  smokeCorpora,
  smokeEngine,
  withCopy,
  writeRecords,
} from "./forgery.ts";

const HONEST = `${honest}/manifest.dsse.json`;

Deno.test("diffManifests() finds no difference but the key's when a manifest is signed anew", async () => {
  await withCopy(async (folder) => {
    await resign(folder, ({ predicate }) => predicate.environment.os = "plan9");
    const { differences, runs, environments } = await diffManifests(HONEST, `${folder}/manifest.dsse.json`);
    assert.deepEqual(differences, []);
    assert.equal(runs, (await readPlan(folder)).runs.length);
    const differing = environments.filter(({ a, b }) => a !== b);
    assert.deepEqual(differing.map(({ name, b }) => [name, b]), [["os", "plan9"]]);
  });
});

Deno.test("diffManifests() names the first step and field that differ, and the last state in common", async () => {
  const run = await plannedRun(honest, RUN_1);
  const records = await readRecords(honest, RUN_1);
  const states = records.flatMap((record) => record.kind === "state" ? [record.step] : []);
  const last = records.filter(({ kind }) => kind === "step").length - 1;
  for (
    const { step, change, field } of [
      { step: 0, change: { loss: "3f800000" }, field: "loss" },
      { step: 37, change: { gradientNorm: "3f800000" }, field: "gradient norm" },
      { step: last, change: { batch: "0".repeat(64) }, field: "batch" },
    ]
  ) {
    await withCopy(async (folder) => {
      const forged = records.map((record) =>
        record.kind === "step" && record.step === step ? { ...record, ...change } as typeof record : record
      );
      await writeRecords(folder, RUN_1, run.key, forged);
      await resign(folder);
      const { differences } = await diffManifests(HONEST, `${folder}/manifest.dsse.json`);
      assert.equal(differences.length, 1);
      const [found] = differences;
      assert.deepEqual([found?.run, found?.step, found?.field], [RUN_1, step, field]);
      assert.equal(found?.lastCommonState, states.findLast((state) => state <= step));
      assert.equal(found?.b, Object.values(change)[0]);
    });
  }
});

Deno.test("diffManifests() names the first evaluation that differs", async () => {
  await withCopy(async (folder) => {
    const run = await plannedRun(folder, RUN_1);
    const records = await readRecords(folder, RUN_1);
    const evaluation = records.filter(({ kind }) => kind === "evaluation").at(-2);
    assert(evaluation?.kind === "evaluation");
    const upstream = fromBits64(evaluation.upstream) + 2 ** -30;
    const forged = records.map((record) =>
      record === evaluation ? { ...evaluation, upstream: toBits64(upstream) } : record
    );
    await writeRecords(folder, RUN_1, run.key, forged);
    await resign(folder);
    const { differences: [found] } = await diffManifests(HONEST, `${folder}/manifest.dsse.json`);
    assert.deepEqual([found?.run, found?.step, found?.field], [RUN_1, evaluation.step, "curve"]);
    assert.equal(found?.b, `upstream ${upstream}`);
  });
});

Deno.test("diffManifests() names what differs where the chains differ from their start", async () => {
  await withCopy(async (folder) => {
    await doubleBytesPerToken(folder);
    const { differences, runs } = await diffManifests(HONEST, `${folder}/manifest.dsse.json`);
    assert.equal(differences.length, runs);
    for (const { step, field, b } of differences) {
      assert.deepEqual([step, field], [0, "curve"]);
      assert.match(b, /bytes a token/);
    }
    const run = await plannedRun(folder, RUN_1);
    const forged = (await readRecords(folder, RUN_1)).map((record) =>
      record.kind === "step" && record.step === 9 ? { ...record, loss: "3f800000" } : record
    );
    await writeRecords(folder, RUN_1, run.key, forged);
    await resign(folder);
    const found = (await diffManifests(HONEST, `${folder}/manifest.dsse.json`)).differences
      .find(({ run }) => run === RUN_1);
    assert.deepEqual([found?.step, found?.field, found?.b], [9, "loss", "3f800000"]);
  });
});

/** Writes what an earlier version would have left of the same training: journals without evaluations, predicate v1. */
async function toVersion1(folder: string): Promise<void> {
  for (const { label, key } of (await readPlan(folder)).runs) {
    const header: JournalHeader = { version: 1, run: key };
    let chain = chainStart(header);
    const lines = (await readRecords(folder, label)).filter(({ kind }) => kind !== "evaluation")
      .map((record) => formatRecord(record, chain = chainNext(chain, record)));
    const text = [formatHeader(header), ...lines].map((line) => `${line}\n`).join("");
    await Deno.writeTextFile(new RunFolder(folder, label).journal, text);
  }
  await resign(folder, (statement) => {
    statement.predicateType = PREDICATE_TYPES[0];
    delete statement.predicate.data;
    delete statement.predicate.report;
    for (const run of statement.predicate.runs) {
      delete run.origin;
      delete run.trainedBy;
      delete run.journal.format;
    }
  });
}

Deno.test("diffManifests() compares with a manifest of version 1, whose journals have no evaluations", async () => {
  await withCopy(async (folder) => {
    await toVersion1(folder);
    assert.deepEqual((await diffManifests(HONEST, `${folder}/manifest.dsse.json`)).differences, []);
    assert.deepEqual((await diffManifests(`${folder}/manifest.dsse.json`, HONEST)).differences, []);
  });
  await withCopy(async (folder) => {
    const run = await plannedRun(folder, RUN_1);
    const forged = (await readRecords(folder, RUN_1)).map((record) =>
      record.kind === "step" && record.step === 9 ? { ...record, loss: "3f800000" } : record
    );
    await writeRecords(folder, RUN_1, run.key, forged);
    await toVersion1(folder);
    const { differences: [found] } = await diffManifests(HONEST, `${folder}/manifest.dsse.json`);
    assert.deepEqual([found?.run, found?.step, found?.field, found?.b], [RUN_1, 9, "loss", "3f800000"]);
  });
});

Deno.test("main() exits 0 for the same, 1 for other bits, and throws where plans differ or a manifest is damaged", async () => {
  const { log } = console;
  const lines: string[] = [];
  console.log = (line: string) => lines.push(line);
  try {
    assert.equal(await main(["diff", HONEST, HONEST]), 0);
    await withCopy(async (folder) => {
      const plan = await readPlan(folder);
      await Deno.remove(new RunFolder(folder, RUN_1).path, { recursive: true });
      const corpora = await smokeCorpora();
      const runs = plan.runs.map((run) =>
        run.label === RUN_1
          ? { ...run, specification: { ...run.specification, orderSeed: run.specification.orderSeed + 1 } }
          : run
      );
      await trainPlan({ runs, engine: await smokeEngine(), corpora, output: folder });
      corpora.upstream.close();
      corpora.downstream.close();
      await resign(folder);
      assert.equal(await main(["diff", HONEST, `${folder}/manifest.dsse.json`]), 1);
      assert.match(lines.at(-1) ?? "", new RegExp(`1 of 5 runs differ.*"${RUN_1}", step 0\n {2}batch`));
      await Deno.remove(new RunFolder(folder, RUN_1).journal);
      await assert.rejects(main(["diff", HONEST, `${folder}/manifest.dsse.json`]), { code: "CANNOT_COMPARE" });
    });
    await withFolder(async (folder) => {
      await reproduceSmoke(`${folder}/out`, 1, { only: ["upstream"] });
      await assert.rejects(main(["diff", HONEST, `${folder}/out/manifest.dsse.json`]), {
        code: "CANNOT_COMPARE",
        message: /different plans \(number of runs 5 and 1\)/,
      });
    });
  } finally {
    console.log = log;
  }
});
