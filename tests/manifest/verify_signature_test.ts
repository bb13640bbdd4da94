/** Forms of envelopes that DSSE allows, and what a forger makes of them. */
import assert from "node:assert/strict";
import { canonicalJson } from "../../src/digest/canonical_json.ts";
import { preAuthenticationEncoding, readEnvelope, signEnvelope } from "../../src/manifest/format/dsse.ts";
import { generateSigningKey, signBytes, type SigningKey } from "../../src/manifest/keys/keys.ts";
import { formatVerification } from "../../src/manifest/verify/verification_report.ts";
import { verifyManifest } from "../../src/manifest/verify/verify.ts";
import { checkSignatures, isSignedBy } from "../../src/manifest/verify/verify_signature.ts";
import { makeBundle, memoryArtefacts, testJudge } from "./fixture.ts";

const TYPE = "application/vnd.in-toto+json";
const payload = new TextEncoder().encode("{}");
const [ada, grace, mallory] = await Promise.all([generateSigningKey(), generateSigningKey(), generateSigningKey()]);
const trustedKeys = [{ name: "Ada", key: ada }, { name: "Grace", key: grace }];
const adaOnly = trustedKeys.slice(0, 1);

/** A signature over the payload, with whatever else is said of it. */
async function by(key: SigningKey, words: Record<string, unknown> = {}, bytes = payload) {
  return { sig: (await signBytes(key, preAuthenticationEncoding(TYPE, bytes))).toBase64(), ...words };
}

async function check(signatures: readonly object[], trusted = adaOnly) {
  const envelope = readEnvelope({ payloadType: TYPE, payload: payload.toBase64(), signatures });
  assert.ok(typeof envelope === "object", String(envelope));
  const { signature, signer, signers, caveats } = await checkSignatures(envelope, trusted);
  const names = signers.map(({ keyId, trustedAs }) => trustedAs ?? (keyId === mallory.keyId ? "mallory" : keyId));
  return { signature: signature.status, signer: signer.status, names, detail: signature.detail, caveats, envelope };
}

const own = (key: SigningKey) => ({ keyid: key.keyId, publicKey: key.spki.toBase64() });
const ecdsa = { keyid: "an ECDSA key", sig: new Uint8Array(71).fill(7).toBase64() };

Deno.test("checkSignatures() finds the key of a signature whatever the envelope calls it", async () => {
  const words = [
    {},
    { keyid: "" },
    { keyid: "Ada's" },
    { keyid: "f".repeat(64) },
    { keyid: ada.keyId },
    { keyid: ada.keyId, publicKey: mallory.spki.toBase64() },
    { publicKey: ada.spki.toBase64() },
    { keyid: "x", publicKey: mallory.spki.toBase64() },
    { certificate: "ignored", extension: { kind: "?" } },
  ];
  for (const word of words) {
    const found = await check([await by(ada, word)]);
    assert.deepEqual([found.signature, found.signer, found.names], ["ok", "ok", ["Ada"]], JSON.stringify(word));
    assert.deepEqual(found.caveats, []);
  }
});

Deno.test("checkSignatures() reports every further signature that it cannot check, wherever it stands", async () => {
  const stranger = await by(mallory, { keyid: "e".repeat(64) });
  const elsewhere = { ...ecdsa, keyid: "", publicKey: Uint8Array.fromHex("3059").toBase64() };
  for (const turn of [0, 1, 2, 3]) {
    const signatures = [ecdsa, stranger, elsewhere];
    signatures.splice(turn, 0, await by(ada));
    const { signature, signer, names, detail, caveats } = await check(signatures);
    assert.deepEqual([signature, signer, names], ["ok", "ok", ["Ada"]]);
    assert.match(
      detail,
      /; not checked: "an ECDSA key" \(71 bytes\), key eeee…eeee \(64 bytes\), unnamed \(71 bytes\)$/,
    );
    assert.deepEqual(caveats, [
      'Anything about a further signature, "an ECDSA key" (71 bytes), which was not checked: its key is not at hand.',
      `Anything about a further signature, key ${
        "e".repeat(64)
      } (64 bytes), which was not checked: its key is not at hand.`,
      "Anything about a further signature, unnamed (71 bytes), which was not checked: the key in the envelope is no " +
      "Ed25519 key.",
    ]);
  }
});

