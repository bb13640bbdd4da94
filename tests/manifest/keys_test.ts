import assert from "node:assert/strict";
import { createKeyFile, findSigningKey, readSigningKey, readVerifyingKey } from "../../src/manifest/keys/key_file.ts";
import {
  generateSigningKey,
  importVerifyingKey,
  parseSigningKey,
  parseVerifyingKey,
  privateKeyPem,
  publicKeyPem,
  signBytes,
  verifyBytes,
} from "../../src/manifest/keys/keys.ts";
import { withFolder } from "../temporary_folder.ts";
import { toPem } from "../../src/manifest/keys/pem.ts";

const hex = (text: string) => Uint8Array.fromHex(text);
/** DER around a raw Ed25519 key, RFC 8410. */
const pkcs8 = (seed: string) => toPem("PRIVATE KEY", hex(`302e020100300506032b657004220420${seed}`));
const spki = (point: string) => hex(`302a300506032b6570032100${point}`);

/** RFC 8032 §7.1. */
const VECTORS = [
  {
    name: "TEST 1",
    seed: "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    point: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    message: "",
    signature:
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
  },
  {
    name: "TEST 2",
    seed: "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    point: "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    message: "72",
    signature:
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
  },
];

for (const { name, seed, point, message, signature } of VECTORS) {
  Deno.test(`signBytes() and verifyBytes() agree with RFC 8032, ${name}`, async () => {
    const key = await parseSigningKey(pkcs8(seed), "The vector");
    assert.equal(key.spki.toHex(), spki(point).toHex());
    assert.equal((await signBytes(key, hex(message))).toHex(), signature);
    const verifying = await importVerifyingKey(spki(point), "The vector");
    assert.equal(verifying.keyId, key.keyId);
    assert.ok(await verifyBytes(verifying, hex(signature), hex(message)));
    assert.ok(!await verifyBytes(verifying, hex(signature), hex(`${message}00`)));
    assert.ok(!await verifyBytes(verifying, hex(signature.replace(/^../, "00")), hex(message)));
    assert.ok(!await verifyBytes(verifying, hex(signature.slice(2)), hex(message)));
  });
}

Deno.test("keys survive the way through PEM", async () => {
  const key = await generateSigningKey();
  const again = await parseSigningKey(await privateKeyPem(key), "PEM");
  assert.equal(again.keyId, key.keyId);
  assert.equal((await parseVerifyingKey(publicKeyPem(key), "PEM")).keyId, key.keyId);
  const message = hex("0102");
  assert.ok(await verifyBytes(key, new Uint8Array(await signBytes(again, message)), message));
});

