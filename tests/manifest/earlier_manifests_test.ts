/** Manifests of earlier versions, kept with their artefacts: tests/fixtures/manifests/README.md. */
import assert from "node:assert/strict";
import { sha256 } from "../../src/digest/sha256.ts";
import { createExactEngine } from "../../src/engine/exact/engine.ts";
import { proveInclusion, verifyInclusion } from "../../src/manifest/verify/inclusion.ts";
import { readVerifyingKey } from "../../src/manifest/keys/key_file.ts";
import { generateSigningKey } from "../../src/manifest/keys/keys.ts";
import { openManifest } from "../../src/manifest/verify/open_manifest.ts";
import { paperJudge } from "../../src/results/paper_judge.ts";
import { isTrained } from "../../src/manifest/format/run.ts";
import { formatVerification } from "../../src/manifest/verify/verification_report.ts";
import { verifyManifestFile } from "../../src/manifest/verify/verify_file.ts";
import { retrain } from "../../src/retrain/retrain.ts";
import { segmentName } from "../../src/retrain/segment.ts";
import { loadPaper, PAPER_FILE } from "../../src/reproduce/paper_file.ts";
import { DATA_CACHE, kernelCache } from "../reproduce/smoke.ts";

const FOLDER = new URL("../fixtures/manifests/", import.meta.url);
const VERSIONS = [...Deno.readDirSync(FOLDER)].filter(({ isDirectory }) => isDirectory).map(({ name }) => name).sort();
const pathOf = (version: string, name: string) => decodeURIComponent(new URL(`${version}/${name}`, FOLDER).pathname);
const manifestOf = (version: string) => pathOf(version, "manifest.dsse.json");

const paper = await loadPaper();
const judge = paperJudge(paper.text, PAPER_FILE);

async function optionsFor(version: string) {
  const trustedKeys = [{ name: "its maker", key: await readVerifyingKey(pathOf(version, "maker.pub.pem")) }];
  return { trustedKeys, judge, withoutCheckpoints: true };
}

Deno.test("the manifests of both forms are among those kept", () => {
  assert.deepEqual(VERSIONS.slice(0, 2), ["v1", "v2"]);
});

for (const version of VERSIONS) {
  Deno.test(`verifyManifestFile() verifies the manifest of ${version} by the rules of today, and by its own`, async () => {
    const options = await optionsFor(version);
    const today = await verifyManifestFile(manifestOf(version), options);
    assert.equal(today.verdict, "verified", formatVerification(today));
    assert.deepEqual(today.signers.map(({ trustedAs }) => trustedAs), ["its maker"]);
    // As when experiments/paper.yaml has changed: the claims are judged by the copy that was signed.
    const changed = paperJudge(`${paper.text}\n# another version`, PAPER_FILE);
    const later = await verifyManifestFile(manifestOf(version), { ...options, judge: changed });
    assert.equal(later.verdict, "verified", formatVerification(later));
    assert.match(later.caveats.join(), /the claims were judged by the copy beside the manifest/);
    assert(later.statement !== undefined && later.statement.predicate.claims.length > 0);
  });

  Deno.test(`verifyManifestFile() fails the manifest of ${version} under a key that did not sign it`, async () => {
    const trustedKeys = [{ name: "somebody", key: await generateSigningKey() }];
    const report = await verifyManifestFile(manifestOf(version), { ...await optionsFor(version), trustedKeys });
    assert.equal(report.steps.find(({ name }) => name === "signer")?.status, "failed");
  });
}

Deno.test("verifyInclusion() accepts proofs of every run's last step against the manifest of v1", async () => {
  const { bytes, artefacts } = await openManifest(manifestOf("v1"));
  const { trustedKeys } = await optionsFor("v1");
  const { statement } = await verifyManifestFile(manifestOf("v1"));
  const runs = statement?.predicate.runs.filter(isTrained) ?? [];
  assert.equal(runs.length, 17);
  for (const { label, journal } of runs) {
    const step = journal.steps - 1;
    const proof = await proveInclusion(bytes, artefacts, { run: label, kind: "step", step });
    const shown = await verifyInclusion(bytes, proof, { trustedKeys });
    assert(shown.included && shown.part.kind === "step" && shown.part.step === step);
  }
});

for (const version of VERSIONS) {
  // A version with another arithmetic or other corpora cannot train these again: it must then say "not checked" here.
  Deno.test(`retrain() trains a segment of ${version} again from its checkpoint, to the same bits`, async () => {
    const starts: number[] = [];
    const { report, retrained } = await retrain(manifestOf(version), {
      ...await optionsFor(version),
      pieces: { kind: "named", names: ["warmup-length_1%_seed-0:16..22"] },
      engine: () => createExactEngine({ threads: 1, sha256, cache: kernelCache }),
      dataCache: DATA_CACHE,
      events: { onSegment: (_, { startedAt }) => starts.push(startedAt) },
    });
    assert.equal(report.verdict, "verified", formatVerification(report));
    assert.deepEqual(retrained.map(segmentName), ["warmup-length_1%_seed-0:16..22"]);
    assert.deepEqual(starts, [16]);
  });
}