Deno.test("checkSignatures() never takes a signature for that of the key that it names", async () => {
  const forgeries: [string, object[]][] = [
    ["a trusted key's name", [await by(mallory, { keyid: ada.keyId })]],
    ["a trusted key's name beside the forger's key", [await by(mallory, { ...own(mallory), keyid: ada.keyId })]],
    ["a trusted key's name and key", [await by(mallory, own(ada))]],
    ["a trusted signature of other bytes", [await by(ada, own(ada), new TextEncoder().encode("[]"))]],
    ["a trusted signature under the forger's name", [await by(ada, own(mallory))]],
    ["good beside forged", [await by(ada), await by(mallory, { keyid: ada.keyId })]],
    ["one trusted key for another", [await by(grace, { keyid: ada.keyId })]],
  ];
  for (const [name, signatures] of forgeries) {
    const { signature, signer, names, detail } = await check(signatures, trustedKeys);
    assert.deepEqual([signature, signer, names], ["failed", "not checked", []], name);
    assert.match(detail, /does not fit the bytes/, name);
  }
});

Deno.test("checkSignatures() fails where none of the keys that should have signed did", async () => {
  for (const words of [{}, { keyid: "Ada's" }, { keyid: "e".repeat(64) }]) {
    const { signature, names, detail } = await check([await by(mallory, words), ecdsa], trustedKeys);
    assert.deepEqual([signature, names], ["failed", []]);
    assert.match(
      detail,
      /^no signature is by .{9} \(Ada\) or .{9} \(Grace\): another key signed it, or it was changed/,
    );
  }
  // Whole, and by somebody else.
  for (const words of [own(mallory), { publicKey: mallory.spki.toBase64() }, { ...own(mallory), keyid: "Ada" }]) {
    const { signature, signer, names } = await check([await by(mallory, words)], trustedKeys);
    assert.deepEqual([signature, signer, names], ["ok", "failed", ["mallory"]]);
  }
});

Deno.test("checkSignatures() cannot check what no key is at hand for, unless the key is no key", async () => {
  for (const words of [{}, { keyid: "" }, { keyid: "Ada's" }, { keyid: ada.keyId }]) {
    const { signature, detail } = await check([await by(ada, words)], []);
    assert.equal(signature, "not checked");
    assert.match(detail, /not at hand, .*; give it with --public-key FILE$/);
  }
  const small = `302a300506032b6570032100${"01".padEnd(64, "0")}`;
  for (const trusted of [[], trustedKeys]) {
    const zero = { sig: `01${"00".repeat(63)}`, publicKey: Uint8Array.fromHex(small).toBase64() };
    const sig = Uint8Array.fromHex(zero.sig).toBase64();
    const { signature, detail, names } = await check([{ ...zero, sig }], trusted);
    assert.deepEqual([signature, names], ["failed", []]);
    assert.match(detail, /the key in the envelope is an Ed25519 key that is of small order/);
  }
});

Deno.test("checkSignatures() counts a key once, however often and under whatever names it signed", async () => {
  const twice = await check([await by(ada), await by(ada, { keyid: "again" }), await by(grace)], trustedKeys);
  assert.deepEqual(twice.names, ["Ada", "Grace"]);
  assert.match(twice.detail, /; a key that signed more than once counts once$/);
});

Deno.test("isSignedBy() finds a signer that the envelope does not name, and one that it names", async () => {
  const { envelope } = await check([await by(ada), await by(grace, { keyid: "?" }), ecdsa]);
  assert.ok(await isSignedBy(envelope, ada) && await isSignedBy(envelope, grace));
  assert.ok(!await isSignedBy(envelope, mallory));
  const named = (await check([await by(ada), { ...ecdsa, keyid: mallory.keyId }])).envelope;
  assert.ok(await isSignedBy(named, mallory));
});

