/**
 * Fuzzing of journals: nothing after the first changed byte is ever accepted, what is accepted has one spelling, and
 * nothing is thrown. Seeds are fixed.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { sha256 } from "../../../src/digest/sha256.ts";
import type { RunKey } from "../../../src/experiment/run/run.ts";
import { type JournalReading, readJournal } from "../../../src/train/journal/journal_reader.ts";
import { chainStart, formatHeader, type JournalHeader } from "../../../src/train/journal/journal_header.ts";
import {
  chainNext,
  formatRecord,
  fromBits,
  fromBits64,
  type JournalRecord,
  MAX_LINE_BYTES,
} from "../../../src/train/journal/journal_record.ts";
import { applyByteEdits, byteEdits } from "../../fuzz/byte_edits.ts";
import { applyJsonEdit, jsonEdit, placesOf } from "../../fuzz/json_edits.ts";

const RUN = sha256("a run") as RunKey;
const OTHER_RUN = sha256("another run") as RunKey;
const encoder = new TextEncoder();

const HEADER: JournalHeader = { version: 2, run: RUN, bytesPerToken: { upstream: 1, downstream: 4.25 } };
const OTHER_HEADERS: readonly JournalHeader[] = [
  { ...HEADER, run: OTHER_RUN },
  { ...HEADER, bytesPerToken: { upstream: 1, downstream: 4 } },
  { version: 1, run: RUN },
];

/** Records of steps 0 to 9, one of them skipped, a state every 4 steps, an evaluation every 2, a divergence at the end. */
function recordsOf(seed: string): JournalRecord[] {
  const steps = Array.from({ length: 10 }, (_, step) => step);
  const bits = (step: number, what: string) => `3${sha256(`${seed} ${what} ${step}`).slice(1, 8)}`;
  return [
    ...steps.flatMap((step): JournalRecord[] => [
      ...(step % 4 === 0 ? [{ kind: "state", step, state: sha256(`${seed} state ${step}`) } as const] : []),
      ...(step % 2 === 0 ? [evaluation(seed, step)] : []),
      step === 6 ? { kind: "skip", step, skipped: "gradient", loss: "7f800000", batch: sha256(`batch ${step}`) } : {
        kind: "step",
        step,
        lr: bits(step, "lr"),
        loss: bits(step, "loss"),
        gradientNorm: bits(step, "norm"),
        batch: sha256(`batch ${step}`),
      },
    ]),
    { kind: "divergence", step: 10, divergence: "loss", value: "7fc00000", batch: sha256("batch 10") },
  ];
}

function evaluation(seed: string, step: number): JournalRecord {
  const bits = (what: string) => `3ff${sha256(`${seed} ${what} ${step}`).slice(3, 16)}`;
  const lr = `3${sha256(`${seed} lr ${step}`).slice(1, 8)}`;
  return {
    kind: "evaluation",
    step,
    tokens: 64 * step,
    lr,
    upstream: bits("upstream"),
    downstream: bits("downstream"),
  };
}

/** Lines with a chain that is whole, whatever the records say. */
function linesOf(header: JournalHeader, records: readonly JournalRecord[]): string[] {
  let chain = chainStart(header);
  return [formatHeader(header), ...records.map((record) => formatRecord(record, chain = chainNext(chain, record)))];
}

function joined(lines: readonly string[]): Uint8Array<ArrayBuffer> {
  return encoder.encode(lines.map((line) => `${line}\n`).join(""));
}

const records = recordsOf("one");
const lines = linesOf(HEADER, records);
const journal = joined(lines);
/** Of the same run with other values, and with the same of another run, of other text, and in an earlier version. */
const strangers = [linesOf(HEADER, recordsOf("two")), ...OTHER_HEADERS.map((header) => linesOf(header, records))];
/** What can be read of each of them is as good, from its first line on. */
const otherJournals = strangers.map((lines) => joined(lines));

async function* stream(bytes: Uint8Array, chunk: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += chunk) yield bytes.subarray(start, start + chunk);
}

/** Reads. Whatever is read, the records that were accepted give the accepted bytes again, steps without gaps, finite. */
async function read(bytes: Uint8Array, chunk = 4096): Promise<JournalReading> {
  const accepted: string[] = [];
  let steps = 0;
  let ended = false;
  const reading = await readJournal(stream(bytes, chunk), RUN, (record, { chain }) => {
    assert(!ended, "nothing follows a divergence");
    accepted.push(formatRecord(record, chain));
    if (record.kind === "divergence") ended = true;
    assert.equal(record.step, steps);
    if (record.kind === "evaluation") {
      assert(Number.isFinite(fromBits(record.lr)) && Number.isSafeInteger(record.tokens));
      for (const bits of [record.upstream, record.downstream]) assert(Number.isFinite(fromBits64(bits)));
    }
    if (record.kind !== "step" && record.kind !== "skip") return;
    steps++;
    if (record.kind === "skip") return;
    for (const bits of [record.lr, record.loss, record.gradientNorm]) assert(Number.isFinite(fromBits(bits)));
  });
  assert.equal(reading.steps, steps);
  const spelled = reading.bytes === 0
    ? new Uint8Array(0)
    : joined([formatHeader(reading.header ?? HEADER), ...accepted]);
  assert.deepEqual(spelled, bytes.slice(0, reading.bytes));
  assert.equal(reading.problem === undefined, reading.bytes === bytes.length && bytes.length > 0);
  return reading;
}

