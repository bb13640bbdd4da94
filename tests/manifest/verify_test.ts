import assert from "node:assert/strict";
import { canonicalJson } from "../../src/digest/canonical_json.ts";
import { sha256 } from "../../src/digest/sha256.ts";
import { UserError } from "../../src/errors.ts";
import { generateSigningKey } from "../../src/manifest/keys/keys.ts";
import { openTopics } from "../../src/manifest/format/members.ts";
import {
  formatVerification,
  type StepName,
  type VerificationReport,
} from "../../src/manifest/verify/verification_report.ts";
import { MAX_MANIFEST_BYTES, verifyManifest } from "../../src/manifest/verify/verify.ts";
import type { Replan, VerifyOptions } from "../../src/manifest/verify/verify_options.ts";
import { toBits64 } from "../../src/train/journal/journal_record.ts";
import {
  type Artefacts,
  digestOf,
  forge,
  journalText,
  loose,
  makeBundle,
  memoryArtefacts,
  testJudge,
  testPlan,
  treeOf,
} from "./fixture.ts";

const bundle = await makeBundle();
const plan = await testPlan();
const attacker = await generateSigningKey();
const trusted = [{ name: "the maker", key: bundle.key }];
const encoder = new TextEncoder();

function verify(
  changes: { envelope?: string | Uint8Array; artefacts?: Artefacts; options?: VerifyOptions } = {},
): Promise<VerificationReport> {
  const { envelope = bundle.envelope, artefacts = bundle.artefacts, options = {} } = changes;
  const bytes = typeof envelope === "string" ? encoder.encode(envelope) : envelope;
  return verifyManifest(bytes, memoryArtefacts(artefacts), { judge: testJudge, ...options });
}

/** The step must have this status for this reason, and the verdict follow. */
function expect(report: VerificationReport, name: StepName, status: "failed" | "not checked", reason: RegExp): void {
  const step = report.steps.find((step) => step.name === name);
  assert.equal(step?.status, status, formatVerification(report));
  assert.match(step.detail, reason);
  assert.equal(report.exitCode, report.verdict === "failed" ? 1 : 2);
  assert.notEqual(report.verdict, "verified");
}

/** Artefacts with one replaced, or removed. */
function replaced(name: string, contents: string | Uint8Array | undefined): Artefacts {
  const copy = new Map(bundle.artefacts);
  assert.ok(copy.delete(name), name);
  if (contents !== undefined) copy.set(name, typeof contents === "string" ? encoder.encode(contents) : contents);
  return copy;
}

const artefactText = (name: string) => new TextDecoder().decode(bundle.artefacts.get(name));

/** A statement whose digests were made to fit changed artefacts, signed by the attacker. */
// deno-lint-ignore no-explicit-any -- a forger is bound by no type
async function resigned(artefacts: Artefacts, change: (statement: any) => void = () => {}): Promise<Uint8Array> {
  const forged = loose(bundle.statement);
  for (const subject of forged.subject) subject.digest.sha256 = digestOf(artefacts, subject.name);
  for (const run of forged.predicate.runs) {
    for (const item of [run.journal, run.curves]) item.sha256 = digestOf(artefacts, item.name);
  }
  forged.predicate.plan.sha256 = digestOf(artefacts, "plan.json");
  change(forged);
  for (const run of forged.predicate.runs) run.merkleTree = await treeOf(run, artefacts);
  return await forge(forged, attacker);
}

const [, plainRun] = plan.runs;
if (plainRun === undefined) throw new Error("The plan has too few runs");
const folder = `runs/${plainRun.label}`;

Deno.test("verifyManifest() verifies what was signed, and says by whom", async () => {
  const report = await verify({ options: { trustedKeys: trusted } });
  assert.equal(report.verdict, "verified", formatVerification(report));
  assert.equal(report.exitCode, 0);
  assert.deepEqual(report.signers, [{ keyId: bundle.key.keyId, trustedAs: "the maker" }]);
  const open = report.steps.filter(({ status }) => status !== "ok").map(({ name }) => name);
  assert.deepEqual(open, ["report", "attestations", "retrain"]);
  assert.deepEqual(
    report.caveats.map((caveat) => caveat.slice(0, 24)),
    [
      "That every arm trains what its name says",
      "What the page beside the manifest shows",
      "No piece of the training was repeated here",
      ...openTopics("https://rewarm.dev/reproduction/v2", true),
    ].map((caveat) => caveat.slice(0, 24)),
  );
  assert.equal(report.statement?.predicate.scale, "smoke");
  assert.match(formatVerification(report), /^Verified: .* the maker signed/m);
});

