/** Known answers from outside: tests/fixtures/ed25519/README.md. */
import assert from "node:assert/strict";
import { pointFlaw, signatureFlaw } from "../../src/manifest/keys/ed25519_strict.ts";
import { importVerifyingKey, parseSigningKey, parseVerifyingKey, verifyBytes } from "../../src/manifest/keys/keys.ts";
import { toPem } from "../../src/manifest/keys/pem.ts";
import speccheck from "../fixtures/ed25519/speccheck.json" with { type: "json" };
import wycheproof from "../fixtures/ed25519/wycheproof.json" with { type: "json" };

const hex = (text: string) => Uint8Array.fromHex(text);
const spki = (point: string) => hex(`302a300506032b6570032100${point}`);

/** Whether a signature is taken by a key that came in as every key does; a key that is refused takes none. */
async function isTaken({ publicKey, message, signature }: Record<"publicKey" | "message" | "signature", string>) {
  let key;
  try {
    key = await importVerifyingKey(spki(publicKey), "The vector");
  } catch (error) {
    assert.equal((error as { code?: string }).code, "KEY_REFUSED");
    return false;
  }
  return await verifyBytes(key, hex(signature), hex(message));
}

/** What ed25519-dalek's `verify_strict` gives in table 5 of the paper: only case 3 holds. */
const TAKEN = [3];

for (const { number, what, ...vector } of speccheck) {
  Deno.test(`verifyBytes() ${TAKEN.includes(number) ? "takes" : "refuses"} speccheck ${number}: ${what}`, async () => {
    assert.equal(await isTaken(vector), TAKEN.includes(number));
  });
}

Deno.test("speccheck's cases are told apart where they come in, by the key or by the signature", () => {
  const keyFlaws = speccheck.map(({ publicKey }) => pointFlaw(hex(publicKey)));
  const small = "is of small order", other = "is not in its canonical encoding";
  assert.deepEqual(keyFlaws, [small, small, ...Array(8).fill(undefined), other, other]);
  const signatureFlaws = speccheck.map(({ signature }) => signatureFlaw(hex(signature)));
  assert.match(signatureFlaws[0] ?? "", /^has a point R that is of small order$/);
  assert.match(signatureFlaws[2] ?? "", /^has a point R that is of small order$/);
  for (const number of [6, 7]) assert.match(signatureFlaws[number] ?? "", /^has a scalar S that is not below/);
  for (const number of [8, 9]) assert.match(signatureFlaws[number] ?? "", /R that is not in its canonical encoding$/);
  for (const number of [1, 3, 4, 5, 10, 11]) assert.equal(signatureFlaws[number], undefined, `${number}`);
});

Deno.test("verifyBytes() decides Wycheproof's special values, lengths and encodings as they are marked", async () => {
  assert.ok(wycheproof.tests.length > 30);
  for (const { tcId, comment, msg, sig, result } of wycheproof.tests) {
    const taken = await isTaken({ publicKey: wycheproof.publicKey, message: msg, signature: sig });
    assert.equal(taken, result === "valid", `tcId ${tcId} ${comment}`);
  }
});

/** y of the five points of small order (the orders are 1, 2, 4, 8 and 8); the sign of x gives the other three. */
const SMALL = [
  `01${"00".repeat(31)}`,
  `ec${"ff".repeat(30)}7f`,
  "00".repeat(32),
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
];
const p = (1n << 255n) - 19n;
const signed = (point: string) => point.slice(0, 62) + (parseInt(point.slice(62), 16) | 0x80).toString(16);
const encoded = (y: bigint) => y.toString(16).padStart(64, "0").match(/../g)?.reverse().join("") ?? "";

Deno.test("importVerifyingKey() refuses every key of small order, in each of its encodings", async () => {
  const second = [encoded(p), encoded(p + 1n)];
  const all = [...SMALL, ...second].flatMap((point) => [point, signed(point)]);
  assert.equal(new Set(all).size, 14);
  for (const point of all) {
    const refusal = {
      code: "KEY_REFUSED",
      message: /^"k" is an Ed25519 key that is (of small order|not in its canonical)/,
    };
    await assert.rejects(importVerifyingKey(spki(point), '"k"'), refusal, point);
    await assert.rejects(parseVerifyingKey(toPem("PUBLIC KEY", spki(point)), '"k"'), refusal, point);
  }
});

Deno.test("importVerifyingKey() refuses y from the field's size on, and what is no point", async () => {
  for (let above = 0n; above < 19n; above++) {
    for (const point of [encoded(p + above), signed(encoded(p + above))]) {
      await assert.rejects(importVerifyingKey(spki(point), "It"), { code: "KEY_REFUSED" }, point);
    }
  }
  await assert.rejects(importVerifyingKey(spki(`02${"00".repeat(31)}`), "It"), /is no point of the curve/);
  // The highest y that there can be is that of the point of order 2.
  assert.equal(pointFlaw(hex(encoded(p - 1n))), "is of small order");
});

Deno.test("importVerifyingKey() takes one spelling of SPKI only", async () => {
  const point = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
  assert.equal((await importVerifyingKey(spki(point), "It")).spki.toHex(), spki(point).toHex());
  const others = [
    `302a300506032b6570032100${point}00`,
    `302c300706032b65700500032100${point}`,
    `30812a300506032b6570032100${point}`,
    `302a300506032b656e032100${point}`,
    `302b300506032b657003220000${point}`,
    point,
    "",
  ];
  for (const der of others) await assert.rejects(importVerifyingKey(hex(der), "It"), { code: "KEY_UNREADABLE" }, der);
});

Deno.test("parseSigningKey() derives the public key, whichever one the file brings along", async () => {
  const seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
  const own = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
  const other = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
  // OneAsymmetricKey (RFC 5958), version 1, with its public key as [1].
  const withPublic = (point: string) =>
    toPem("PRIVATE KEY", hex(`3051020101300506032b657004220420${seed}812100${point}`));
  // Signing with another's public key in the hash would give the private key away.
  for (const point of [own, other]) {
    assert.equal((await parseSigningKey(withPublic(point), "It")).spki.toHex(), spki(own).toHex());
  }
});
