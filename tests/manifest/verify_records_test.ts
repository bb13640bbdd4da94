/** `run.json` among the subjects: it may say of its run what the manifest says, and nothing else. */
import assert from "node:assert/strict";
import { canonicalJson } from "../../src/digest/canonical_json.ts";
import { isTrained } from "../../src/manifest/format/run.ts";
import { formatVerification, type VerificationReport } from "../../src/manifest/verify/verification_report.ts";
import { verifyManifest } from "../../src/manifest/verify/verify.ts";
import { checkpointName } from "../../src/train/checkpoint/checkpoint_name.ts";
import { digestOf, forge, loose, makeBundle, memoryArtefacts, testJudge } from "./fixture.ts";

const bundle = await makeBundle();
const runs = bundle.statement.predicate.runs.filter(isTrained);
const diverged = runs.findIndex(({ outcome }) => outcome === "diverged");

/** What training leaves as the record of a run. */
function recordOf(index: number) {
  const { key, label, journal, outcome, states, curves } = runs[index] ?? assert.fail();
  return {
    format: "rewarm run v1",
    key,
    label,
    steps: journal.steps,
    outcome: outcome === "completed" ? { kind: outcome } : { kind: outcome, step: journal.steps, value: "NaN" },
    journalRoot: journal.root,
    states: states.map(({ step, state }) => ({ step, state })),
    files: {
      journal: journal.sha256,
      curves: curves.sha256,
      checkpoints: Object.fromEntries(
        states.flatMap(({ step, checkpoint }) =>
          checkpoint === undefined ? [] : [[checkpointName(step), checkpoint.sha256]]
        ),
      ),
    },
  };
}

/** Verifies the manifest with records beside it, those of one run changed and everything signed anew. */
// deno-lint-ignore no-explicit-any -- a forger is bound by no type
async function verifyWith(at: number, change: (record: any) => unknown): Promise<VerificationReport> {
  const artefacts = new Map(bundle.artefacts);
  const forged = loose(bundle.statement);
  for (const [index, { label }] of runs.entries()) {
    const record = structuredClone(recordOf(index));
    const text = index === at ? change(record) ?? record : record;
    const name = `runs/${label}/run.json`;
    artefacts.set(name, new TextEncoder().encode(typeof text === "string" ? text : canonicalJson(text)));
    forged.subject.push({ name, digest: { sha256: digestOf(artefacts, name) } });
  }
  return await verifyManifest(await forge(forged, bundle.key), memoryArtefacts(artefacts), { judge: testJudge });
}

Deno.test("verifyManifest() reads the records of runs, and finds what the manifest says", async () => {
  const report = await verifyWith(0, () => undefined);
  assert.equal(report.verdict, "verified", formatVerification(report));
  assert.doesNotMatch(report.caveats.join(), /further files/);
});

Deno.test("verifyManifest() names the files that no step reads", async () => {
  const artefacts = new Map(bundle.artefacts).set("notes.txt", new TextEncoder().encode("trust me"));
  const forged = loose(bundle.statement);
  forged.subject.push({ name: "notes.txt", digest: { sha256: digestOf(artefacts, "notes.txt") } });
  const bytes = await forge(forged, bundle.key);
  const report = await verifyManifest(bytes, memoryArtefacts(artefacts), { judge: testJudge });
  assert.equal(report.verdict, "verified", formatVerification(report));
  assert.match(report.caveats.join("\n"), /^What 1 further files hold: .* no step reads them: notes\.txt\.$/m);
});

// deno-lint-ignore no-explicit-any -- a forger is bound by no type
const FORGERIES: [name: string, at: number, change: (record: any) => unknown, reason: RegExp][] = [
  ["other steps", 0, (r) => void r.steps++, /its "steps" is not what the manifest says/],
  ["another root", 0, (r) => void (r.journalRoot = "0".repeat(64)), /its "journalRoot"/],
  ["another outcome", 0, (r) => void (r.outcome = { kind: "diverged", step: 64, value: "NaN" }), /its "outcome"/],
  ["another end", diverged, (r) => void (r.outcome.value = "Infinity"), /its "outcome"/],
  ["a state less", 0, (r) => void r.states.pop(), /its "states"/],
  ["another label", 0, (r) => void (r.label = "x"), /its "label"/],
  ["another run's key", 0, (r) => void (r.key = runs[1]?.key), /its "key"/],
  ["another curve", 0, (r) => void (r.files.curves = r.files.journal), /its "files"/],
  [
    "a checkpoint more",
    0,
    (r) => void (r.files.checkpoints["step-000001.safetensors"] = r.files.journal),
    /its "files"/,
  ],
  ["conditions", 0, (r) => void (r.conditions = [{ fromStep: 0, conditions: { gpu: "a" } }]), /its "conditions"/],
  ["a member more", 0, (r) => void (r.note = "trained by hand"), /Unrecognized key/],
  ["no JSON", 0, () => "{", /record of run "upstream_pretrain_seed-0"/],
];
for (const [name, at, change, reason] of FORGERIES) {
  Deno.test(`verifyManifest() fails a record with ${name}`, async () => {
    const report = await verifyWith(at, change);
    const step = report.steps.find(({ name }) => name === "curves");
    assert.equal(step?.status, "failed", formatVerification(report));
    assert.match(step.detail, reason);
  });
}