Deno.test("verifyManifest() says that the owner of a key was not checked where none is trusted", async () => {
  const report = await verify();
  assert.equal(report.verdict, "verified");
  assert.match(report.caveats.join(" "), new RegExp(`Who owns key ${bundle.key.keyId}`));
  assert.equal(report.steps.find(({ name }) => name === "signer")?.status, "not checked");
});

Deno.test("verifyManifest() does not say verified where claims could not be judged", async () => {
  const { judge: _, ...options } = { judge: testJudge, trustedKeys: trusted };
  const report = await verifyManifest(encoder.encode(bundle.envelope), memoryArtefacts(bundle.artefacts), options);
  expect(report, "claims", "not checked", /no rules are at hand/);
  const other = await verify({ options: { judge: () => "the rules here are others" } });
  expect(other, "claims", "not checked", /the rules here are others/);
  const broken = await verify({
    options: {
      judge: () => {
        throw new TypeError("a bug");
      },
    },
  });
  expect(broken, "claims", "not checked", /a bug/);
});

Deno.test("verifyManifest() fails what is no manifest", async () => {
  const cases: [string | Uint8Array, StepName, RegExp][] = [
    ["", "envelope", /not strict JSON/],
    ["<html>", "envelope", /not strict JSON/],
    [Uint8Array.of(0xff, 0xfe), "envelope", /not UTF-8/],
    ["{}", "envelope", /no DSSE envelope: it has no "payloadType"/],
    [bundle.envelope.replace("{", '{"payload":"",'), "envelope", /key "payload" stands twice/],
    [bundle.envelope.replace("{", `{"x":${"[".repeat(100)}${"]".repeat(100)},`), "envelope", /deeper than 32/],
    [bundle.envelope.replace("{", '{"x":1e999,'), "envelope", /too large/],
    [bundle.envelope.replace("{", '{"x":"\\ud800",'), "envelope", /lone surrogate/],
    [new Uint8Array(MAX_MANIFEST_BYTES + 1), "size", /at most/],
  ];
  for (const [envelope, step, reason] of cases) expect(await verify({ envelope }), step, "failed", reason);
});

Deno.test("verifyManifest() fails a payload, type or signature that was changed", async () => {
  const envelope = JSON.parse(bundle.envelope);
  const payload = atob(envelope.payload);
  const [signature] = envelope.signatures;
  const changes = [
    { ...envelope, payload: btoa(payload.replace('"smoke"', '"tiny!"')) },
    { ...envelope, payload: btoa(`${payload} `) },
    { ...envelope, payloadType: "application/json" },
    { ...envelope, signatures: [{ ...signature, sig: btoa("x".repeat(64)) }] },
    { ...envelope, signatures: [{ ...signature, sig: "" }] },
  ];
  for (const changed of changes) {
    const report = await verify({ envelope: JSON.stringify(changed) });
    expect(report, "signature", "failed", /does not fit the bytes/);
    assert.equal(report.steps.find(({ name }) => name === "schema")?.status, "not checked");
    assert.equal(report.statement, undefined);
  }
});

Deno.test("verifyManifest() fails a key in the envelope that is not the one named", async () => {
  const envelope = JSON.parse(bundle.envelope);
  const [signature] = envelope.signatures;
  const other = { ...envelope, signatures: [{ ...signature, publicKey: attacker.spki.toBase64() }] };
  expect(await verify({ envelope: JSON.stringify(other) }), "signature", "failed", /and its signature names key/);
  const none = { ...envelope, signatures: [{ ...signature, publicKey: "AAAA" }] };
  expect(await verify({ envelope: JSON.stringify(none) }), "signature", "failed", /no Ed25519 key/);
});

Deno.test("verifyManifest() needs no key in the envelope where the signer's is trusted, and cannot check without", async () => {
  const envelope = JSON.parse(bundle.envelope);
  for (const signature of envelope.signatures) delete signature.publicKey;
  const bare = JSON.stringify(envelope);
  assert.equal((await verify({ envelope: bare, options: { trustedKeys: trusted } })).verdict, "verified");
  expect(await verify({ envelope: bare }), "signature", "not checked", /--public-key/);
});