Deno.test("parseSigningKey() says what is wrong with a key, and never shows it", async () => {
  const secret = await privateKeyPem(await generateSigningKey());
  const body = secret.split("\n")[1] ?? "";
  const cases: [string, RegExp][] = [
    ["", /no PEM block/],
    [secret.replaceAll("PRIVATE", "ENCRYPTED PRIVATE"), /encrypted/],
    [secret.replaceAll("PRIVATE", "PUBLIC"), /it holds a PUBLIC KEY/],
    [secret.replace("END PRIVATE", "END PUBLIC"), /begins as PRIVATE KEY and ends as PUBLIC KEY/],
    [secret.replace(body, body.slice(1)), /base64 is damaged|no Ed25519 key in PKCS #8/],
    [secret.replace(body, "AAAA"), /no Ed25519 key in PKCS #8/],
  ];
  for (const [pem, reason] of cases) {
    await assert.rejects(parseSigningKey(pem, 'Key file "k"'), (error: Error) => {
      assert.match(error.message, reason);
      assert.match(error.message, /^Key file "k" is no Ed25519/);
      assert.match(error.message, /keygen/);
      assert.ok(!error.message.includes(body));
      return true;
    });
  }
  await assert.rejects(parseVerifyingKey(secret, "It"), /holds a PRIVATE KEY/);
});

Deno.test("a file of several keys is refused, whatever they are and wherever they stand", async () => {
  const [first, second] = [await generateSigningKey(), await generateSigningKey()];
  const secret = await privateKeyPem(first);
  const several = { code: "SEVERAL_KEYS", message: /^Key file "k" has [23] PEM blocks, and a file holds one key: / };
  for (
    const text of [
      publicKeyPem(first) + publicKeyPem(second),
      `Ada's\n${publicKeyPem(first)}Grace's\r\n${publicKeyPem(second)}`,
      publicKeyPem(first) + publicKeyPem(first),
      publicKeyPem(first) + "-----BEGIN CERTIFICATE-----\n",
      publicKeyPem(first).replace(/-----END.*/, "") + publicKeyPem(second),
      publicKeyPem(first) + secret,
      publicKeyPem(first) + publicKeyPem(second) + secret,
    ]
  ) await assert.rejects(parseVerifyingKey(text, 'Key file "k"'), several);
  for (const text of [secret + publicKeyPem(first), secret + secret]) {
    await assert.rejects(parseSigningKey(text, 'Key file "k"'), (error: Error & { code?: string }) => {
      assert.equal(error.code, "SEVERAL_KEYS");
      assert.ok(!error.message.includes(secret.split("\n")[1] ?? ""));
      return true;
    });
  }
  const named = `Ada's key\n${publicKeyPem(first)}of 2026\n`;
  assert.equal((await parseVerifyingKey(named, "It")).keyId, first.keyId);
});

Deno.test("findSigningKey() makes a key on first use, private to its owner, and uses it from then on", () =>
  withFolder(async (folder) => {
    const defaultFile = `${folder}/keys/key.pem`;
    const first = await findSigningKey({ defaultFile });
    assert.ok(first.isNew);
    assert.match(
      first.message,
      /^Made a signing key, [0-9a-f]{64}, in ".*key\.pem": keep this file secret, and give ".*key\.pub\.pem"/,
    );
    if (Deno.build.os !== "windows") assert.equal((Deno.statSync(defaultFile).mode ?? 0) & 0o777, 0o600);
    assert.equal((await readVerifyingKey(`${folder}/keys/key.pub.pem`)).keyId, first.key.keyId);
    const second = await findSigningKey({ defaultFile });
    assert.ok(!second.isNew);
    assert.equal(second.key.keyId, first.key.keyId);
    await assert.rejects(createKeyFile(defaultFile), { code: "KEY_EXISTS" });
    assert.equal((await readSigningKey(defaultFile)).keyId, first.key.keyId);
  }));

Deno.test("findSigningKey() reads a key from an environment that holds single lines", () =>
  withFolder(async (folder) => {
    const key = await generateSigningKey();
    const pem = await privateKeyPem(key);
    const defaultFile = `${folder}/default.pem`;
    const forms = ["\\n", "\\r\\n", "\r\n", " "].map((end) => pem.trimEnd().replaceAll("\n", end));
    for (const environment of [...forms, `"${forms[0]}\\n"`]) {
      const found = await findSigningKey({ environment, defaultFile });
      assert.equal(found.key.keyId, key.keyId, environment.slice(0, 40));
    }
    await assert.rejects(findSigningKey({ environment: `${folder}/key.pem`, defaultFile }), {
      code: "KEY_UNREADABLE",
      message: /it has no "-----BEGIN": give the contents of a key file there, or the path of one with --key FILE$/,
    });
  }));

Deno.test("findSigningKey() prefers the file that is given, then the environment, and falls back on neither", () =>
  withFolder(async (folder) => {
    const given = await createKeyFile(`${folder}/given.pem`);
    const fromEnvironment = await generateSigningKey();
    const environment = await privateKeyPem(fromEnvironment);
    const defaultFile = `${folder}/default.pem`;
    const both = await findSigningKey({ keyFile: `${folder}/given.pem`, environment, defaultFile });
    assert.equal(both.key.keyId, given.keyId);
    const one = await findSigningKey({ environment, defaultFile });
    assert.equal(one.key.keyId, fromEnvironment.keyId);
    assert.match(one.message, /from REWARM_KEY$/);
    await assert.rejects(findSigningKey({ keyFile: `${folder}/none.pem`, environment, defaultFile }), {
      code: "FILE_NOT_FOUND",
    });
    await assert.rejects(findSigningKey({ environment: "x", defaultFile }), {
      code: "KEY_UNREADABLE",
      message: /^Environment variable REWARM_KEY is no Ed25519 private key/,
    });
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), ["given.pem", "given.pub.pem"]);
  }));

Deno.test("createKeyFile() overwrites neither a private nor a public key, nor writes through a link", () =>
  withFolder(async (folder) => {
    const path = `${folder}/key.pem`;
    const refused = { code: "KEY_EXISTS" };
    await Deno.writeTextFile(`${folder}/key.pub.pem`, "somebody's");
    await assert.rejects(createKeyFile(path), { ...refused, message: /There is a public key in ".*key\.pub\.pem"/ });
    await assert.rejects(findSigningKey({ defaultFile: path }), refused);
    assert.equal(await Deno.readTextFile(`${folder}/key.pub.pem`), "somebody's");
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["key.pub.pem"]);
    if (Deno.build.os === "windows") return;
    for (const name of ["linked.pem", "linked.pub.pem"]) {
      await Deno.symlink(`${folder}/nowhere`, `${folder}/${name}`);
      await assert.rejects(createKeyFile(`${folder}/linked.pem`), refused);
      await Deno.remove(`${folder}/${name}`);
    }
  }));

Deno.test("findSigningKey() makes a public key again that is gone, from the private one", () =>
  withFolder(async (folder) => {
    const defaultFile = `${folder}/key.pem`;
    const { keyId } = await createKeyFile(defaultFile);
    await Deno.remove(`${folder}/key.pub.pem`);
    assert.equal((await findSigningKey({ defaultFile })).key.keyId, keyId);
    assert.equal((await readVerifyingKey(`${folder}/key.pub.pem`)).keyId, keyId);
  }));
