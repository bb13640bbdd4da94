/** Envelope, signatures, keys and form of a manifest. */
import assert from "node:assert/strict";
import { sha256 } from "../../src/digest/sha256.ts";
import { openTopics } from "../../src/manifest/format/members.ts";
import { formatVerification, type StepName } from "../../src/manifest/verify/verification_report.ts";
import { MAX_MANIFEST_BYTES, verifyManifest } from "../../src/manifest/verify/verify.ts";
import { forge, loose, memoryArtefacts, testJudge } from "./fixture.ts";
import { attacker, bundle, encoder, expect, trusted, verify } from "./verify_fixture.ts";

Deno.test("verifyManifest() verifies what was signed, and says by whom", async () => {
  const report = await verify({ options: { trustedKeys: trusted } });
  assert.equal(report.verdict, "verified", formatVerification(report));
  assert.equal(report.exitCode, 0);
  assert.deepEqual(report.signers, [{ keyId: bundle.key.keyId, trustedAs: "the maker" }]);
  const open = report.steps.filter(({ status }) => status !== "ok").map(({ name }) => name);
  assert.deepEqual(open, ["report", "timestamps", "attestations", "retrain"]);
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