Deno.test("verifyManifest() fails a manifest that another key than the trusted ones signed", async () => {
  const envelope = await forge(bundle.statement, attacker);
  const report = await verify({ envelope, options: { trustedKeys: trusted } });
  expect(report, "signer", "failed", /signed by another key, .* and not by .* \(the maker\)/);
  assert.equal(report.steps.find(({ name }) => name === "type")?.status, "not checked");
});

Deno.test("verifyManifest() takes one trusted signature among several, and fails if any signature is bad", async () => {
  const own = JSON.parse(bundle.envelope);
  const payload = Uint8Array.fromBase64(own.payload);
  const other = JSON.parse(new TextDecoder().decode(await forge(new TextDecoder().decode(payload), attacker)));
  const both = { ...own, signatures: [...other.signatures, ...own.signatures] };
  const report = await verify({ envelope: JSON.stringify(both), options: { trustedKeys: trusted } });
  assert.equal(report.verdict, "verified");
  assert.deepEqual(report.signers.map(({ trustedAs }) => trustedAs), [undefined, "the maker"]);
  both.signatures[0].sig = own.signatures[0].sig;
  expect(await verify({ envelope: JSON.stringify(both) }), "signature", "failed", /does not fit/);
});

Deno.test("verifyManifest() refuses unknown types before it reads what they mean", async () => {
  const { statement } = bundle;
  const cases: [unknown, RegExp][] = [
    [
      { ...statement, predicateType: "https://rewarm.dev/reproduction/v3" },
      /"predicateType" is ".*v3".*knows only ".*v1" and ".*v2"/,
    ],
    [{ ...statement, predicateType: "https://slsa.dev/provenance/v1", predicate: {} }, /slsa\.dev/],
    [{ ...statement, _type: "https://in-toto.io/Statement/v0.1" }, /"_type" is/],
    [{ predicate: statement.predicate }, /"_type" is missing/],
    [[], /"_type" is missing/],
    ['{"_type":1,"_type":2}', /not strict JSON: The key "_type" stands twice/],
  ];
  for (const [payload, reason] of cases) {
    const report = await verify({ envelope: await forge(payload, attacker) });
    expect(report, "type", "failed", reason);
    assert.equal(report.steps.find(({ name }) => name === "schema")?.status, "not checked");
  }
  const envelope = await forge(statement, attacker, "application/json");
  expect(await verify({ envelope }), "type", "failed", /payload type is "application\/json"/);
});

Deno.test("verifyManifest() refuses members that it does not know, and values of another form", async () => {
  // deno-lint-ignore no-explicit-any -- a forger is bound by no type
  const cases: [(statement: any) => void, RegExp][] = [
    [(s) => s.unknown = true, /Unrecognized key: "unknown"/],
    [(s) => s.predicate.runs[0].extra = 1, /predicate\.runs\[0\]: Unrecognized key/],
    [(s) => s.predicate.runs[0].specification.model.bias = true, /specification\.model: Unrecognized key/],
    [(s) => s.subject[0].digest.sha256 = "0".repeat(63), /subject\[0\]\.digest\.sha256: a SHA-256 digest/],
    [(s) => s.subject[0].digest = { md5: "0" }, /subject\[0\]\.digest/],
    [(s) => delete s.predicate.limits, /predicate\.limits/],
    [(s) => s.predicate.runs[0].outcome = "perfect", /outcome/],
    [(s) => s.predicate.runs[0].specification.schedule.totalSteps = 1e9, /totalSteps/],
    [(s) => s.subject = [], /subject/],
  ];
  for (const [change, reason] of cases) {
    const forged = loose(bundle.statement);
    change(forged);
    expect(await verify({ envelope: await forge(forged, attacker) }), "schema", "failed", reason);
  }
});

Deno.test("verifyManifest() opens nothing where a subject leads out of the folder or stands twice", async () => {
  const opened: string[] = [];
  const artefacts = {
    open(name: string) {
      opened.push(name);
      return memoryArtefacts(bundle.artefacts).open(name);
    },
  };
  const names = ["../../etc/passwd", "/etc/passwd", "runs/../../x", "C:\\x", "a\0b", "report.html", "Report.HTML"];
  for (const name of names) {
    const forged = loose(bundle.statement);
    forged.subject.push({ name, digest: { sha256: sha256("x") } });
    const report = await verifyManifest(await forge(forged, attacker), artefacts, { judge: testJudge });
    expect(report, "subjects", "failed", /subject/);
  }
  assert.deepEqual(opened, []);
});

