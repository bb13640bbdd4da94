/** Shares of the retraining, by one reviewer or several, added together. */
import assert from "node:assert/strict";
import { attestationName } from "../../src/attestation/predicate.ts";
import { readAttestation } from "../../src/attestation/read.ts";
import { requireAttestations } from "../../src/attestation/require.ts";
import type { SigningKey } from "../../src/manifest/keys/keys.ts";
import { verifyManifest } from "../../src/manifest/verify/verify.ts";
import type { RetrainingChoice } from "../../src/retrain/retrain.ts";
import { segmentName, segmentsOf } from "../../src/retrain/segment.ts";
import { segmentsOfShare } from "../../src/retrain/share.ts";
import { memoryArtefacts, testJudge } from "../manifest/fixture.ts";
import { ada, attestation, bundle, CHOICES, fileOf, grace, loose, manifest, manifestBytes, sealed } from "./fixture.ts";

const all = segmentsOf(bundle.statement.predicate.runs);
const SHARES = 2;
const reviewers = [{ name: "Ada", key: ada }, { name: "Grace", key: grace }];

function choice(share: number, shares = SHARES): RetrainingChoice {
  const segments = segmentsOfShare(all, { share, shares });
  return { kind: "share", share: { share, shares }, segments, total: all.length, worth: "A share." };
}

type File = readonly [name: string, bytes: Uint8Array];

async function file(key: SigningKey, share: number, shares = SHARES): Promise<File> {
  return [
    attestationName(key.keyId, { share, shares }),
    await sealed(await attestation(choice(share, shares)), key),
  ];
}

/** Verifies beside these attestations, where all segments are demanded of so many reviewers. */
async function verify(
  count: number,
  files: readonly File[],
  retrain: number | "all" | undefined = "all",
  coverage?: number,
) {
  const artefacts = new Map([...bundle.artefacts, ...files]);
  const list = (folder: string) =>
    Promise.resolve([...artefacts.keys()].filter((name) => name.startsWith(`${folder}/`)));
  const countAttestations = requireAttestations({
    count,
    reviewers,
    retrain: coverage === undefined ? retrain : undefined,
    coverage,
  });
  const folder = { ...memoryArtefacts(artefacts), list, size: () => Promise.resolve(0) };
  const { steps } = await verifyManifest(manifestBytes, folder, { judge: testJudge, countAttestations });
  const step = steps.find(({ name }) => name === "attestations");
  assert(step !== undefined);
  return step;
}

const [adaOne, adaTwo, graceOne, graceTwo] = await Promise.all([
  file(ada, 1),
  file(ada, 2),
  file(grace, 1),
  file(grace, 2),
]);

Deno.test("shares of one reviewer add up to all segments", async () => {
  const { status, detail } = await verify(1, [adaOne, adaTwo]);
  assert.equal(status, "ok", detail);
  assert.match(detail, new RegExp(`Ada \\(${all.length} of ${all.length} segments retrained, in 2 shares`));
});

Deno.test("shares of two reviewers add up, and are too few where two are required of each segment", async () => {
  assert.equal((await verify(1, [adaOne, graceTwo])).status, "ok");
  const { status, detail } = await verify(2, [adaOne, graceTwo]);
  assert.equal(status, "failed");
  assert.match(detail, /some segments were retrained by 1 of them, and 2 are required of each/);
  assert.equal((await verify(2, [adaOne, adaTwo, graceOne, graceTwo])).status, "ok");
  const whole = fileOf(grace, await sealed(await attestation(CHOICES.all), grace));
  assert.equal((await verify(2, [adaOne, adaTwo, whole])).status, "ok");
});

Deno.test("a share that nobody retrained is missed", async () => {
  const { status, detail } = await verify(1, [adaOne, graceOne]);
  assert.equal(status, "failed");
  assert.match(detail, /some segments were retrained by 0 of them/);
});

Deno.test("a share is no spot check: where drawn segments are demanded it does not count", async () => {
  const { status, detail } = await verify(1, [adaOne, adaTwo], 1);
  assert.equal(status, "failed");
  assert.match(detail, /share 1\/2 of all segments retrained, .*; required: 1 or more drawn segments/);
});

Deno.test("an attestation of a share counts under its own name alone", async () => {
  const { status, detail } = await verify(1, [adaTwo, [adaOne[0], adaTwo[1]]]);
  assert.equal(status, "failed", detail);
  const asWhole = fileOf(ada, adaOne[1]);
  assert.match((await verify(1, [asWhole])).detail, /is not the attestation that its name says/);
});

Deno.test("readAttestation() refuses a share that there is not, and one that counts other segments", async () => {
  const signed = await attestation(choice(1));
  for (
    const [change, flaw] of [
      [{ share: 3 }, /is of share 3\/2, which has no segments/],
      [{ shares: 10_000, share: 2 }, /is of share 2\/10000, which has no segments/],
      [{ total: all.length + 1 }, /counts .* segments/],
      [{ shares: 1 }, /shares/],
    ] as const
  ) {
    const forged = loose(signed);
    Object.assign(forged.predicate.rewarm.replay, change);
    const read = await readAttestation(await sealed(forged, ada), ada, manifest);
    assert(typeof read === "string");
    assert.match(read, flaw);
  }
});

Deno.test("coverage adds up what all reviewers retrained, and names what nobody did with the command for it", async () => {
  const covered = (files: readonly File[], share: number) => verify(1, files, undefined, share);
  const { status, detail } = await covered([adaOne, graceTwo], 1);
  assert.equal(status, "ok", detail);
  assert.match(
    detail,
    new RegExp(`${all.length} of ${all.length} segments were retrained by reviewers, 100.0 % of all`),
  );

  const missed = segmentsOfShare(all, { share: 2, shares: SHARES });
  const half = await covered([adaOne, graceOne], 1);
  assert.equal(half.status, "failed");
  assert.ok(
    half.detail.includes(`${all.length - missed.length} of ${all.length} segments were retrained`),
    half.detail,
  );
  const names = missed.slice(0, 10).map(segmentName).join(" ");
  assert.ok(half.detail.includes(`nobody retrained: deno task retrain MANIFEST --retrain ${names}`), half.detail);

  const tokens = (some: typeof all) => some.reduce((sum, segment) => sum + segment.tokens, 0);
  const share = 1 - tokens(missed) / tokens(all);
  assert.equal((await covered([adaOne], share)).status, "ok");
  assert.equal((await covered([adaOne], share + 1e-6)).status, "failed");
});

Deno.test("drawn and named pieces are covered, and what was not retrained is not, whoever attests the rest", async () => {
  const drawn = fileOf(ada, await sealed(await attestation(CHOICES.drawn), ada));
  const plain = fileOf(grace, await sealed(await attestation(), grace));
  const step = await verify(2, [drawn, plain], undefined, 1);
  assert.equal(step.status, "failed");
  const [, covered = ""] = /(\d+) of \d+ segments were retrained/.exec(step.detail) ?? [];
  const count = CHOICES.drawn.segments.length;
  assert.ok(count > 0 && count < all.length);
  assert.equal(covered, `${count}`);
  // Ada's draw, and a share of her own that adds the others.
  assert.equal((await verify(1, [drawn, adaOne, adaTwo], undefined, 1)).status, "ok");
});

Deno.test("a coverage that nothing can have is refused", () => {
  for (const coverage of [0, -1, 1.01, NaN]) {
    assert.throws(() => requireAttestations({ count: 1, reviewers, coverage }), /coverage of .* is required/);
  }
});
