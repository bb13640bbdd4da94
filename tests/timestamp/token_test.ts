import assert from "node:assert/strict";
import fc from "fast-check";
import { parseRoots } from "../../src/timestamp/roots.ts";
import { readRequest, timestampRequest } from "../../src/timestamp/request.ts";
import { MAX_TIMESTAMP_BYTES } from "../../src/timestamp/timestamp.ts";
import { readTimestamp } from "../../src/timestamp/token.ts";
import { Authority, type CertificateOptions, type TokenOptions } from "./authority.ts";

const MESSAGE = new TextEncoder().encode("what is to be timestamped");
const OTHER = new TextEncoder().encode("something else");
const authority = await Authority.create();
const roots = [authority.root];

Deno.test("readTimestamp() says when a message was seen and by whom, and whose word it is where roots are given", async () => {
  const nonce = new Uint8Array([0x41, 2, 3]);
  const bytes = await authority.stamp(MESSAGE, { nonce });
  const said = { time: "2026-06-01T12:00:00.000Z", authority: "An authority", nonce: "410203" };
  assert.deepEqual(await readTimestamp(bytes, MESSAGE), said);
  assert.deepEqual(await readTimestamp(bytes, MESSAGE, roots), { ...said, isTrusted: true });
});

const SERVER_AUTHENTICATION = "1.3.6.1.5.5.7.3.1";
const TIME_STAMPING = "1.3.6.1.5.5.7.3.8";
for (
  const { what, certificate, token, message, reason } of [
    { what: "of another message", message: OTHER, reason: /^is of something else: of [0-9a-f]{16}…/ },
    { what: "that was not granted", token: { status: 2 }, reason: /^was not granted: status 2, "not today"$/ },
    { what: "of a SHA-1", token: { hash: "1.3.14.3.2.26" }, reason: /^is of another digest than SHA-256$/ },
    {
      what: "whose signature is over a SHA-1, and its digest is not",
      token: { signatureHash: "SHA-1" },
      reason: /^is signed by a weak digest, or in a way that is not known here$/,
    },
    { what: "of two signers", token: { signers: 2 }, reason: /^has 2 signers, not one$/ },
    {
      what: "over another type of content",
      token: { contentType: "1.2.840.113549.1.7.1" },
      reason: /^does not sign that its content is a time$/,
    },
    {
      what: "that does not bind its certificate",
      token: { boundTo: null },
      reason: /^does not sign which certificate it is by$/,
    },
    {
      what: "bound to another certificate",
      token: { boundTo: authority.root },
      reason: /^signs that it is by another certificate$/,
    },
    {
      what: "by a certificate for servers",
      certificate: { purposes: [SERVER_AUTHENTICATION] },
      reason: /^is signed by a certificate that is not for timestamps alone$/,
    },
    {
      what: "by a certificate for timestamps and servers",
      certificate: { purposes: [TIME_STAMPING, SERVER_AUTHENTICATION] },
      reason: /^is signed by a certificate that is not for timestamps alone$/,
    },
    {
      what: "by a certificate whose purpose is not critical",
      certificate: { isCritical: false },
      reason: /^is signed by a certificate that is not for timestamps alone$/,
    },
    {
      what: "by a certificate that had expired",
      certificate: { notAfter: new Date("2026-05-31T00:00:00Z") },
      reason: /^(does not lead to a root that you trust: .*|is dated outside the time .*)$/,
    },
    {
      what: "by a certificate that was not valid yet",
      certificate: { notBefore: new Date("2026-06-02T00:00:00Z") },
      reason: /^(does not lead to a root that you trust: .*|is dated outside the time .*)$/,
    },
  ] as {
    what: string;
    certificate?: CertificateOptions;
    token?: TokenOptions;
    message?: typeof OTHER;
    reason: RegExp;
  }[]
) {
  Deno.test(`readTimestamp() refuses a timestamp ${what}, with roots and without`, async () => {
    const made = certificate === undefined ? authority : await Authority.create(certificate);
    const bytes = await made.stamp(MESSAGE, token);
    for (const trusted of [[], [made.root]]) {
      const found = await readTimestamp(bytes, message ?? MESSAGE, trusted);
      assert.equal(typeof found, "string");
      assert.match(found as string, reason);
    }
  });
}