Deno.test("verifyManifest() finds one flipped bit in any artefact", async () => {
  for (const [name, bytes] of bundle.artefacts) {
    const flipped = bytes.slice();
    const place = bytes.length >> 1;
    flipped[place] = (flipped[place] ?? 0) ^ 1;
    const report = await verify({ artefacts: replaced(name, flipped) });
    expect(report, "artefacts", "failed", /was changed: its digest is/);
    assert.ok(report.steps.find((step) => step.name === "artefacts")?.detail.includes(`"${name}"`));
  }
});

Deno.test("verifyManifest() could not check where an artefact is missing or cannot be read", async () => {
  for (const name of bundle.artefacts.keys()) {
    const report = await verify({ artefacts: replaced(name, undefined) });
    expect(report, "artefacts", "not checked", /17 of 18 artefacts re-hashed and found as signed; missing: /);
    assert.equal(report.verdict, "could not check");
  }
  const denied = {
    open(): AsyncIterable<Uint8Array> {
      throw new UserError("PERMISSION_DENIED", "Cannot read");
    },
  };
  const report = await verifyManifest(encoder.encode(bundle.envelope), denied, { judge: testJudge });
  expect(report, "artefacts", "not checked", /Cannot read/);
  const linked = {
    open(): AsyncIterable<Uint8Array> {
      throw new UserError("UNSAFE_PATH", "leads out of the folder");
    },
  };
  expect(await verifyManifest(encoder.encode(bundle.envelope), linked), "artefacts", "failed", /leads out/);
});

Deno.test("verifyManifest() does without checkpoints if it is told so, and says so", async () => {
  const artefacts = new Map([...bundle.artefacts].filter(([name]) => !name.includes("checkpoints/")));
  expect(await verify({ artefacts }), "artefacts", "not checked", /missing: /);
  const report = await verify({ artefacts, options: { withoutCheckpoints: true } });
  assert.equal(report.verdict, "verified");
  assert.match(report.caveats.join(" "), /What \d+ checkpoints hold: they are not there/);
  artefacts.delete("report.html");
  expect(
    await verify({ artefacts, options: { withoutCheckpoints: true } }),
    "artefacts",
    "not checked",
    /report\.html/,
  );
});

Deno.test("verifyManifest() judges an edited curve by the key: signed anew by another, it is refused", async () => {
  const name = `${folder}/curves.json`;
  const artefacts = replaced(name, artefactText(name).replace('"downstream":2.89', '"downstream":1.89'));
  expect(
    await verify({ artefacts, options: { trustedKeys: trusted } }),
    "artefacts",
    "failed",
    /curves\.json" was changed/,
  );
  const envelope = await resigned(artefacts);
  expect(await verify({ envelope, artefacts, options: { trustedKeys: trusted } }), "signer", "failed", /another key/);
  // Without a trusted key the journal still betrays it, and where the journal is made to fit, the claims do.
  const reason = /downstream loss at step 11 is 1\.89, and the journal records 2\.89/;
  expect(await verify({ envelope, artefacts }), "curves", "failed", reason);
  const journal = journalText(
    plainRun,
    Infinity,
    (r) => r.kind === "evaluation" && r.step === 11 ? { ...r, downstream: toBits64(1.89) } : r,
  );
  const fitting = new Map([...artefacts, [`${folder}/journal.jsonl`, encoder.encode(journal.text)]]);
  const signed = await resigned(fitting, (s) => s.predicate.runs[1].journal.root = journal.root);
  const claims = /claim "ends" has numbers .* and the curves give/;
  expect(await verify({ envelope: signed, artefacts: fitting }), "claims", "failed", claims);
});

