/** Envelopes and keys against the OpenSSL command line: `deno test --allow-run=openssl`. */
import assert from "node:assert/strict";
import { sha256 } from "../../src/digest/sha256.ts";
import { preAuthenticationEncoding, readEnvelope, signEnvelope } from "../../src/manifest/format/dsse.ts";
import { createKeyFile, readSigningKey, readVerifyingKey } from "../../src/manifest/keys/key_file.ts";
import { verifyBytes } from "../../src/manifest/keys/keys.ts";
import { openssl, opensslTest } from "./openssl.ts";

opensslTest(
  "signEnvelope() makes a signature that OpenSSL verifies over the DSSE bytes, and no others",
  async (folder) => {
    const key = await createKeyFile(`${folder}/key.pem`);
    const envelope = readEnvelope(JSON.parse(await signEnvelope(new TextEncoder().encode('{"a":1}'), key)));
    assert.ok(typeof envelope === "object");
    const message = preAuthenticationEncoding(envelope.payloadType, envelope.payload);
    Deno.writeFileSync(`${folder}/message`, message);
    Deno.writeFileSync(`${folder}/signature`, envelope.signatures[0]?.sig ?? new Uint8Array());
    const verify = ["pkeyutl", "-verify", "-pubin", "-inkey", `${folder}/key.pub.pem`, "-rawin"];
    const files = ["-in", `${folder}/message`, "-sigfile", `${folder}/signature`];
    const good = await openssl(...verify, ...files);
    assert.equal(good.code, 0, good.text);
    message[message.length - 1] = 0;
    Deno.writeFileSync(`${folder}/message`, message);
    assert.notEqual((await openssl(...verify, ...files)).code, 0);
  },
);

opensslTest("readSigningKey() takes a key that OpenSSL made, and signs what OpenSSL verifies", async (folder) => {
  const path = `${folder}/theirs.pem`;
  assert.equal((await openssl("genpkey", "-algorithm", "ed25519", "-out", path)).code, 0);
  assert.equal((await openssl("pkey", "-in", path, "-pubout", "-out", `${folder}/theirs.pub.pem`)).code, 0);
  const key = await readSigningKey(path);
  assert.equal((await readVerifyingKey(`${folder}/theirs.pub.pem`)).keyId, key.keyId);
  const der = await openssl("pkey", "-in", path, "-pubout", "-outform", "DER");
  assert.equal(sha256(der.stdout), key.keyId);
  Deno.writeTextFileSync(`${folder}/message`, "hello");
  const sign = ["pkeyutl", "-sign", "-inkey", path, "-rawin", "-in", `${folder}/message`];
  const { stdout } = await openssl(...sign);
  assert.ok(await verifyBytes(key, new Uint8Array(stdout), new TextEncoder().encode("hello")));
});

opensslTest("createKeyFile() writes keys that OpenSSL reads", async (folder) => {
  await createKeyFile(`${folder}/key.pem`);
  const fromPrivate = await openssl("pkey", "-in", `${folder}/key.pem`, "-pubout");
  assert.equal(fromPrivate.code, 0, fromPrivate.text);
  assert.equal(new TextDecoder().decode(fromPrivate.stdout), Deno.readTextFileSync(`${folder}/key.pub.pem`));
});

opensslTest("readSigningKey() refuses other kinds of keys that OpenSSL makes", async (folder) => {
  for (const algorithm of ["x25519", "ed448"]) {
    const path = `${folder}/${algorithm}.pem`;
    assert.equal((await openssl("genpkey", "-algorithm", algorithm, "-out", path)).code, 0);
    await assert.rejects(readSigningKey(path), { code: "KEY_UNREADABLE" });
  }
});