/** No record of a changed journal is accepted that the whole one has not; a header may be that of other text. */
function expectNothingChanged(changed: Uint8Array, reading: JournalReading): void {
  const { bytes, header, steps, states, evaluations, divergence } = reading;
  if (bytes <= commonLength(changed, journal)) return;
  assert.equal(bytes, header === undefined ? 0 : encoder.encode(formatHeader(header)).length + 1, `${bytes} bytes`);
  assert.deepEqual([steps, states.length, evaluations.length, divergence], [0, 0, 0, undefined]);
}

/** Bytes that two journals have in common from their start on. */
function commonLength(a: Uint8Array, b: Uint8Array): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}

const BYTES = 5000;
Deno.test(`readJournal() accepts nothing from the first changed byte on (${BYTES} journals)`, async () => {
  await fc.assert(
    fc.asyncProperty(byteEdits, fc.constantFrom(7, 100, 1000, 1 << 16), async (edits, chunk) => {
      const changed = applyByteEdits(journal, edits);
      expectNothingChanged(changed, await read(changed, chunk));
    }),
    { numRuns: BYTES, seed: 1 },
  );
});

const lineEdit = fc.record({
  kind: fc.constantFrom("remove", "repeat", "swap", "reverse", "insert", "replace", "torn", "long", "blank"),
  at: fc.nat(lines.length - 1),
  other: fc.nat(lines.length - 1),
  stranger: fc.nat(strangers.length - 1),
  cut: fc.nat(300),
});

const LINES = 2500;
Deno.test(`readJournal() accepts no lines that are left out, repeated, moved or another journal's (${LINES} journals)`, async () => {
  await fc.assert(
    fc.asyncProperty(lineEdit, async ({ kind, at, other, stranger, cut }) => {
      const [here, there, foreign] = [lines[at] ?? "", lines[other] ?? "", strangers[stranger]?.[at] ?? ""];
      const changed = joined({
        remove: () => lines.toSpliced(at, 1),
        repeat: () => lines.toSpliced(other, 0, here),
        swap: () => lines.with(at, there).with(other, here),
        reverse: () => [...lines.slice(0, at), ...lines.slice(at).reverse()],
        insert: () => lines.toSpliced(other, 0, foreign),
        replace: () => [...lines.slice(0, at), ...(strangers[stranger] ?? []).slice(at)],
        torn: () => lines.with(at, here.slice(0, cut)),
        long: () => lines.with(at, here + " ".repeat(MAX_LINE_BYTES + 1 - here.length + cut)),
        blank: () => lines.toSpliced(at, 0, ""),
      }[kind]());
      const { bytes } = await read(changed);
      assert(bytes <= Math.max(...[journal, ...otherJournals].map((whole) => commonLength(changed, whole))));
    }),
    { numRuns: LINES, seed: 2 },
  );
});

const MEMBERS = 2500;
Deno.test(`readJournal() accepts no record whose members change (${MEMBERS} journals)`, async () => {
  const documents = lines.map((line) => JSON.parse(line));
  const places = documents.map((document) => placesOf(document));
  await fc.assert(
    fc.asyncProperty(fc.nat(lines.length - 1), jsonEdit, async (at, edit) => {
      const { text } = applyJsonEdit(documents[at], places[at] ?? [], edit);
      const changed = joined(lines.with(at, text));
      expectNothingChanged(changed, await read(changed));
    }),
    { numRuns: MEMBERS, seed: 3 },
  );
});

/** Values that a forger writes into records before the chain is computed over them. */
const recordEdit = fc.record({
  at: fc.nat(records.length - 1),
  other: fc.nat(records.length - 1),
  kind: fc.constantFrom("member", "remove", "repeat", "swap"),
  member: fc.constantFrom(
    "step",
    "lr",
    "loss",
    "gradientNorm",
    "batch",
    "state",
    "divergence",
    "value",
    "skipped",
    "tokens",
    "upstream",
    "downstream",
    "kind",
  ),
  value: fc.oneof(
    fc.constantFrom<unknown>(-1, 0.5, 1e21, NaN, Infinity, 2 ** 53, 11, "7", null, [], {}, "", "loss", "gradientNorm"),
    fc.constantFrom("7ff0000000000000", "7ff8000000000000", "7fefffffffffffff", "3FF0000000000000", "3ff000000000000"),
    fc.constantFrom("7f800000", "ff800000", "7fc00000", "7f7fffff", "80000000", "3F800000", "3f80000", "0".repeat(64)),
    fc.integer({ min: 0, max: 12 }),
  ),
});

const FORGED = 1500;
Deno.test(`readJournal() accepts under a forged chain only whole steps of finite numbers, each spelled one way (${FORGED} journals)`, async () => {
  let accepted = 0;
  await fc.assert(
    fc.asyncProperty(recordEdit, async ({ at, other, kind, member, value }) => {
      const [here, there] = [records[at], records[other]];
      if (here === undefined || there === undefined) throw new Error("no record");
      const changed = {
        member: () => records.with(at, { ...here, [member]: value } as JournalRecord),
        remove: () => records.toSpliced(at, 1),
        repeat: () => records.toSpliced(other, 0, here),
        swap: () => records.with(at, there).with(other, here),
      }[kind]();
      let forged: Uint8Array;
      try {
        forged = joined(linesOf(HEADER, changed));
      } catch {
        return; // not even a forger can hash it
      }
      const { problem, steps, divergence } = await read(forged);
      if (problem !== undefined) return;
      accepted++;
      assert.equal(steps, changed.filter(({ kind }) => kind === "step" || kind === "skip").length);
      assert.equal(divergence !== undefined, changed.at(-1)?.kind === "divergence");
    }),
    { numRuns: FORGED, seed: 4 },
  );
  assert(accepted > 0 && accepted < FORGED / 2, `${accepted}`);
});
