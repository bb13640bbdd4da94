/** Version 3 of the journal: losses by domain at every evaluation, and by document where the whole set is read. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { sha256 } from "../../../src/digest/sha256.ts";
import { isWholeEvaluation } from "../../../src/experiment/run/evaluation.ts";
import type { PlannedRun } from "../../../src/experiment/run/run.ts";
import { curveDifference, curvesOfJournal } from "../../../src/train/journal/journal_curves.ts";
import { parseCurves } from "../../../src/results/curves_schema.ts";
import { documentLosses, wholeLoss } from "../../../src/results/document_losses.ts";
import { learningRateTable } from "../../../src/schedule/learning_rate.ts";
import { DueRecords } from "../../../src/train/journal/due_records.ts";
import { ValidationSets } from "../../../src/train/evaluation/evaluation.ts";
import { FinishedRuns } from "../../../src/train/folder/finished_runs.ts";
import { readJournalFile } from "../../../src/train/journal/journal.ts";
import {
  chainStart,
  formatHeader,
  type JournalHeaderV3,
  parseHeader,
} from "../../../src/train/journal/journal_header.ts";
import {
  type Bits64,
  chainNext,
  type EvaluationRecord,
  formatRecord,
  type JournalRecord,
} from "../../../src/train/journal/journal_record.ts";
import { parseRecord } from "../../../src/train/journal/journal_record.ts";
import { readJournal } from "../../../src/train/journal/journal_reader.ts";
import { headerOf } from "../../../src/train/run_header.ts";
import { RunFolder } from "../../../src/train/folder/run_folder.ts";
import { Interrupted } from "../../../src/train/run_environment.ts";
import { trainPlan } from "../../../src/train/train_plan.ts";
import { withFolder } from "../../temporary_folder.ts";
import { fakeEngine, fakePlan } from "../fake_training.ts";

const engine = fakeEngine();
const { plan, corpora } = await fakePlan(engine, ["upstream"], { landmarkWindows: 50 });
const run = plan.runs[0] as PlannedRun;
const header = await headerOf(run, corpora, new ValidationSets()) as JournalHeaderV3;

/** The records that training leaves. */
async function trained(output: string, signal?: AbortSignal): Promise<JournalRecord[]> {
  await trainPlan({ runs: [run], engine, corpora, output, ...(signal === undefined ? {} : { signal }) });
  return await recordsIn(output);
}

async function recordsIn(output: string): Promise<JournalRecord[]> {
  const records: JournalRecord[] = [];
  const reading = await readJournalFile(new RunFolder(output, run.label).journal, run.key, undefined, (record) => {
    records.push(record);
  });
  equal(reading.problem, undefined);
  deepEqual(reading.header, header);
  return records;
}

/** A journal's bytes, its chain computed anew. */
async function* journalOf(records: readonly JournalRecord[], first = header): AsyncGenerator<Uint8Array> {
  let chain = chainStart(first);
  yield new TextEncoder().encode(`${formatHeader(first)}\n`);
  for (const record of records) {
    chain = chainNext(chain, record);
    yield new TextEncoder().encode(`${formatRecord(record, chain)}\n`);
  }
}

async function flawOf(records: readonly JournalRecord[], first = header): Promise<string> {
  const due = new DueRecords(run, learningRateTable(run.specification.schedule));
  const { problem } = await readJournal(
    journalOf(records, first),
    run.key,
    (record) => due.visit(record),
    (found) => due.begin(found),
  );
  return problem?.reason ?? "none";
}

Deno.test("a run with landmarkWindows keeps losses by domain, and by document at its start and at landmarks", () =>
  withFolder(async (output) => {
    const records = await trained(output);
    const evaluations = records.filter((record) => record.kind === "evaluation");
    for (const { step, domains, sampledDocuments, documents } of evaluations) {
      equal(domains?.upstream.length, 1);
      // eight windows, two of each document
      equal(sampledDocuments?.upstream.length, 4);
      equal(documents?.upstream.length, isWholeEvaluation(run.specification.evaluation, step) ? 17 : undefined);
    }
    equal(evaluations.filter(({ documents }) => documents !== undefined).length, 4);
    const curves = parseCurves(await Deno.readTextFile(new RunFolder(output, run.label).curves), "curves.json");
    const [start] = curves.points;
    const losses = start && documentLosses(curves, start, "downstream");
    equal(losses?.documents.reduce((sum, { tokens }) => sum + tokens, 0), 50 * run.specification.model.sequenceLength);
    // The fake engine gives every window the same loss.
    ok(losses !== undefined && Math.abs(wholeLoss(losses) / (start?.downstream ?? NaN) - 1) < 1e-12);
    equal(curveDifference(curves, curvesOfJournal(run, { ...header, evaluations })), undefined);
    const points = curves.points.map((point, i) =>
      i > 0 || point.documents === undefined ? point : {
        ...point,
        documents: {
          ...point.documents,
          upstream: point.documents.upstream.map((document) => ({ ...document, loss: document.loss + 1 })),
        },
      }
    );
    const other = { ...curves, points };
    match(
      curveDifference(other, curvesOfJournal(run, { ...header, evaluations })) ?? "",
      /by document at step 0/,
    );
    equal((await new FinishedRuns(output, corpora).find(run)).kind, "finished");
  }));