const bundle = await makeBundle();
const sealed = JSON.parse(bundle.envelope);

/** The maker's envelope in other words. */
const FORMS: Readonly<Record<string, (envelope: typeof sealed) => void>> = {
  "URL-safe base64": (e) => e.payload = Uint8Array.fromBase64(e.payload).toBase64({ alphabet: "base64url" }),
  "URL-safe base64 without padding": (e) => {
    const options = { alphabet: "base64url", omitPadding: true } as const;
    e.payload = Uint8Array.fromBase64(e.payload).toBase64(options);
    for (const name of ["sig", "publicKey"]) {
      e.signatures[0][name] = Uint8Array.fromBase64(e.signatures[0][name]).toBase64(options);
    }
  },
  "no keyid": (e) => delete e.signatures[0].keyid,
  "an empty keyid": (e) => e.signatures[0].keyid = "",
  "an opaque keyid": (e) => e.signatures[0].keyid = "maker-2026",
  "the digest of something else as keyid": (e) => e.signatures[0].keyid = "0".repeat(64),
  "two unknown signatures before its own": (e) => e.signatures.unshift(ecdsa, { sig: "AAAA" }),
  "further members": (e) => {
    e.note = { any: "thing" };
    e.signatures[0].extension = [];
  },
};

for (const [name, change] of Object.entries(FORMS)) {
  Deno.test(`verifyManifest() verifies an envelope with ${name}`, async () => {
    const envelope = structuredClone(sealed);
    change(envelope);
    const bytes = new TextEncoder().encode(JSON.stringify(envelope, null, 2).replaceAll("\n", "\r\n"));
    const verify = (trusted: typeof trustedKeys) =>
      verifyManifest(bytes, memoryArtefacts(bundle.artefacts), { judge: testJudge, trustedKeys: trusted });
    const report = await verify([{ name: "the maker", key: bundle.key }]);
    assert.equal(report.verdict, "verified", formatVerification(report));
    assert.deepEqual(report.signers, [{ keyId: bundle.key.keyId, trustedAs: "the maker" }]);
    assert.equal((await verify(trustedKeys)).verdict, "failed");
    const unknown = report.caveats.filter((caveat) => caveat.startsWith("Anything about a further signature"));
    assert.equal(unknown.length, name.startsWith("two unknown") ? 2 : 0);
  });
}

Deno.test("the report of a manifest with sixteen signatures names every one of them", async () => {
  const envelope = structuredClone(sealed);
  for (let i = 1; i < 16; i++) {
    envelope.signatures.push({ keyid: `${i} `.padEnd(200, "\u202e"), sig: "A".repeat(4 * i) });
  }
  const bytes = new TextEncoder().encode(JSON.stringify(envelope));
  const report = await verifyManifest(bytes, memoryArtefacts(bundle.artefacts), { judge: testJudge });
  const text = formatVerification(report);
  const line = text.split("\n").find((line) => /^ +signature /.test(line)) ?? "";
  for (let i = 1; i < 16; i++) {
    assert.ok(line.includes(`(${3 * i} bytes)`), line);
    assert.match(text, new RegExp(`^ +- Anything about a further signature, "${i} .*\\(${3 * i} bytes\\)`, "m"));
  }
  assert.ok(!text.includes("\u202e"));
});

Deno.test("signEnvelope() writes one spelling: padded standard base64 and the digest of the key", async () => {
  const envelope = JSON.parse(await signEnvelope(new TextEncoder().encode(canonicalJson({ a: "\u00ff\u00fe?" })), ada));
  assert.deepEqual(Object.keys(envelope), ["payloadType", "payload", "signatures"]);
  assert.equal(envelope.payload, btoa(atob(envelope.payload)));
  assert.equal(envelope.signatures[0].keyid, ada.keyId);
});
