/** Timestamps against the OpenSSL command line, as an authority and as a verifier: `deno test --allow-run=openssl`. */
import assert from "node:assert/strict";
import { sha256 } from "../../src/digest/sha256.ts";
import { planMessage } from "../../src/timestamp/message.ts";
import { readRequest, timestampRequest } from "../../src/timestamp/request.ts";
import { parseRoots } from "../../src/timestamp/roots.ts";
import { readTimestamp } from "../../src/timestamp/token.ts";
import { Authority } from "../timestamp/authority.ts";
import { openssl, opensslTest } from "./openssl.ts";

const CONFIGURATION = `[req]
distinguished_name = name
[name]
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[authority]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[tsa]
serial = FOLDER/serial
signer_cert = FOLDER/tsa.pem
signer_key = FOLDER/tsa.key
certs = FOLDER/root.pem
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_chain = no
ess_cert_id_alg = ESS_HASH
`;

const MESSAGE = planMessage(
  { name: "plan.json", sha256: sha256("a plan") },
  { name: "paper.yaml", sha256: sha256("rules") },
);

async function need(...args: string[]): Promise<void> {
  const { code, text } = await openssl(...args);
  assert.equal(code, 0, text);
}

/** Makes OpenSSL an authority in a folder, with a key of some kind. */
async function makeAuthority(folder: string, key: readonly string[], essHash: string): Promise<void> {
  const configuration = `${folder}/tsa.cnf`;
  await Deno.writeTextFile(
    configuration,
    CONFIGURATION.replaceAll("FOLDER", folder).replace("ESS_HASH", essHash),
  );
  await Deno.writeTextFile(`${folder}/serial`, "01\n");
  const root = ["-config", configuration, "-extensions", "root", "-subj", "/CN=OpenSSL root", "-days", "3650"];
  await need("req", "-x509", ...key, "-nodes", "-keyout", `${folder}/root.key`, "-out", `${folder}/root.pem`, ...root);
  const named = ["-config", configuration, "-subj", "/CN=OpenSSL authority"];
  await need("req", ...key, "-nodes", "-keyout", `${folder}/tsa.key`, "-out", `${folder}/tsa.csr`, ...named);
  const by = ["-CA", `${folder}/root.pem`, "-CAkey", `${folder}/root.key`, "-CAcreateserial", "-days", "3650"];
  const purpose = ["-extfile", configuration, "-extensions", "authority"];
  await need("x509", "-req", "-in", `${folder}/tsa.csr`, ...by, ...purpose, "-out", `${folder}/tsa.pem`);
}

const RSA = ["-newkey", "rsa:2048"];
for (
  const { what, key, essHash } of [
    { what: "an RSA key", key: RSA, essHash: "sha256" },
    { what: "a P-256 key", key: ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"], essHash: "sha256" },
    { what: "an RSA key, its certificate bound by RFC 3161's SHA-1", key: RSA, essHash: "sha1" },
    { what: "an RSA key, its certificate bound by SHA-512", key: RSA, essHash: "sha512" },
  ]
) {
  opensslTest(`readTimestamp() takes what OpenSSL answers to a request, with ${what}`, async (folder) => {
    await makeAuthority(folder, key, essHash);
    const request = timestampRequest(MESSAGE);
    await Deno.writeFile(`${folder}/plan.tsq`, request);
    const answer = ["-queryfile", `${folder}/plan.tsq`, "-out", `${folder}/plan.tsr`];
    await need("ts", "-reply", "-config", `${folder}/tsa.cnf`, "-section", "tsa", ...answer);
    const bytes = await Deno.readFile(`${folder}/plan.tsr`);
    const roots = parseRoots(await Deno.readTextFile(`${folder}/root.pem`), "root.pem");
    const found = await readTimestamp(bytes, MESSAGE, roots);
    assert(typeof found === "object", `${found}`);
    assert.equal(found.authority, "OpenSSL authority");
    assert.equal(found.nonce, readRequest(request)?.nonce);
    assert(Math.abs(Date.parse(found.time) - Date.now()) < 3_600_000);
    const other = await Authority.create();
    assert.match(String(await readTimestamp(bytes, MESSAGE, [other.root])), /^does not lead to a root/);
    // The message is written down as docs/verification.md says, and OpenSSL agrees.
    await Deno.writeFile(`${folder}/message`, MESSAGE);
    const verify = ["-data", `${folder}/message`, "-in", `${folder}/plan.tsr`, "-CAfile", `${folder}/root.pem`];
    await need("ts", "-verify", ...verify);
  });
}

opensslTest("OpenSSL takes what the tests' authority answers, and refuses it for another message", async (folder) => {
  const authority = await Authority.create();
  await Deno.writeFile(`${folder}/message.tsr`, await authority.stamp(MESSAGE));
  await Deno.writeFile(`${folder}/message`, MESSAGE);
  await Deno.writeTextFile(`${folder}/other`, "something else");
  await Deno.writeTextFile(`${folder}/root.pem`, authority.rootPem);
  const verify = (message: string) =>
    openssl("ts", "-verify", "-data", message, "-in", `${folder}/message.tsr`, "-CAfile", `${folder}/root.pem`);
  const { code, text } = await verify(`${folder}/message`);
  assert.equal(code, 0, text);
  assert.notEqual((await verify(`${folder}/other`)).code, 0);
});
