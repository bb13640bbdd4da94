import assert from "node:assert/strict";
import { buildAttestation } from "../../src/attestation/build.ts";
import { MAX_ATTESTED_SEGMENTS } from "../../src/attestation/schema.ts";
import { SVR_PREDICATE_TYPES, VERIFIER_ID } from "../../src/attestation/predicate.ts";
import { readAttestation } from "../../src/attestation/read.ts";
import { forge } from "../manifest/fixture.ts";
import {
  ada,
  alan,
  attestation,
  bundle,
  CHOICES,
  findings,
  grace,
  loose,
  manifest,
  sealed,
  SEED,
  verify,
} from "./fixture.ts";

const honest = await attestation(CHOICES.drawn);
const encoder = new TextEncoder();

Deno.test("buildAttestation() makes a simple verification result of in-toto about the manifest's bytes", () => {
  assert.equal(honest._type, "https://in-toto.io/Statement/v1");
  assert.equal(honest.predicateType, "https://in-toto.io/attestation/svr/v0.2");
  assert.deepEqual(honest.subject, [{ name: "manifest.dsse.json", digest: { sha256: manifest.sha256 } }]);
  const { verifier, timeCreated, properties, rewarm } = honest.predicate;
  const { name, sha256 } = bundle.statement.predicate.paper;
  assert.deepEqual(verifier, { id: VERIFIER_ID, policies: [{ name, digest: { sha256 } }] });
  assert.match(timeCreated, /^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/);
  const steps = "SIZE ENVELOPE SIGNATURE TYPE SCHEMA SUBJECTS CONSISTENCY ARTEFACTS PLAN JOURNALS CURVES CLAIMS REPLAY";
  assert.deepEqual(properties, ["REWARM_VERIFIED", ...steps.split(" ").map((step) => `REWARM_${step}`)]);
  assert.equal(rewarm.environment.threads, 2);
  assert.deepEqual(rewarm.replay, {
    pieces: "drawn",
    seed: SEED,
    segments: CHOICES.drawn.segments.map(({ run, from, to }) => `${run.label}:${from}..${to}`),
    total: CHOICES.all.total,
    worth: CHOICES.drawn.worth,
  });
});

Deno.test("buildAttestation() says less where less was checked, and more where all was retrained", async () => {
  const without = await attestation();
  assert.equal(without.predicate.rewarm.replay, undefined);
  assert.ok(!without.predicate.properties.includes("REWARM_REPLAY"));
  const whole = await attestation(CHOICES.all);
  assert.deepEqual(whole.predicate.properties.slice(-2), ["REWARM_REPLAY", "REWARM_REPLAY_ALL"]);
});

Deno.test("buildAttestation() names a known signer by the key, and not by the reviewer's file", async () => {
  const report = await verify({ trustedKeys: [{ name: "keys/maker.pem", key: bundle.key }] });
  const built = buildAttestation("manifest.dsse.json", { report }, 0);
  assert.ok(!JSON.stringify(built).includes("maker.pem"));
  assert.ok(built.predicate.properties.includes("REWARM_SIGNER"));
  assert.equal(
    built.predicate.rewarm.steps.find(({ name }) => name === "signer")?.detail,
    `the reviewer knows key ${bundle.key.keyId}`,
  );
});

Deno.test("buildAttestation() attests no verdict but verified, and lists no endless choice", async () => {
  for (const options of [{ judge: () => "other rules" }, { trustedKeys: [{ name: "another", key: ada }] }]) {
    const report = await verify(options);
    assert.throws(() => buildAttestation("manifest.dsse.json", { report }, 0), { code: "NOT_VERIFIED" });
  }
  const { report } = await findings(CHOICES.named);
  const segments = Array.from({ length: MAX_ATTESTED_SEGMENTS + 1 }, () => CHOICES.named.segments[0]!);
  const choice = { ...CHOICES.named, segments };
  assert.throws(() => buildAttestation("manifest.dsse.json", { report, choice }, 0), { code: "TOO_MANY_SEGMENTS" });
});

Deno.test("readAttestation() takes what a reviewer signed, with every kind of choice", async () => {
  for (const choice of [undefined, ...Object.values(CHOICES)]) {
    const made = await attestation(choice);
    assert.deepEqual(await readAttestation(await sealed(made, ada), ada, manifest), made);
  }
});

