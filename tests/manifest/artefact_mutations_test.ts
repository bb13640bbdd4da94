/**
 * Fuzzing of what lies beside a manifest: changed artefacts fail, and where all digests were made to fit them and signed
 * by the trusted key itself, nothing is verified but what follows from plan, schedule and curves. Seeds are fixed.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { canonicalJson } from "../../src/digest/canonical_json.ts";
import { type Digest, sha256 } from "../../src/digest/sha256.ts";
import { isTrained, type TrainedRun } from "../../src/manifest/format/run.ts";
import { chainStart, formatHeader, parseHeader } from "../../src/train/journal/journal_header.ts";
import { chainNext, formatRecord, parseRecord } from "../../src/train/journal/journal_record.ts";
import type { JournalRecord } from "../../src/train/journal/journal_record.ts";
import { applyByteEdits, byteEdits } from "../fuzz/byte_edits.ts";
import { applyJsonEdit, jsonEdit, placesOf } from "../fuzz/json_edits.ts";
import { type Artefacts, digestOf, forge, loose, treeOf } from "./fixture.ts";
import { bundle, failedStep, maker, report, trustedKeys } from "./fuzz_fixture.ts";

const envelope = new TextEncoder().encode(bundle.envelope);
const runs = bundle.statement.predicate.runs.filter(isTrained);
const text = (name: string) => new TextDecoder().decode(bundle.artefacts.get(name));
const encode = (text: string) => new TextEncoder().encode(text);

function at<T>(list: readonly T[], index: number): T {
  const item = list[index];
  if (item === undefined) throw new RangeError(`There is no item ${index}`);
  return item;
}

function replaced(name: string, contents: Uint8Array): Artefacts {
  return new Map([...bundle.artefacts, [name, contents]]);
}

/** The maker's own statement over changed artefacts, every digest made to fit. */
// deno-lint-ignore no-explicit-any -- a forger is bound by no type
async function resigned(artefacts: Artefacts, change: (predicate: any) => void = () => {}): Promise<Uint8Array> {
  const statement = loose(bundle.statement);
  for (const subject of statement.subject) subject.digest.sha256 = digestOf(artefacts, subject.name);
  for (const run of statement.predicate.runs) {
    for (const item of [run.journal, run.curves]) item.sha256 = digestOf(artefacts, item.name);
  }
  statement.predicate.plan.sha256 = digestOf(artefacts, "plan.json");
  change(statement.predicate);
  return await forge(statement, maker);
}

const CHANGED = 400;
Deno.test(`verifyManifest() never verifies a changed artefact (${CHANGED} artefacts)`, async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...bundle.artefacts.keys()), byteEdits, async (name, edits) => {
      const original = bundle.artefacts.get(name) ?? new Uint8Array();
      const changed = applyByteEdits(original, edits);
      const isSame = changed.toHex() === original.toHex();
      const { verdict } = await report(envelope, replaced(name, changed), { trustedKeys });
      assert.equal(verdict, isSame ? "verified" : "failed");
    }),
    { numRuns: CHANGED, seed: 1 },
  );
});

const CURVES = 500;
Deno.test(`verifyManifest() verifies no curve signed anew that its journal does not record (${CURVES} curves)`, async () => {
  let verified = 0;
  const curves = runs.map((run) => {
    const curve: unknown = JSON.parse(text(run.curves.name));
    return { run, curve, places: placesOf(curve) };
  });
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...curves.keys()), jsonEdit, async (index, edit) => {
      const { run, curve, places } = at(curves, index);
      const changed = applyJsonEdit(curve, places, edit);
      const artefacts = replaced(run.curves.name, encode(changed.text));
      const found = await report(await resigned(artefacts), artefacts, { trustedKeys });
      if (changed.refused) assert.equal(failedStep(found), "curves");
      if (found.verdict !== "verified") return;
      verified++;
      assert.deepEqual(JSON.parse(changed.text), curve);
    }),
    { numRuns: CURVES, seed: 2 },
  );
  assert(verified > 0 && verified < CURVES / 2, `${verified}`);
});

const PLANS = 400;
Deno.test(`verifyManifest() verifies no other runs, arms or data in a plan signed anew (${PLANS} plans)`, async () => {
  const plan = JSON.parse(text("plan.json"));
  const places = placesOf(plan);
  // deno-lint-ignore no-explicit-any -- a forger is bound by no type
  const bound = ({ runs, data, engine, seeds, scale }: any) =>
    canonicalJson({ runs, data, engine, seeds, scale: scale.name });
  let verified = 0;
  await fc.assert(
    fc.asyncProperty(jsonEdit, fc.boolean(), async (edit, fitsDigest) => {
      const changed = applyJsonEdit(plan, places, edit);
      let contents = changed.text;
      let planDigest = plan.planDigest;
      if (fitsDigest && !changed.refused) {
        const { planDigest: _, ...content } = JSON.parse(changed.text);
        planDigest = sha256(canonicalJson(content));
        contents = canonicalJson({ ...content, planDigest });
      }
      const artefacts = replaced("plan.json", encode(contents));
      const signed = await resigned(artefacts, (predicate) => predicate.plan.planDigest = planDigest);
      const found = await report(signed, artefacts, { trustedKeys });
      if (changed.refused) assert.equal(failedStep(found), "plan");
      if (found.verdict !== "verified") return;
      verified++;
      assert.equal(bound(JSON.parse(contents)), bound(plan));
    }),
    { numRuns: PLANS, seed: 3 },
  );
  assert(verified > 0 && verified < PLANS / 2, `${verified}`);
});

