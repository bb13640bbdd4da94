import assert from "node:assert/strict";
import { preAuthenticationEncoding, readEnvelope, signEnvelope } from "../../src/manifest/format/dsse.ts";
import { generateSigningKey, importVerifyingKey } from "../../src/manifest/keys/keys.ts";
import { checkSignatures } from "../../src/manifest/verify/verify_signature.ts";
import dsse from "../fixtures/dsse/vectors.json" with { type: "json" };

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("preAuthenticationEncoding() gives the bytes of the DSSE specification's example", () => {
  assert.equal(
    text(preAuthenticationEncoding("http://example.com/HelloWorld", bytes("hello world"))),
    "DSSEv1 29 http://example.com/HelloWorld 11 hello world",
  );
});

Deno.test("preAuthenticationEncoding() counts bytes, not characters, and takes any payload", () => {
  assert.equal(text(preAuthenticationEncoding("é", bytes("ü€"))), "DSSEv1 2 é 5 ü€");
  assert.equal(text(preAuthenticationEncoding("", new Uint8Array())), "DSSEv1 0  0 ");
  assert.deepEqual(preAuthenticationEncoding("t", Uint8Array.of(0, 255)).slice(-2), Uint8Array.of(0, 255));
});

Deno.test("signEnvelope() makes an envelope that readEnvelope() takes back", async () => {
  const key = await generateSigningKey();
  const envelope = readEnvelope(JSON.parse(await signEnvelope(bytes("{}"), key)));
  assert.ok(typeof envelope === "object");
  assert.equal(envelope.payloadType, "application/vnd.in-toto+json");
  assert.equal(text(envelope.payload), "{}");
  assert.deepEqual(envelope.signatures.map(({ keyid }) => keyid), [key.keyId]);
});

Deno.test("readEnvelope() refuses what is no envelope, with the reason", async () => {
  const good = JSON.parse(await signEnvelope(bytes("{}"), await generateSigningKey()));
  const [signature] = good.signatures;
  const cases: [unknown, string][] = [
    [[], "it is not a JSON object"],
    [{ ...good, payloadType: 1 }, 'it has no "payloadType"'],
    [{ ...good, payload: undefined }, '"payload" is not base64'],
    [{ ...good, payload: "e30=\n" }, '"payload" is not base64'],
    [{ ...good, payload: "e3\n0=" }, '"payload" is not base64'],
    [{ ...good, payload: "e31=" }, '"payload" is not base64'],
    [{ ...good, payload: "e31" }, '"payload" is not base64'],
    [{ ...good, payload: "e30==" }, '"payload" is not base64'],
    [{ ...good, payload: "e3=0" }, '"payload" is not base64'],
    [{ ...good, payload: "QQ=" }, '"payload" is not base64'],
    [{ ...good, payload: "Q" }, '"payload" is not base64'],
    [{ ...good, payload: "-/-/" }, '"payload" is not base64'],
    [{ ...good, payload: "-+-+" }, '"payload" is not base64'],
    [{ ...good, signatures: [] }, "it has no signature"],
    [{ ...good, signatures: {} }, "it has no signature"],
    [{ ...good, signatures: Array(17).fill(signature) }, "it has more than 16 signatures"],
    [{ ...good, signatures: [signature, signature] }, "it has two signatures by one key"],
    [{ ...good, signatures: [null] }, "a signature is not a JSON object"],
    [{ ...good, signatures: [{ ...signature, keyid: 1 }] }, 'the "keyid" of a signature is no text'],
    [{ ...good, signatures: [{ keyid: "me" }] }, 'the "sig" of a signature is not base64'],
    [{ ...good, signatures: [{ ...signature, sig: 1 }] }, 'the "sig" of a signature is not base64'],
    [{ ...good, signatures: [{ ...signature, publicKey: "?" }] }, 'the "publicKey" of a signature is not base64'],
  ];
  for (const [value, reason] of cases) assert.equal(readEnvelope(value), reason);
});

Deno.test("readEnvelope() ignores members that DSSE does not know, as it prescribes", async () => {
  const good = JSON.parse(await signEnvelope(bytes("{}"), await generateSigningKey()));
  assert.equal(typeof readEnvelope({ ...good, note: 1 }), "object");
});

Deno.test("readEnvelope() takes both alphabets of base64, padded or not", () => {
  const bytes = Uint8Array.of(251, 255, 191, 62);
  for (const text of ["+/+/Pg==", "+/+/Pg", "-_-_Pg==", "-_-_Pg"]) {
    const envelope = readEnvelope({ payloadType: "t", payload: text, signatures: [{ sig: text, publicKey: text }] });
    assert.ok(typeof envelope === "object", text);
    assert.deepEqual(envelope, {
      payloadType: "t",
      payload: bytes,
      signatures: [{ keyid: "", sig: bytes, publicKey: bytes }],
    });
  }
});

Deno.test("readEnvelope() takes a keyid for what the signer calls the key, or none", () => {
  const keyidOf = (signature: object) => {
    const envelope = readEnvelope({ payloadType: "t", payload: "", signatures: [{ sig: "", ...signature }] });
    return typeof envelope === "string" ? envelope : envelope.signatures[0]?.keyid;
  };
  assert.equal(keyidOf({}), "");
  assert.equal(keyidOf({ keyid: "" }), "");
  assert.equal(keyidOf({ keyid: "Ada's, of 2026" }), "Ada's, of 2026");
  assert.equal(keyidOf({ keyid: "__proto__" }), "__proto__");
});

for (const { id, envelope, trustedKeys, threshold, supportedPayloadTypes, pae, expect } of dsse.vectors) {
  Deno.test(`DSSE's vector "${id}" is ${expect === "accept" ? "accepted" : "refused"}`, async () => {
    const read = readEnvelope(envelope);
    assert.ok(typeof read === "object");
    // The vector of a swapped type gives the bytes that were signed, not those of its envelope.
    const encoded = preAuthenticationEncoding(read.payloadType, read.payload);
    assert.equal(encoded.toHex() === pae, id !== "payload-type-swapped");
    const keys = new Map(Object.entries(dsse.keys));
    const trusted = await Promise.all(trustedKeys.map(async (name) => ({
      name,
      key: await importVerifyingKey(Uint8Array.fromHex(`302a300506032b6570032100${keys.get(name)}`), name),
    })));
    const { signers } = await checkSignatures(read, trusted);
    const good = new Set(signers.flatMap(({ trustedAs }) => trustedAs ?? []));
    const accepted = good.size >= threshold && supportedPayloadTypes.includes(read.payloadType);
    assert.equal(accepted, expect === "accept");
  });
}