Deno.test("readAttestation() refuses an envelope that the reviewer did not sign as it is", async () => {
  const good = new TextDecoder().decode(await sealed(honest, ada));
  const envelope = JSON.parse(good);
  const [signature] = envelope.signatures;
  const [other] = JSON.parse(new TextDecoder().decode(await sealed(honest, grace))).signatures;
  const payload = atob(envelope.payload);
  const cases: [string | Uint8Array, RegExp][] = [
    ["", /it is not strict JSON/],
    [Uint8Array.of(0xff), /not UTF-8/],
    [good.replace("{", '{"payload":"",'), /key "payload" stands twice/],
    [`{"x":${"[".repeat(1e5)}`, /nesting is deeper than 32/],
    ["{}", /it is no DSSE envelope/],
    [JSON.stringify({ ...envelope, signatures: [signature, other] }), /not exactly one signature/],
    [JSON.stringify({ ...envelope, signatures: [other] }), /signed by another key/],
    [JSON.stringify({ ...envelope, signatures: [{ ...other, keyid: ada.keyId }] }), /does not fit its bytes/],
    [JSON.stringify({ ...envelope, payload: btoa(`${payload} `) }), /does not fit its bytes/],
    [JSON.stringify({ ...envelope, payloadType: "application/json" }), /does not fit its bytes/],
  ];
  for (const [text, reason] of cases) {
    const bytes = typeof text === "string" ? encoder.encode(text) : text;
    const found = await readAttestation(bytes, ada, manifest);
    assert.ok(typeof found === "string", `${reason}`);
    assert.match(found, reason);
  }
});

Deno.test("readAttestation() needs no key in the envelope, and takes none from it", async () => {
  const envelope = JSON.parse(new TextDecoder().decode(await sealed(honest, ada)));
  delete envelope.signatures[0].publicKey;
  const bare = encoder.encode(JSON.stringify(envelope));
  assert.equal(typeof await readAttestation(bare, ada, manifest), "object");
  envelope.signatures[0].publicKey = alan.spki.toBase64();
  assert.equal(typeof await readAttestation(encoder.encode(JSON.stringify(envelope)), ada, manifest), "object");
});

Deno.test("readAttestation() refuses other payload types, whoever signed them", async () => {
  const found = await readAttestation(await forge(honest, ada, "application/json"), ada, manifest);
  assert.equal(found, 'the payload type is "application/json", which is unknown');
});

