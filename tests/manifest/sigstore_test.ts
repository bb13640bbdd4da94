/** Envelopes and keys against `@sigstore/core`, which npm and others verify provenance with. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createPrivateKey, generateKeyPairSync, sign } from "node:crypto";
import { crypto as sigstore, dsse } from "@sigstore/core";
import fc from "fast-check";
import { PAYLOAD_TYPE, preAuthenticationEncoding, readEnvelope, signEnvelope } from "../../src/manifest/format/dsse.ts";
import {
  generateSigningKey,
  parseVerifyingKey,
  privateKeyPem,
  publicKeyPem,
  verifyBytes,
} from "../../src/manifest/keys/keys.ts";
import { verifyManifest } from "../../src/manifest/verify/verify.ts";
import { makeBundle, memoryArtefacts, testJudge } from "./fixture.ts";

const bundle = await makeBundle();

/** Whether sigstore takes the one signature of an envelope, with its own encoding of what is signed. */
function takes(
  envelopeText: string,
  publicKey: string | Buffer,
  change: (payload: Buffer) => void = () => {},
): boolean {
  const { payloadType, payload, signatures: [signature] } = JSON.parse(envelopeText);
  const bytes = Buffer.from(payload, "base64");
  change(bytes);
  const message = dsse.preAuthEncoding(payloadType, bytes);
  return sigstore.verify(message, sigstore.createPublicKey(publicKey), Buffer.from(signature.sig, "base64"));
}

Deno.test("preAuthenticationEncoding() gives sigstore's bytes for any type and payload", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), fc.uint8Array({ maxLength: 2000 }), (type, payload) => {
    const theirs = dsse.preAuthEncoding(type, Buffer.from(payload));
    assert.equal(preAuthenticationEncoding(type, payload).toHex(), theirs.toString("hex"));
  }));
});

Deno.test("signStatement() signs a manifest that sigstore verifies by its key in PEM and in DER, and no other", async () => {
  assert.ok(takes(bundle.envelope, publicKeyPem(bundle.key)));
  assert.ok(takes(bundle.envelope, Buffer.from(bundle.key.spki)));
  assert.ok(takes(bundle.envelope, bundle.key.spki.toBase64()));
  assert.ok(!takes(bundle.envelope, publicKeyPem(await generateSigningKey())));
  assert.ok(!takes(bundle.envelope, publicKeyPem(bundle.key), (payload) => payload.writeUInt8(0x20, 0)));
});

Deno.test("verifyManifest() verifies a manifest that was signed over sigstore's encoding with a key of Node's", async () => {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const key = await parseVerifyingKey(publicKey.export({ format: "pem", type: "spki" }).toString(), "Node's key");
  const { payload } = JSON.parse(bundle.envelope);
  const message = dsse.preAuthEncoding(PAYLOAD_TYPE, Buffer.from(payload, "base64"));
  const sig = sign(null, message, privateKey).toString("base64");
  const envelope = { payloadType: PAYLOAD_TYPE, payload, signatures: [{ keyid: key.keyId, sig }] };
  const { verdict, signers } = await verifyManifest(
    new TextEncoder().encode(JSON.stringify(envelope)),
    memoryArtefacts(bundle.artefacts),
    { judge: testJudge, trustedKeys: [{ name: "Node", key }] },
  );
  assert.equal(verdict, "verified");
  assert.deepEqual(signers, [{ keyId: key.keyId, trustedAs: "Node" }]);
});

Deno.test("signEnvelope() and Node sign the same bytes alike, with a key from one PEM", async () => {
  const key = await generateSigningKey();
  const payload = new TextEncoder().encode('{"a":"é"}');
  const envelope = readEnvelope(JSON.parse(await signEnvelope(payload, key)));
  assert.ok(typeof envelope === "object");
  const ours = envelope.signatures[0]?.sig ?? new Uint8Array();
  const theirs = sign(
    null,
    dsse.preAuthEncoding(PAYLOAD_TYPE, Buffer.from(payload)),
    createPrivateKey(await privateKeyPem(key)),
  );
  // Ed25519 has one signature for a key and a message (RFC 8032).
  assert.equal(ours.toHex(), theirs.toString("hex"));
  assert.ok(await verifyBytes(key, new Uint8Array(theirs), preAuthenticationEncoding(PAYLOAD_TYPE, payload)));
});
