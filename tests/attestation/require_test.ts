import assert from "node:assert/strict";
import { attestationName } from "../../src/attestation/predicate.ts";
import { MAX_ATTESTATION_BYTES } from "../../src/attestation/read.ts";
import { type AttestationDemand, requireAttestations } from "../../src/attestation/require.ts";
import { sha256 } from "../../src/digest/sha256.ts";
import { UserError } from "../../src/errors.ts";
import { signEnvelope } from "../../src/manifest/format/dsse.ts";
import { formatVerification, type VerificationReport } from "../../src/manifest/verify/verification_report.ts";
import { verifyManifest } from "../../src/manifest/verify/verify.ts";
import { memoryArtefacts, testJudge } from "../manifest/fixture.ts";
import {
  ada,
  alan,
  attestation,
  bundle,
  CHOICES,
  fileOf,
  grace,
  loose,
  manifestBytes,
  sealed,
  verify,
} from "./fixture.ts";

const reviewers = [{ name: "Ada", key: ada }, { name: "Grace", key: grace }, { name: "Alan", key: alan }];
const plain = await attestation();
const byAda = fileOf(ada, await sealed(plain, ada));
const byGrace = fileOf(grace, await sealed(plain, grace));

function demand(count: number, files: readonly [string, Uint8Array][], further: Partial<AttestationDemand> = {}) {
  return verify({ countAttestations: requireAttestations({ count, reviewers, ...further }) }, new Map(files));
}

function step(report: VerificationReport, status: "ok" | "failed" | "not checked", detail: RegExp): void {
  const found = report.steps.find(({ name }) => name === "attestations");
  assert.equal(found?.status, status, formatVerification(report));
  assert.match(found.detail, detail);
  assert.equal(report.verdict, status === "ok" ? "verified" : status === "failed" ? "failed" : "could not check");
}

Deno.test("verifyManifest() asks for no reviewer unless told to, and opens no attestation then", async () => {
  const opened: string[] = [];
  const artefacts = memoryArtefacts(bundle.artefacts);
  const open = (name: string) => {
    opened.push(name);
    return artefacts.open(name);
  };
  const { verdict, steps, reviews } = await verifyManifest(manifestBytes, { open }, { judge: testJudge });
  assert.equal(verdict, "verified");
  assert.deepEqual(steps.find(({ name }) => name === "attestations"), {
    name: "attestations",
    status: "not checked",
    detail: "no reviewers were required",
  });
  assert.equal(reviews, undefined);
  assert.ok(opened.length > 0 && !opened.some((name) => name.startsWith("attestations")));
});