function recordsOf(run: TrainedRun): JournalRecord[] {
  return text(run.journal.name).trimEnd().split("\n").slice(1).map((line) => {
    const parsed = parseRecord(line);
    if (typeof parsed === "string") throw new Error(parsed);
    return parsed.record;
  });
}

/** A journal whose chain is whole, whatever its records say. */
function chained(run: TrainedRun, records: readonly JournalRecord[]): { contents: Uint8Array; root: Digest } {
  const header = parseHeader(text(run.journal.name).split("\n")[0] ?? "", run.key);
  if (header === undefined) throw new Error("no header");
  let chain = chainStart(header);
  const lines = records.map((record) => formatRecord(record, chain = chainNext(chain, record)));
  return { contents: encode(`${[formatHeader(header), ...lines].join("\n")}\n`), root: chain };
}

/** A change of a list of records that a forger may make before the chain is computed again. */
const recordEdit = fc.record({
  kind: fc.constantFrom("remove", "repeat", "swap", "change", "renumber", "from another run"),
  at: fc.nat(1000),
  other: fc.nat(1000),
  member: fc.constantFrom("lr", "loss", "gradientNorm", "batch", "state", "value", "tokens", "upstream", "downstream"),
  bits: fc.constantFrom("00000000", "80000000", "3f800000", "00000001", "7f7fffff", "40a00000"),
});

const JOURNALS = 400;
Deno.test(`verifyManifest() verifies no other steps, rates, evaluations or states in a journal chained and signed anew (${JOURNALS} journals)`, async () => {
  let verified = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...runs.keys()),
      fc.constantFrom(...runs.keys()),
      recordEdit,
      async (own, strange, edit) => {
        const { kind, member, bits } = edit;
        const run = at(runs, own);
        const original = recordsOf(run);
        const [place, other] = [edit.at % original.length, edit.other % original.length];
        const [here, there] = [at(original, place), at(original, other)];
        const foreign = recordsOf(at(runs, strange))[place];
        const isDigest = ["batch", "state"].includes(member);
        const isMean = ["upstream", "downstream"].includes(member);
        const value = member === "value"
          ? "ff800000"
          : member === "tokens"
          ? Number.parseInt(bits, 16)
          : isDigest
          ? sha256(bits)
          : isMean
          ? bits + bits
          : bits;
        const edited: JournalRecord = member in here ? { ...here, [member]: value } : here;
        const records = {
          remove: () => original.toSpliced(place, 1),
          repeat: () => original.toSpliced(other, 0, here),
          swap: () => original.with(place, there).with(other, here),
          change: () => original.with(place, edited),
          renumber: () => original.with(place, { ...here, step: here.step + 1 }),
          "from another run": () => original.with(place, foreign ?? here),
        }[kind]?.() ?? original;
        const { contents, root } = chained(run, records);
        const artefacts = replaced(run.journal.name, contents);
        const states = new Map(
          records.flatMap((record) => record.kind === "state" ? [[record.step, record.state]] : []),
        );
        const fitted: TrainedRun = {
          ...run,
          journal: {
            ...run.journal,
            sha256: digestOf(artefacts, run.journal.name),
            root,
            steps: records.filter((record) => record.kind === "step").length,
          },
          states: run.states.map((state) => ({ ...state, state: states.get(state.step) ?? state.state })),
        };
        const forgedRun = { ...fitted, merkleTree: await treeOf(fitted, artefacts) };
        const signed = await resigned(artefacts, (predicate) => {
          const index = predicate.runs.findIndex(({ key }: TrainedRun) => key === run.key);
          predicate.runs[index] =
            loose({ ...bundle.statement, predicate: { ...bundle.statement.predicate, runs: [forgedRun] } })
              .predicate.runs[0];
        });
        const found = await report(signed, artefacts, { trustedKeys });
        if (found.verdict !== "verified") return;
        verified++;
        // Losses of steps, norms, batches and states are the maker's word until they are retrained. Steps, rates and
        // evaluations are not: the former follow from the schedule, the latter are in the curve.
        const grid = (list: readonly JournalRecord[]) =>
          list.map((record) =>
            record.kind === "evaluation" ? record : [record.kind, record.step, record.kind === "step" ? record.lr : ""]
          );
        assert.deepEqual(grid(records), grid(original));
      },
    ),
    { numRuns: JOURNALS, seed: 4 },
  );
  assert(verified > 0 && verified < 0.75 * JOURNALS, `${verified}`);
});