Deno.test("verifyManifest() gives the judge the rules that were signed, where they are an artefact as it was", async () => {
  const artefacts = new Map([...bundle.artefacts, ["paper.yaml", encoder.encode("the rules")]]);
  const envelope = await resigned(artefacts, (statement) => {
    statement.subject.push({ name: "paper.yaml", digest: { sha256: sha256("the rules") } });
    statement.predicate.paper.name = "paper.yaml";
  });
  const seen: (string | undefined)[] = [];
  const judge: NonNullable<VerifyOptions["judge"]> = (evidence) => {
    seen.push(evidence.rules);
    return testJudge(evidence);
  };
  assert.equal((await verify({ envelope, artefacts, options: { judge } })).verdict, "verified");
  assert.equal((await verify({ options: { judge } })).verdict, "verified");
  artefacts.set("paper.yaml", encoder.encode("other rules"));
  assert.equal((await verify({ envelope, artefacts, options: { judge } })).verdict, "failed");
  assert.deepEqual(seen, ["the rules", undefined, undefined]);
});

Deno.test("verifyManifest() fails claims that do not follow from the curves", async () => {
  // deno-lint-ignore no-explicit-any -- a forger is bound by no type
  const cases: [(claims: any[]) => void, RegExp][] = [
    [(claims) => claims[0].verdict = "contradicted", /has verdict "contradicted", and the curves give "reproduced"/],
    [(claims) => claims[0].numbers[0].value = "2.5", /has numbers/],
    [(claims) => claims[0].rule = "Anything goes.", /has rule/],
    [(claims) => claims.push({ ...claims[0], id: "more" }), /claim "more" is stated, but the rules have none/],
    [(claims) => claims.pop(), /claim "ends" is not stated/],
  ];
  for (const [change, reason] of cases) {
    const envelope = await resigned(bundle.artefacts, (statement) => change(statement.predicate.claims));
    expect(await verify({ envelope }), "claims", "failed", reason);
  }
});

Deno.test("verifyManifest() leaves the words to the version that made the manifest, and nothing else", async () => {
  // deno-lint-ignore no-explicit-any -- a forger is bound by no type
  const reworded = (change: (claim: any) => void) =>
    resigned(bundle.artefacts, ({ predicate }) => {
      predicate.tool.version = "0.0.9";
      change(predicate.claims[0]);
    });
  const same = await verify({ envelope: await reworded(() => {}) });
  assert.equal(same.verdict, "verified", formatVerification(same));
  assert.doesNotMatch(same.caveats.join(), /words for what was found/);
  const report = await verify({ envelope: await reworded((claim) => claim.reason = "There was once one in each.") });
  assert.equal(report.verdict, "verified", formatVerification(report));
  assert.match(
    report.caveats.join(),
    /those of version 0\.0\.9, and claim "ends" has reason "There was once one in each\.", and the curves give/,
  );
  // deno-lint-ignore no-explicit-any -- the same
  const cases: [(claim: any) => void, RegExp][] = [
    [(claim) => claim.verdict = "contradicted", /has verdict "contradicted"/],
    [(claim) => claim.numbers[0].value = "2.5", /has numbers/],
    [(claim) => claim.evidence[0].value = "2.5", /has evidence/],
    [(claim) => claim.evidence.pop(), /has evidence/],
    [(claim) => claim.statement = "Every run ends well.", /has statement/],
  ];
  for (const [change, reason] of cases) {
    expect(await verify({ envelope: await reworded(change) }), "claims", "failed", reason);
  }
});

Deno.test("verifyManifest() fails curves that leave out, add or move points, though all digests fit", async () => {
  const name = `${folder}/curves.json`;
  // deno-lint-ignore no-explicit-any -- a forger is bound by no type
  const cases: [(curves: any) => void, RegExp][] = [
    [(curves) => curves.points.splice(1, 1), /no point at step 2, which the journal records/],
    [(curves) => curves.points.pop(), /no point at step 11/],
    [(curves) => curves.points.push({ ...curves.points.at(-1), step: 12, tokens: 12 * 128 }), /a point at step 12/],
    [(curves) => curves.points[2].learningRate *= 2, /learning rate at step 4/],
    [(curves) => curves.points[2].tokens++, /tokens/],
    [(curves) => curves.label = "other", /it is that of run "other"/],
    [(curves) => curves.runKey = sha256("x"), /it is that of run/],
    [
      (curves) => curves.diverged = { step: 11, loss: "NaN" },
      /its "diverged" is .*, and from the journal follows null/,
    ],
    [(curves) => curves.bytesPerToken.upstream = 2, /its "bytesPerToken" is .*"upstream":2\}, and from the journal/],
    [(curves) => curves.points[1].upstream += 2 ** -40, /upstream loss at step 2 is/],
    [(curves) => curves.points[0].upstream = -1, /upstream/],
    [(curves) => curves.note = 1, /Unrecognized key/],
  ];
  for (const [change, reason] of cases) {
    const curves = JSON.parse(artefactText(name));
    change(curves);
    const artefacts = replaced(name, canonicalJson(curves));
    expect(await verify({ envelope: await resigned(artefacts), artefacts }), "curves", "failed", reason);
  }
});