Deno.test("requireAttestations() counts distinct reviewers, and the verdict names them", async () => {
  const report = await demand(2, [byAda, byGrace]);
  step(report, "ok", /^2 of 2 required reviewers attested this manifest: Ada \(nothing retrained, .*\); Grace \(/);
  assert.match(formatVerification(report), /^Verified: .*; attested by Ada and Grace$/m);
  assert.match(report.caveats.join(" "), /Ada and Grace did what they attest: it is their word/);
  assert.deepEqual(report.reviews?.map(({ reviewer, status }) => [reviewer, status]), [
    ["Ada", "counts"],
    ["Grace", "counts"],
    ["Alan", "missing"],
  ]);
});

Deno.test("requireAttestations() fails where too few attested, and says who did not", async () => {
  const name = attestationName(grace.keyId).replaceAll(".", "\\.");
  step(
    await demand(2, [byAda]),
    "failed",
    new RegExp(`^1 of 2 .*: Ada \\(.*; not counted: Grace \\(there is no "${name}"`),
  );
  step(await demand(1, []), "failed", /^0 of 1 required reviewers attested this manifest; not counted: Ada/);
});

Deno.test("requireAttestations() counts a key once, under however many names and files", async () => {
  const twice = [...reviewers, { name: "Ada again", key: ada }];
  const copies: [string, Uint8Array][] = [byAda, [attestationName(grace.keyId), byAda[1]]];
  step(await demand(2, copies, { reviewers: twice }), "failed", /^1 of 2 .*Grace \(it is signed by another key/);
  assert.throws(() => requireAttestations({ count: 4, reviewers: twice }), { code: "NOT_ENOUGH_REVIEWERS" });
});

Deno.test("requireAttestations() does not count whoever signed the manifest", async () => {
  const own = fileOf(bundle.key, await sealed(plain, bundle.key));
  const withMaker = [{ name: "the maker", key: bundle.key }, ...reviewers];
  const report = await demand(2, [own, byAda], { reviewers: withMaker });
  step(report, "failed", /^1 of 2 .*: Ada .*the maker \(signed the manifest, and is no reviewer of it\)/);
});

Deno.test("requireAttestations() names what is damaged, and does not let it stand in the way of others", async () => {
  const damaged = byGrace[1].slice();
  damaged.set([0x41, 0x41], 100);
  const report = await demand(1, [byAda, [byGrace[0], damaged]]);
  step(report, "ok", /^1 of 1 .*: Ada .*; not counted: Grace \(its signature does not fit its bytes/);
  step(await demand(2, [byAda, [byGrace[0], damaged]]), "failed", /Grace \(its signature does not fit/);
  const endless: [string, Uint8Array] = [byGrace[0], new Uint8Array(MAX_ATTESTATION_BYTES + 1)];
  step(await demand(2, [byAda, endless]), "failed", /Grace \(.* has more than 1048576 bytes/);
});

Deno.test("requireAttestations() cannot check what cannot be read, unless others are enough", async () => {
  const artefacts = memoryArtefacts(new Map([...bundle.artefacts, byAda]));
  const open = (name: string) => {
    if (name === byGrace[0]) throw new UserError("PERMISSION_DENIED", `Cannot read "${name}"`);
    if (name === attestationName(alan.keyId)) throw new TypeError("a bug");
    return artefacts.open(name);
  };
  const verifyWith = (count: number) =>
    verifyManifest(manifestBytes, { open }, {
      judge: testJudge,
      countAttestations: requireAttestations({ count, reviewers }),
    });
  step(await verifyWith(2), "not checked", /Grace \(Cannot read .*; Alan \(a bug\)/);
  step(await verifyWith(1), "ok", /^1 of 1/);
});

Deno.test("requireAttestations() demands retraining of each reviewer where it is asked for", async () => {
  const file = async (kind: keyof typeof CHOICES) => fileOf(ada, await sealed(await attestation(CHOICES[kind]), ada));
  const met: Record<keyof typeof CHOICES, readonly (number | "all")[]> = {
    all: [1, 3, 4, "all"],
    drawn: [1, 3],
    repeated: [],
    named: [],
  };
  for (const kind of ["all", "drawn", "repeated", "named"] as const) {
    for (const retrain of [1, 3, 4, "all"] as const) {
      const report = await demand(1, [await file(kind)], { retrain });
      if (met[kind].includes(retrain)) step(report, "ok", /Ada \(.*retrained, /);
      else step(report, "failed", /Ada \(.*retrained.*; required: .* retrained/);
    }
  }
  step(await demand(1, [byAda], { retrain: 1 }), "failed", /Ada \(nothing retrained, /);
});

Deno.test("requireAttestations() refuses a demand that nothing could meet", () => {
  for (const count of [0, -1, 1.5, NaN]) {
    assert.throws(() => requireAttestations({ count, reviewers }), { code: "BAD_NUMBER" });
  }
  assert.throws(() => requireAttestations({ count: 4, reviewers }), {
    code: "NOT_ENOUGH_REVIEWERS",
    message: "4 reviewers are required, and 3 are named: require fewer, or name more",
  });
});

Deno.test("verifyManifest() trains nothing again where reviewers are missing", async () => {
  let trained = 0;
  const retrain = () => {
    trained++;
    return Promise.resolve({ status: "ok", detail: "the same bits", caveats: [] } as const);
  };
  const countAttestations = requireAttestations({ count: 1, reviewers });
  assert.equal((await verify({ retrain, countAttestations })).verdict, "failed");
  assert.equal(trained, 0);
  assert.equal((await verify({ retrain, countAttestations }, new Map([byAda]))).verdict, "verified");
  assert.equal((await verify({ retrain })).verdict, "verified");
  assert.equal(trained, 2);
});

Deno.test("verifyManifest() shows when each reviewer attested and what each leaves open", async () => {
  const of = async (name: string, key: typeof ada, timeCreated: string, caveats: string[]) => {
    const statement = loose(plain);
    statement.predicate.timeCreated = timeCreated;
    statement.predicate.rewarm.caveats = caveats;
    return { name, file: fileOf(key, await sealed(statement, key)) };
  };
  const files = [
    (await of("Ada", ada, "2026-11-30T10:00:00Z", ["The corpora were not looked at.", "\u001b[2JNor the paper."])).file,
    (await of("Grace", grace, "2026-11-30T11:30:00.5Z", [])).file,
    (await of("Alan", alan, "2026-11-01T00:00:00Z", ["Nothing."])).file,
  ];
  const report = await demand(2, files);
  step(
    report,
    "ok",
    /not counted: Alan \(the attestation is dated 2026-11-01T00:00:00Z, and the manifest was made later/,
  );
  assert.deepEqual(report.reviews?.map(({ attestedAt }) => attestedAt), [
    "2026-11-30T10:00:00Z",
    "2026-11-30T11:30:00.5Z",
    undefined,
  ]);
  assert.deepEqual(report.reviews?.[0]?.caveats?.length, 2);
  const text = formatVerification(report);
  const lines = text.split("\n");
  const first = lines.indexOf("Ada attests, at 2026-11-30T10:00:00Z: nothing retrained; and leaves open:");
  assert.deepEqual(lines.slice(first + 1, first + 3), [
    "  - The corpora were not looked at.",
    "  - \ufffd[2JNor the paper.",
  ]);
  assert.match(text, /^Grace attests, at 2026-11-30T11:30:00\.5Z: nothing retrained$/m);
  assert.ok(!text.includes("Nothing."));
});

Deno.test("verifyManifest() counts no attestation that is dated after its clock", async () => {
  const countAttestations = requireAttestations({ count: 1, reviewers });
  const { timeCreated } = plain.predicate;
  const at = (now: number) => verify({ countAttestations, now }, new Map([byAda]));
  const made = Date.parse(timeCreated);
  step(await at(made), "ok", /^1 of 1/);
  step(await at(made - 1), "failed", /Ada \(the attestation is dated .*, and by the clock here it is/);
  // Without a clock of the caller's it is the platform's.
  const later = loose(plain);
  later.predicate.timeCreated = new Date(Date.now() + 3_600_000).toISOString();
  step(await demand(1, [fileOf(ada, await sealed(later, ada))]), "failed", /by the clock here it is/);
});

Deno.test("requireAttestations() does not count who signed the manifest without being named", async () => {
  const envelope = JSON.parse(bundle.envelope);
  const { payload, payloadType } = envelope;
  const [signature] = JSON.parse(await signEnvelope(Uint8Array.fromBase64(payload), ada)).signatures;
  const co = { payloadType, payload, signatures: [...envelope.signatures, { sig: signature.sig }] };
  const bytes = new TextEncoder().encode(JSON.stringify(co));
  const attested = loose(plain);
  attested.subject[0].digest.sha256 = sha256(bytes);
  const artefacts = memoryArtefacts(new Map([...bundle.artefacts, fileOf(ada, await sealed(attested, ada))]));
  const options = { judge: testJudge, countAttestations: requireAttestations({ count: 1, reviewers }) };
  step(
    await verifyManifest(bytes, artefacts, options),
    "failed",
    /Ada \(signed the manifest, and is no reviewer of it\)/,
  );
});