/** What a reviewer may not sign, each with the reason. */
// deno-lint-ignore no-explicit-any -- a forger is bound by no type
const FORGERIES: readonly [name: string, change: (statement: any) => unknown, reason: RegExp][] = [
  ["another statement", (s) => s._type = "https://in-toto.io/Statement/v2", /"_type" is .*v2", and this version/],
  [
    "another predicate",
    (s) => s.predicateType = "https://in-toto.io/attestation/svr/v0.3",
    /"predicateType" is .*0\.3", and this version knows only ".*0\.1" and ".*0\.2"/,
  ],
  ["the manifest's type", (s) => s.predicateType = "https://rewarm.dev/reproduction/v1", /"predicateType" is/],
  ["another verifier", (s) => s.predicate.verifier.id = "https://example.com/v1", /the verifier is "https:\/\/example/],
  ["no predicate", (s) => delete s.predicate, /predicate: /],
  ["a further member", (s) => s.predicate.expires = "never", /predicate: Unrecognized key: "expires"/],
  ["a policy", (s) => s.predicate.verifier.policy = {}, /Unrecognized key: "policy"/],
  ["a further detail", (s) => s.predicate.rewarm.but = "not really", /Unrecognized key: "but"/],
  ["a local time", (s) => s.predicate.timeCreated = "2026-11-30T00:00:00+02:00", /timeCreated/],
  ["in-toto's earlier statement", (s) => s._type = "https://in-toto.io/Statement/v0.1", /statement before version 1/],
  ["no policies", (s) => delete s.predicate.verifier.policies, /policies: /],
  ["other policies", (s) => s.predicate.verifier.policies[0].digest.sha256 = "0".repeat(64), /are not the rules/],
  ["a policy less", (s) => s.predicate.verifier.policies = [], /policies that are not the rules/],
  ["a policy more", (s) => s.predicate.verifier.policies.push(s.predicate.verifier.policies[0]), /are not the rules/],
  ["policies in the older form", (s) => s.predicateType = SVR_PREDICATE_TYPES[0], /Unrecognized key: "policies"/],
  [
    "a time before the manifest's",
    (s) => s.predicate.timeCreated = "2026-11-29T23:59:59.999Z",
    /the manifest was made/,
  ],
  ["two subjects", (s) => s.subject.push(s.subject[0]), /subject: /],
  ["no subject", (s) => s.subject = [], /subject: /],
  ["another manifest", (s) => s.subject[0].digest.sha256 = "0".repeat(64), /is of another manifest: of 0000…0000/],
  ["an unsafe name", (s) => s.subject[0].name = "../manifest.dsse.json", /whose name has a part "\.\."/],
  ["a step less", (s) => s.predicate.rewarm.steps.pop(), /does not list the steps/],
  ["steps out of order", (s) => s.predicate.rewarm.steps.reverse(), /does not list the steps/],
  ["a failed step", (s) => s.predicate.rewarm.steps[4].status = "failed", /its step "type" is "failed"/],
  ["a step left out", (s) => s.predicate.rewarm.steps[8].status = "not checked", /step "artefacts" is "not checked"/],
  ["a failed signer", (s) => s.predicate.rewarm.steps[3].status = "failed", /its step "signer" is "failed"/],
  ["a property more", (s) => s.predicate.properties.push("REWARM_REPLAY_ALL"), /properties that its steps do not/],
  ["a property less", (s) => s.predicate.properties.shift(), /properties that its steps do not/],
  ["no details of retraining", (s) => delete s.predicate.rewarm.replay, /contradict each other/],
  ["another total", (s) => s.predicate.rewarm.replay.total++, /counts \d+ segments, and the manifest has \d+/],
  ["another seed", (s) => s.predicate.rewarm.replay.seed = "f".repeat(32), /other segments than its seed draws/],
  ["a segment less", (s) => s.predicate.rewarm.replay.segments.pop(), /other segments than its seed draws/],
  ["a segment more", (s) => s.predicate.rewarm.replay.segments.push("a:0..1"), /other segments than its seed draws/],
  ["no seed", (s) => delete s.predicate.rewarm.replay.seed, /seed/],
];

for (const [name, change, reason] of FORGERIES) {
  Deno.test(`readAttestation() refuses ${name}, though the reviewer signed it`, async () => {
    const forged = loose(honest);
    change(forged);
    const found = await readAttestation(await sealed(forged, ada), ada, manifest);
    assert.ok(typeof found === "string");
    assert.match(found, reason);
  });
}

Deno.test("readAttestation() refuses named pieces that the manifest does not have, and pieces counted twice", async () => {
  const named = await attestation(CHOICES.named);
  const [first] = CHOICES.named.segments;
  const good = `${first?.run.label}:${first?.from}..${first?.to}`;
  for (const segments of [["nowhere:0..1"], [good, good], [good.replace("..", "..9")], ["?"], []]) {
    const forged = loose(named);
    forged.predicate.rewarm.replay.segments = segments;
    assert.equal(typeof await readAttestation(await sealed(forged, ada), ada, manifest), "string", segments.join());
  }
});

Deno.test("readAttestation() takes the older form of a simple verification result, which has no policies", async () => {
  const older = loose(honest);
  older.predicateType = SVR_PREDICATE_TYPES[0];
  delete older.predicate.verifier.policies;
  assert.deepEqual(await readAttestation(await sealed(older, ada), ada, manifest), older);
});

Deno.test("readAttestation() takes no date before the manifest's, and none after the clock's", async () => {
  const createdAt = bundle.statement.predicate.metadata.createdAt;
  const dated = async (timeCreated: string, now?: string) => {
    const clock = now === undefined ? {} : { now: Date.parse(now) };
    const forged = loose(honest);
    forged.predicate.timeCreated = timeCreated;
    const found = await readAttestation(await sealed(forged, ada), ada, { ...manifest, ...clock });
    return typeof found === "string" ? found : "taken";
  };
  assert.equal(createdAt, "2026-11-30T00:00:00Z");
  assert.equal(
    await dated("2026-11-29T23:59:59.999Z"),
    "the attestation is dated 2026-11-29T23:59:59.999Z, and the manifest was made later, 2026-11-30T00:00:00Z",
  );
  assert.equal(await dated("2026-11-30T00:00:00.000Z", "2026-11-30T00:00:00Z"), "taken");
  assert.equal(await dated("2026-12-01T12:00:00Z", "2026-12-01T12:00:00Z"), "taken");
  assert.equal(
    await dated("2026-12-01T12:00:00.001Z", "2026-12-01T12:00:00Z"),
    "the attestation is dated 2026-12-01T12:00:00.001Z, and by the clock here it is 2026-12-01T12:00:00.000Z",
  );
  assert.match(await dated("9999-01-01T00:00:00Z", "2026-12-01T12:00:00Z"), /by the clock here/);
  for (const no of ["2023-02-30T00:00:00Z", "2026-12-01T24:00:01Z", "+012026-12-01T00:00:00Z", "2023-08-09", ""]) {
    assert.match(await dated(no), /timeCreated/, no);
  }
});

Deno.test("buildAttestation() dates an attestation by its clock, and refuses one that is behind the manifest", async () => {
  const found = await findings();
  const at = (now: string) => buildAttestation("manifest.dsse.json", found, 0, Date.parse(now));
  assert.equal(at("2026-11-30T00:00:00Z").predicate.timeCreated, "2026-11-30T00:00:00.000Z");
  assert.throws(() => at("2026-11-29T00:00:00Z"), {
    code: "CLOCK_BEHIND",
    message: /^The manifest was made at 2026-11-30T00:00:00Z, and the clock here says 2026-11-29T00:00:00\.000Z: set/,
  });
});

Deno.test("readAttestation() finds the signature by the key, whatever the envelope calls it", async () => {
  const envelope = JSON.parse(new TextDecoder().decode(await sealed(honest, ada)));
  for (const keyid of [undefined, "", "Ada", "0".repeat(64), grace.keyId]) {
    envelope.signatures[0].keyid = keyid;
    assert.equal(typeof await readAttestation(encoder.encode(JSON.stringify(envelope)), ada, manifest), "object");
  }
});
