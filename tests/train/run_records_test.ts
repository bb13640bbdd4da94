import assert from "node:assert/strict";
import { learningRateTable } from "../../src/schedule/learning_rate.ts";
import type { PlannedRun } from "../../src/experiment/run/run.ts";
import { ValidationSets } from "../../src/train/evaluation/evaluation.ts";
import { loadInitialState } from "../../src/train/start/initial_state.ts";
import { readJournalFile } from "../../src/train/journal/journal.ts";
import type { JournalRecord } from "../../src/train/journal/journal_record.ts";
import { RunFolder } from "../../src/train/folder/run_folder.ts";
import { type RunEvent, type RunPiece, runRecords } from "../../src/train/run_records.ts";
import { sessionOptions } from "../../src/train/session_pool.ts";
import { trainPlan } from "../../src/train/train_plan.ts";
import { withFolder } from "../temporary_folder.ts";
import { fakeEngine, fakePlan } from "./fake_training.ts";

type FakePlan = Awaited<ReturnType<typeof fakePlan>>;

/** Events of pieces of the first run of a plan, one after another on one session. */
async function eventsOf({ plan, corpora }: FakePlan, engine: ReturnType<typeof fakeEngine>, pieces: RunPiece[]) {
  const run = plan.runs[0] as PlannedRun;
  const session = await engine.open(sessionOptions(run));
  await loadInitialState(run, session, { corpora });
  const rates = learningRateTable(run.specification.schedule);
  const means = { session, corpora, validations: new ValidationSets(), rates, priorUpdates: 0 };
  const found: RunEvent[][] = [];
  for (const piece of pieces) found.push(await Array.fromAsync(runRecords(run, means, piece)));
  return found;
}

const START = { step: 0, updates: 0 };
const isRecord = (event: RunEvent): event is JournalRecord => event.kind !== "input" && event.kind !== "reached";

Deno.test("runRecords() gives the records of the journal that training leaves, in its order", () =>
  withFolder(async (output) => {
    const engine = fakeEngine();
    const fake = await fakePlan(engine, ["upstream"]);
    const run = fake.plan.runs[0] as PlannedRun;
    await trainPlan({ runs: [run], engine, corpora: fake.corpora, output });
    const recorded: JournalRecord[] = [];
    const { journal } = new RunFolder(output, run.label);
    await readJournalFile(journal, run.key, undefined, (record) => void recorded.push(record));
    const [whole = []] = await eventsOf(fake, engine, [{ from: START, to: run.steps }]);
    assert.equal(recorded.filter(({ kind }) => kind === "step").length, run.steps);
    assert.deepEqual(whole.filter(isRecord), recorded);
  }));

Deno.test("runRecords() gives in pieces what it gives at once", async () => {
  const engine = fakeEngine();
  const fake = await fakePlan(engine, ["upstream"]);
  const [whole = []] = await eventsOf(fake, engine, [{ from: START, to: 20 }]);
  const pieces = await eventsOf(fake, engine, [
    { from: START, to: 7 },
    { from: { step: 7, updates: 7 }, to: 16 },
    { from: { step: 16, updates: 16 }, to: 20 },
  ]);
  assert.deepEqual(pieces.flat().filter(isRecord), whole.filter(isRecord));
  assert.deepEqual(pieces.map((events) => events.at(-1)), [7, 16, 20].map((step) => ({ kind: "reached", step })));
});

Deno.test("runRecords() says what goes into a step before it makes it, and evaluates only where that is wanted", async () => {
  const engine = fakeEngine();
  const fake = await fakePlan(engine, ["upstream"]);
  const [events = []] = await eventsOf(fake, engine, [{ from: START, to: 16, evaluates: (step) => step > 8 }]);
  const evaluations = events.filter(({ kind }) => kind === "evaluation").map(({ step }) => step);
  assert(evaluations.length > 0 && evaluations.every((step) => step > 8), evaluations.join());
  for (const [index, event] of events.entries()) {
    if (event.kind !== "step") continue;
    const { step, lr, batch } = event;
    assert.deepEqual(events[index - 1], { kind: "input", step, lr, batch });
    assert.deepEqual(events[index - 2], { kind: "reached", step });
  }
});

Deno.test("runRecords() ends with a divergence, whatever was still to come", async () => {
  for (const [loss, value] of [[NaN, "7fc00000"], [-Infinity, "ff800000"]] as const) {
    const engine = fakeEngine((step) => step === 5 ? loss : undefined);
    const fake = await fakePlan(engine, ["upstream"]);
    const [events = []] = await eventsOf(fake, engine, [{ from: START, to: 16 }]);
    const { batch: _, ...last } = events.at(-1) as RunEvent & { readonly batch: string };
    assert.deepEqual(last, { kind: "divergence", step: 5, divergence: "loss", value });
    assert.equal(events.filter(({ kind }) => kind === "step").length, 5);
  }
});
