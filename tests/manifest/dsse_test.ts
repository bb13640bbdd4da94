import assert from "node:assert/strict";
import { preAuthenticationEncoding, readEnvelope, signEnvelope } from "../../src/manifest/dsse.ts";
import { generateSigningKey } from "../../src/manifest/keys.ts";

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
    [{ ...good, payload: "e30" }, '"payload" is not base64'],
    [{ ...good, payload: "e30=\n" }, '"payload" is not base64'],
    [{ ...good, payload: "e31=" }, '"payload" is not base64'],
    [{ ...good, payload: "-_-_" }, '"payload" is not base64'],
    [{ ...good, signatures: [] }, "it has no signature"],
    [{ ...good, signatures: {} }, "it has no signature"],
    [{ ...good, signatures: Array(17).fill(signature) }, "it has more than 16 signatures"],
    [{ ...good, signatures: [signature, signature] }, "it has two signatures by one key"],
    [{ ...good, signatures: [null] }, "a signature is not a JSON object"],
    [{ ...good, signatures: [{ ...signature, keyid: "me" }] }, 'the "keyid" of a signature is no SHA-256 digest'],
    [{ ...good, signatures: [{ ...signature, sig: 1 }] }, 'the "sig" of a signature is not base64'],
    [{ ...good, signatures: [{ ...signature, publicKey: "?" }] }, 'the "publicKey" of a signature is not base64'],
  ];
  for (const [value, reason] of cases) assert.equal(readEnvelope(value), reason);
});

Deno.test("readEnvelope() ignores members that DSSE does not know, as it prescribes", async () => {
  const good = JSON.parse(await signEnvelope(bytes("{}"), await generateSigningKey()));
  assert.equal(typeof readEnvelope({ ...good, note: 1 }), "object");
});