Deno.test("a run with landmarkWindows resumes to the same journal", () =>
  withFolder(async (output) => {
    const whole = await trained(`${output}/whole`);
    const stop = new AbortController();
    stop.abort();
    await trained(`${output}/pieces`, stop.signal).then(() => {}, (error) => ok(error instanceof Interrupted));
    deepEqual(await trained(`${output}/pieces`), whole);
  }));

Deno.test("readJournal() and DueRecords refuse losses that are missing, too many, or of other documents", () =>
  withFolder(async (output) => {
    const records = await trained(output);
    equal(await flawOf(records), "none");
    const first = (change: (record: EvaluationRecord) => EvaluationRecord) => {
      const at = records.findIndex(({ kind }) => kind === "evaluation");
      return flawOf(records.map((record, i) => i === at && record.kind === "evaluation" ? change(record) : record));
    };
    match(await first(({ documents: _, ...record }) => record), /no losses by document at step 0/);
    match(
      await first(({ documents: _, domains: _domains, sampledDocuments: _sampled, ...record }) => record),
      /no losses by domain/,
    );
    match(await first(({ sampledDocuments: _, ...record }) => record), /do not stand together/);
    match(
      await first((record) => ({
        ...record,
        sampledDocuments: { upstream: ["4010000000000000"], downstream: ["4010000000000000"] },
      })),
      /upstream losses are not those of the domains and documents/,
    );
    const sums = (record: EvaluationRecord, change: (sums: Bits64[]) => Bits64[]) => ({
      ...record,
      sampledDocuments: {
        upstream: change([...record.sampledDocuments?.upstream ?? []]),
        downstream: record.sampledDocuments?.downstream ?? [],
      },
    });
    match(
      await first((record) => sums(record, ([, ...others]) => ["4010000000000000", ...others])),
      /upstream means at step 0 do not follow from the sums of its sampled documents/,
    );
    match(await first((record) => ({ ...record, downstream: "4010000000000000" })), /downstream means at step 0/);
    match(
      await first((record) => ({ ...record, documents: { upstream: [], downstream: [], ...record.domains } })),
      /upstream losses are not those of the domains and documents/,
    );
    const late = records.map((record) =>
      record.kind === "evaluation" && record.documents === undefined ? { ...record, documents: record.domains } : record
    );
    match(await flawOf(late as JournalRecord[]), /losses by document at step \d+, where none are due/);
    const { upstream, downstream } = header.validation;
    const documents = upstream.documents ?? [];
    const longer = { ...upstream, documents: [...documents, { domain: 0, tokens: 32 }] };
    match(await flawOf(records, { ...header, validation: { upstream: longer, downstream } }), /at most 50 windows/);
    const sampled = upstream.sampledDocuments ?? [];
    const [one] = sampled;
    for (
      const sampledDocuments of [sampled.slice(1), [...sampled].reverse(), sampled.map((other) => one ?? other)]
    ) {
      match(
        await flawOf(records, { ...header, validation: { upstream: { ...upstream, sampledDocuments }, downstream } }),
        /its sampled documents are not those of 8 windows of \d+ tokens, each document once/,
      );
    }
    match(
      await flawOf(records, { version: 2, run: run.key, bytesPerToken: header.bytesPerToken } as never),
      /version 2/,
    );
  }));

Deno.test("headers and evaluations of version 3 are read back from their lines, and have one spelling", () => {
  const line = formatHeader(header);
  deepEqual(parseHeader(line, run.key), header);
  equal(parseHeader(line.replace('"validation":', '"validation": '), run.key), undefined);
  equal(parseHeader(line.replace('"documents":[[0,', '"documents":[[7,'), run.key), undefined);
  equal(parseHeader(line.replace('"sampledDocuments":[[0,', '"sampledDocuments":[[7,'), run.key), undefined);
  const record: EvaluationRecord = {
    kind: "evaluation",
    step: 0,
    tokens: 0,
    lr: "00000000",
    upstream: "3ff0000000000000",
    downstream: "4000000000000000",
    domains: { upstream: ["7ff8000000000000"], downstream: ["3ff0000000000000", "4000000000000000"] },
    sampledDocuments: { upstream: ["4008000000000000", "4010000000000000"], downstream: ["3ff8000000000000"] },
    documents: { upstream: ["4010000000000000"], downstream: ["4010000000000000", "0000000000000000"] },
  };
  const chain = chainNext(sha256("before"), record);
  const text = formatRecord(record, chain);
  deepEqual(parseRecord(text), { record, chain });
  match(String(parseRecord(text.replace("3ff8000000000000", "7ff0000000000000"))), /"sampledDocuments" are not/);
  match(String(parseRecord(text.replaceAll("4010000000000000", "7ff0000000000000"))), /"\w+" are not losses/);
  match(
    String(parseRecord(text.replace("4010000000000000", "401000000000000"))),
    /"documents" are not losses|not written/,
  );
  ok(chainNext(sha256("before"), { ...record, documents: { upstream: [], downstream: [] } }) !== chain);
  const others = { upstream: ["4008000000000000"], downstream: ["4010000000000000", "3ff8000000000000"] };
  ok(chainNext(sha256("before"), { ...record, sampledDocuments: others }) !== chain);
});
