import assert from "node:assert/strict";
import { evaluationCount, isEvaluationStep } from "../../../src/experiment/run/evaluation.ts";
import { sha256 } from "../../../src/digest/sha256.ts";
import type { PlannedRun, RunKey } from "../../../src/experiment/run/run.ts";
import { DueRecords } from "../../../src/train/journal/due_records.ts";
import type { JournalRecord } from "../../../src/train/journal/journal_record.ts";
import { toBits, toBits64 } from "../../../src/train/journal/journal_record.ts";

/** States at 0, 3, 4 and 8, evaluations there and at 2. */
const run = {
  specification: {
    checkpointInterval: 4,
    batchSequences: 2,
    model: { sequenceLength: 8 },
    engine: { level: "run_to_run" },
    evaluation: { interval: 4, denseInterval: 2, denseUntilStep: 3, landmarks: [3] },
  },
} as unknown as PlannedRun;
const rates = Float32Array.from({ length: 9 }, (_, step) => step / 8);
const batch = sha256("batch");

function step(step: number, lr = rates[step] ?? 0): JournalRecord {
  return { kind: "step", step, lr: toBits(lr), loss: "3f800000", gradientNorm: "3f800000", batch };
}

function skip(step: number): JournalRecord {
  return { kind: "skip", step, skipped: "gradient", loss: "7f800000", batch };
}

function state(step: number): JournalRecord {
  return { kind: "state", step, state: sha256(`state ${step}`) };
}

function evaluation(step: number, tokens = 16 * step, lr = rates[step] ?? 0): JournalRecord {
  return { kind: "evaluation", step, tokens, lr: toBits(lr), upstream: toBits64(2), downstream: toBits64(3) };
}

const whole: readonly JournalRecord[] = [
  ...[state(0), evaluation(0), step(0), step(1), evaluation(2), step(2), state(3), evaluation(3), step(3)],
  ...[state(4), evaluation(4), step(4), step(5), step(6), step(7), state(8), evaluation(8)],
];

/** The first flaw of records, the end of the journal included. */
function flawOf(records: readonly JournalRecord[], planned: PlannedRun = run, version: 1 | 2 = 2): string | undefined {
  const due = new DueRecords(planned, rates);
  const key = sha256("a run") as RunKey;
  const bytesPerToken = { upstream: 1, downstream: 1 };
  due.begin(version === 1 ? { version, run: key } : { version, run: key, bytesPerToken });
  for (const record of records) {
    const flaw = due.visit(record);
    if (flaw !== undefined) return flaw;
  }
  const steps = records.filter(({ kind }) => kind === "step" || kind === "skip").length;
  return due.end(steps);
}

Deno.test("DueRecords takes a journal in which all is as due, and one that ends where the run diverged", () => {
  assert.equal(flawOf(whole), undefined);
  const divergence: JournalRecord = { kind: "divergence", step: 8, divergence: "loss", value: "7fc00000", batch };
  assert.equal(flawOf([...whole, divergence]), undefined);
});

Deno.test("DueRecords names every state and evaluation that is missing or not due", () => {
  for (const [index, { kind, step }] of whole.entries()) {
    if (kind !== "state" && kind !== "evaluation") continue;
    const flaw = flawOf(whole.toSpliced(index, 1));
    assert.match(flaw ?? "", new RegExp(`it records no ${kind} at step ${step}, where one is due`));
  }
  const at = whole.findIndex(({ kind, step }) => kind === "step" && step === 5);
  assert.match(flawOf(whole.toSpliced(at, 0, state(5))) ?? "", /it records a state at step 5, where none is due/);
  assert.match(
    flawOf(whole.toSpliced(at, 0, evaluation(5))) ?? "",
    /it records an evaluation at step 5, where none is due/,
  );
});

Deno.test("DueRecords holds rates and tokens against schedule and batch", () => {
  const replaced = (record: JournalRecord) =>
    flawOf(whole.map((other) => other.kind === record.kind && other.step === record.step ? record : other)) ?? "";
  assert.match(replaced(step(3, 2)), /its learning rate is 2, and the schedule has 0\.375/);
  assert.match(replaced(evaluation(4, 64, 2)), /its learning rate is 2, and the schedule has 0\.5/);
  assert.match(replaced(evaluation(4, 65)), /it is said to be after 65 tokens, and 4 steps read 64/);
});

Deno.test("DueRecords lets the schedule stand still where a step was skipped, and refuses skips that cannot be", () => {
  const [first, second, third, , ...rest] = whole;
  assert(first !== undefined && second !== undefined && third !== undefined);
  const behind = rest.map((record): JournalRecord => {
    const lr = toBits(rates[record.step - 1] ?? 0);
    return record.kind === "step" || record.kind === "evaluation" ? { ...record, lr } : record;
  });
  assert.equal(flawOf([first, second, third, skip(1), ...behind]), undefined);
  assert.match(flawOf([first, second, third, skip(1), ...rest]) ?? "", /and the schedule has/);
  const { specification } = run;
  const exact = { ...run, specification: { ...specification, engine: { level: "machine_to_machine" } } } as PlannedRun;
  assert.match(flawOf([first, second, third, skip(1), ...behind], exact) ?? "", /its arithmetic never does/);
});

Deno.test("DueRecords asks for no evaluations in version 1 of the journal", () => {
  assert.equal(flawOf(whole.filter(({ kind }) => kind !== "evaluation"), run, 1), undefined);
});

Deno.test("evaluationCount() counts what isEvaluationStep() says, for any grid", () => {
  for (const denseUntilStep of [0, 3, 8, 100]) {
    for (const landmarks of [[], [3], [0, 5, 5, 7, 40]]) {
      for (const [interval, denseInterval] of [[1, 1], [4, 2], [5, 3], [8, 7]] as const) {
        const evaluation = { windows: 1, interval, denseInterval, denseUntilStep, landmarks };
        let counted = 0;
        for (let step = -1; step < 50; step++) {
          if (step >= 0 && isEvaluationStep(evaluation, step)) counted++;
          assert.equal(evaluationCount(evaluation, step), counted, `${step} ${JSON.stringify(evaluation)}`);
        }
      }
    }
  }
});