Deno.test("readTimestamp() refuses an authority that leads to no root, and believes nobody else's certificate", async () => {
  const other = await Authority.create();
  const found = await readTimestamp(await authority.stamp(MESSAGE), MESSAGE, [other.root]);
  assert.match(String(found), /^does not lead to a root that you trust: /);
});

Deno.test("readTimestamp() refuses an authority that was certified by somebody who may certify nobody", async () => {
  const made = await Authority.create({ isByStranger: true });
  const found = await readTimestamp(await made.stamp(MESSAGE), MESSAGE, [made.root]);
  assert.match(String(found), /^does not lead to a root that you trust: /);
});

for (const weakly of ["ECDSA", "RSA-PSS"] as const) {
  Deno.test(`readTimestamp() refuses an authority that was certified over a SHA-1, by ${weakly}`, async () => {
    const made = await Authority.create({ weakly });
    const found = await readTimestamp(await made.stamp(MESSAGE), MESSAGE, [made.root]);
    assert.equal(found, "rests on a certificate that is signed by a weak digest, of An authority");
  });
}

Deno.test("readTimestamp() takes no response with a byte changed, cut off or added", async () => {
  const bytes = await authority.stamp(MESSAGE);
  const good = await readTimestamp(bytes, MESSAGE, roots);
  const isRefused = async (changed: Uint8Array) => {
    const found = await readTimestamp(changed, MESSAGE, roots);
    // Some bytes say nothing: which parameters an algorithm is said to have, or the spelling of a length.
    return typeof found === "string" || JSON.stringify(found) === JSON.stringify(good);
  };
  await fc.assert(
    fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
      const changed = bytes.slice();
      changed[at] = (changed[at] ?? 0) ^ flip;
      assert(await isRefused(changed), `byte ${at} changed by ${flip}`);
      assert.equal(typeof await readTimestamp(bytes.slice(0, at), MESSAGE, roots), "string");
    }),
    { numRuns: 150, seed: 1 },
  );
  assert.match(String(await readTimestamp(new Uint8Array([...bytes, 0]), MESSAGE)), /^is no timestamp response/);
  for (const hostile of [[], [0x30], [0x30, 0x84, 0xff, 0xff, 0xff, 0xff], [0x30, 0x80], Array(4000).fill(0x30)]) {
    assert.equal(typeof await readTimestamp(new Uint8Array(hostile), MESSAGE), "string");
  }
  const large = new Uint8Array(MAX_TIMESTAMP_BYTES + 1);
  assert.match(String(await readTimestamp(large, MESSAGE)), /^has 65537 bytes, and at most 65536 are read$/);
});

Deno.test("timestampRequest() asks for a message's SHA-256 with a nonce of its own", () => {
  const [first, second] = [timestampRequest(MESSAGE), timestampRequest(MESSAGE)].map(readRequest);
  assert.equal(first?.imprint, second?.imprint);
  assert.notEqual(first?.nonce, second?.nonce);
  assert.match(first?.nonce ?? "", /^[4-7][0-9a-f]{31}$/);
  assert.equal(readRequest(new Uint8Array([1, 2, 3])), undefined);
});

Deno.test("parseRoots() reads certificates in PEM, and says what is none", () => {
  assert.equal(parseRoots(`a comment\n${authority.rootPem}${authority.rootPem}`, "roots.pem").length, 2);
  assert.throws(() => parseRoots("nothing", "roots.pem"), { code: "BAD_CERTIFICATES", message: /has 0 certificates/ });
  const damaged = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
  assert.throws(() => parseRoots(damaged, "roots.pem"), { code: "BAD_CERTIFICATES", message: /Certificate 1 of/ });
});