Deno.test("verifyManifest() fails journals that were tampered with, though all digests of files fit", async () => {
  const name = `${folder}/journal.jsonl`;
  const text = artefactText(name);
  const lines = text.split("\n");
  const otherName = `runs/${plan.runs[3]?.label}/journal.jsonl`;
  const cases: [string, string | undefined, RegExp][] = [
    ["a loss", text.replace(/"loss":"40(.)/, '"loss":"41$1'), /line 4: its chain digest .* does not follow/],
    ["a record less", lines.toSpliced(4, 1).join("\n"), /line 5: it is for step 2, and step 1 is expected/],
    [
      "an evaluation's loss",
      text.replace(toBits64(2.02), toBits64(1.01)),
      /line 6: its chain digest .* does not follow/,
    ],
    ["bytes a token", text.replace(toBits64(1), toBits64(2)), /line 2: its chain digest .* does not follow/],
    ["a torn end", text.slice(0, -5), /it is torn/],
    ["the journal of another run", artefactText(otherName), /line 1: the header is not that/],
    ["nothing", "", /the journal is empty/],
    [
      "another seed, chain recomputed",
      journalText(plainRun, Infinity, (r) => r.kind === "step" && r.step === 6 ? { ...r, loss: "40000000" } : r).text,
      /its chain ends in .*, and .* is stated/,
    ],
  ];
  for (const [what, changed, reason] of cases) {
    const artefacts = replaced(name, changed);
    const report = await verify({ envelope: await resigned(artefacts), artefacts });
    expect(report, "journals", "failed", reason);
    assert.ok(report.steps.some(({ detail }) => detail.includes(plainRun.label)), what);
    assert.equal(report.steps.find((step) => step.name === "claims")?.status, "not checked");
  }
});

Deno.test("verifyManifest() fails a journal with other learning rates, though chain and root were recomputed", async () => {
  const name = `${folder}/journal.jsonl`;
  const forged = journalText(
    plainRun,
    Infinity,
    (r) => r.kind === "step" && r.step === 4 ? { ...r, lr: "3f800000" } : r,
  );
  const artefacts = replaced(name, forged.text);
  const envelope = await resigned(artefacts, (s) => s.predicate.runs[1].journal.root = forged.root);
  expect(await verify({ envelope, artefacts }), "journals", "failed", /its learning rate is 1, and the schedule has/);
});

Deno.test("verifyManifest() fails states that the journal does not record, or not where they are due", async () => {
  // deno-lint-ignore no-explicit-any -- a forger is bound by no type
  const cases: [(run: any) => void, RegExp][] = [
    [(run) => run.states.at(-1).state = sha256("x"), /the states it records and those stated differ from step 64 on/],
    [(run) => run.states.splice(1, 1), /differ from step/],
    [(run) => run.outcome = "diverged", /records no divergence, and one is stated/],
  ];
  for (const [change, reason] of cases) {
    const envelope = await resigned(bundle.artefacts, (s) => change(s.predicate.runs[0]));
    expect(await verify({ envelope }), "journals", "failed", reason);
  }
  // A chain that was recomputed over a state more than is due.
  const name = `${folder}/journal.jsonl`;
  const extra = journalText(plainRun, Infinity, (r) => r, [7]);
  const artefacts = replaced(name, extra.text);
  const envelope = await resigned(artefacts, (s) => {
    const run = s.predicate.runs[1];
    run.journal.root = extra.root;
    run.states.splice(1, 0, { step: 7, state: extra.states.find(({ step }) => step === 7)?.state });
    run.states.sort((a: { step: number }, b: { step: number }) => a.step - b.step);
  });
  expect(await verify({ envelope, artefacts }), "journals", "failed", /records a state at step 7, where none is due/);
});

Deno.test("verifyManifest() fails a Merkle tree that journal and checkpoints do not give", async () => {
  // deno-lint-ignore no-explicit-any -- a forger is bound by no type
  const cases: [StepName, (run: any, other: any) => void, RegExp][] = [
    ["journals", (run) => run.merkleTree.rootHash = sha256("x"), /its Merkle tree has the root .*, and .* is stated/],
    ["journals", (run, other) => run.merkleTree.rootHash = other.merkleTree.rootHash, /its Merkle tree has the root/],
    ["consistency", (run) => run.merkleTree.treeSize++, /has a Merkle tree of 22 leaves, .* make 21$/],
    ["schema", (run) => run.merkleTree.treeSize = 0, /treeSize/],
    ["schema", (run) => delete run.merkleTree, /merkleTree/],
    ["schema", (run) => run.merkleTree.leaves = [], /merkleTree: Unrecognized key/],
  ];
  for (const [name, change, reason] of cases) {
    const forged = loose(bundle.statement);
    const [, run, , other] = forged.predicate.runs;
    change(run, other);
    expect(await verify({ envelope: await forge(forged, attacker) }), name, "failed", reason);
  }
});

Deno.test("verifyManifest() fails checkpoints that were exchanged under the Merkle tree, though they are not there", async () => {
  const forged = loose(bundle.statement);
  const [run] = forged.predicate.runs;
  const [first, second] = run.states.filter(({ checkpoint }: { checkpoint?: unknown }) => checkpoint !== undefined);
  const digest = sha256("another state");
  first.checkpoint.sha256 = digest;
  forged.subject.find(({ name }: { name: string }) => name === first.checkpoint.name).digest.sha256 = digest;
  const artefacts = new Map([...bundle.artefacts].filter(([name]) => !name.includes("checkpoints/")));
  const options = { withoutCheckpoints: true };
  const changed = await verify({ envelope: await forge(forged, attacker), artefacts, options });
  expect(changed, "journals", "failed", /its Merkle tree has the root/);

  const swapped = loose(bundle.statement);
  const [swappedRun] = swapped.predicate.runs;
  const states = swappedRun.states.filter(({ checkpoint }: { checkpoint?: unknown }) => checkpoint !== undefined);
  [states[0].checkpoint, states[1].checkpoint] = [second.checkpoint, states[0].checkpoint];
  const order = await verify({ envelope: await forge(swapped, attacker), artefacts, options });
  expect(order, "journals", "failed", /its Merkle tree has the root/);
});

Deno.test("verifyManifest() fails a plan that is not the one carried out", async () => {
  const text = artefactText("plan.json");
  const edited = text.replace('"seeds":1', '"seeds":2');
  const artefacts = replaced("plan.json", edited);
  expect(await verify({ envelope: await resigned(artefacts), artefacts }), "plan", "failed", /planDigest/);
  const envelope = await resigned(bundle.artefacts, (s) => s.predicate.runs.pop());
  expect(await verify({ envelope }), "consistency", "failed", /claim "ends" points to run/);
  const unclaimed = await resigned(bundle.artefacts, (s) => {
    s.predicate.runs.pop();
    s.predicate.claims = [];
  });
  expect(
    await verify({ envelope: unclaimed }),
    "plan",
    "failed",
    /run "warmup-length_1%_seed-0" of the plan is not in the manifest/,
  );
  const garbage = replaced("plan.json", "[]");
  expect(await verify({ envelope: await resigned(garbage), artefacts: garbage }), "plan", "failed", /plan\.json/);
  for (
    const [change, step, reason] of [
      // deno-lint-ignore no-explicit-any -- a forger is bound by no type
      [(p: any) => p.scale = "tiny", "plan", /for scale "smoke"/],
      // deno-lint-ignore no-explicit-any -- the same
      [(p: any) => p.corpora.upstream.digest = sha256("x"), "consistency", /another upstream corpus/],
      // deno-lint-ignore no-explicit-any -- the same
      [(p: any) => p.engine.arithmetic = "9", "consistency", /computed by test\/1 .* the manifest says 9/],
    ] as const
  ) {
    expect(
      await verify({ envelope: await resigned(bundle.artefacts, (s) => change(s.predicate)) }),
      step,
      "failed",
      reason,
    );
  }
});

Deno.test("formatVerification() shows no control characters out of a hostile manifest", async () => {
  const envelope = await forge({ ...bundle.statement, predicateType: "\u001b[2Jhttps://evil\u202e" }, attacker);
  const text = formatVerification(await verify({ envelope }));
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  assert.doesNotMatch(text.replaceAll("\n", ""), /[\u0000-\u001f\u202e]/);
  assert.match(text, /^Failed: type$/m);
});

Deno.test("verifyManifest() fails a plan that the signed experiments do not give, and says where they are others", async () => {
  const planDigest = plan.planDigest;
  const given = (again: Awaited<ReturnType<Replan>>) =>
    verify({ options: { trustedKeys: trusted, replan: () => Promise.resolve(again) } });
  const same = await given({ isSame: true, planDigest });
  assert.equal(same.verdict, "verified");
  assert.match(
    same.steps.find(({ name }) => name === "plan")?.detail ?? "",
    /experiments of this version give the same plan/,
  );
  for (const other of [sha256("another plan"), undefined]) {
    expect(await given({ isSame: true, planDigest: other }), "plan", "failed", /give another plan for scale "smoke"/);
    const unknown = await given({ isSame: false, planDigest: other });
    assert.equal(unknown.verdict, "verified");
    assert.match(unknown.caveats.join(" "), /every arm trains what its name says/);
  }
});

Deno.test("verifyManifest() fails summaries of corpora that cannot be, or that the curves contradict", async () => {
  const summary = (change: (facts: Record<string, string>) => void, name = "upstream") =>
    resigned(bundle.artefacts, (s) => change(s.predicate.corpora[name].summary));
  for (const name of ["upstream", "downstream"]) {
    for (const unit of ["validation bytes", "validation tokens"]) {
      const envelope = await summary((facts) => facts[unit] = "64001", name);
      expect(await verify({ envelope }), "curves", "failed", new RegExp(`bytes a token of the ${name} corpus`));
    }
  }
  const cases: [(facts: Record<string, string>) => void, RegExp][] = [
    [(facts) => delete facts["train windows"], /upstream corpus has no count of its train windows/],
    [(facts) => facts["train tokens"] = "0x10", /no count of its train tokens/],
    [(facts) => facts["train tokens"] = "-1", /no count of its train tokens/],
    [(facts) => facts["share of another"] = "0.5", /shares that make 0\.75 together/],
    [(facts) => facts["share of another"] = "NaN", /a member of another kind/],
    [(facts) => facts["quality"] = "1", /a member of another kind/],
  ];
  for (const [change, reason] of cases) {
    expect(await verify({ envelope: await summary(change) }), "consistency", "failed", reason);
  }
});

Deno.test("verifyManifest() fails limits that do not follow from plan, runs and data, in this version's words", async () => {
  const limits = (change: (predicate: { limits: string[]; tool: { version: string } }) => void) =>
    resigned(bundle.artefacts, (s) => change(s.predicate));
  expect(await verify({ envelope: await limits((p) => p.limits.pop()) }), "plan", "failed", /does not state the limit/);
  const more = await limits((p) => p.limits.push("Nothing is left open."));
  expect(await verify({ envelope: more }), "plan", "failed", /limits that do not follow/);
  const other = await verify({
    envelope: await limits((p) => {
      p.limits.pop();
      p.tool.version = "9.0.0";
    }),
  });
  assert.equal(other.verdict, "verified", formatVerification(other));
  assert.match(other.caveats.join("\n"), /^In which words limits, and reasons of skips, are given/m);
});

Deno.test("verifyManifest() names runs that were found or resumed, and whether any of them was retrained", async () => {
  const origins = (change: (runs: { origin: string; retrained: unknown }[]) => void) =>
    resigned(bundle.artefacts, (s) => change(s.predicate.runs));
  const found = await verify({
    envelope: await origins((runs) => {
      for (const run of runs) run.origin = "found";
      Object.assign(runs[0] ?? {}, { origin: "resumed", retrained: [{ fromStep: 0, toStep: 16 }] });
    }),
  });
  assert.equal(found.verdict, "verified", formatVerification(found));
  const caveats = found.caveats.join("\n");
  assert.match(caveats, /^That 3 of 4 runs \(warmup.*\) were trained at all: .*: nothing of them was retrained/m);
  assert.match(
    caveats,
    /^That 1 of 4 runs \(upstream_pretrain_seed-0\) were trained from .*: pieces of 1 of them were/m,
  );
  assert.doesNotMatch((await verify()).caveats.join("\n"), /^That \d of 4 runs/m);
});
