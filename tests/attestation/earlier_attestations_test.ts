/** Attestations of earlier versions, kept with the manifest that they are about: tests/fixtures/attestations/README.md. */
import assert from "node:assert/strict";
import { requireAttestations } from "../../src/attestation/require.ts";
import type { ArtefactReader } from "../../src/manifest/verify/artefacts.ts";
import { folderArtefacts } from "../../src/manifest/verify/folder_artefacts.ts";
import { readVerifyingKey } from "../../src/manifest/keys/key_file.ts";
import { openManifest } from "../../src/manifest/verify/open_manifest.ts";
import { paperJudge } from "../../src/results/paper_judge.ts";
import { formatVerification } from "../../src/manifest/verify/verification_report.ts";
import { verifyManifest } from "../../src/manifest/verify/verify.ts";
import { loadPaper, PAPER_FILE } from "../../src/reproduce/paper_file.ts";

const pathOf = (path: string) => decodeURIComponent(new URL(`../fixtures/${path}`, import.meta.url).pathname);
const paper = await loadPaper();

for (const version of ["svr-v0.1"]) {
  Deno.test(`verifyManifest() counts the attestations that were made in the form ${version}`, async () => {
    const folder = pathOf(`attestations/${version}`);
    const { bytes, artefacts } = await openManifest(pathOf("manifests/v1/manifest.dsse.json"));
    const attestations = folderArtefacts(folder);
    const files: ArtefactReader = {
      open: (name) =>
        name.startsWith("attestations/") ? attestations.open(name.slice("attestations/".length)) : artefacts.open(name),
    };
    const reviewers = await Promise.all(["ada", "grace"].map(async (name) => ({
      name,
      key: await readVerifyingKey(`${folder}/${name}.pub.pem`),
    })));
    const verify = (count: number, retrain?: number) =>
      verifyManifest(bytes, files, {
        judge: paperJudge(paper.text, PAPER_FILE),
        withoutCheckpoints: true,
        countAttestations: requireAttestations({ count, reviewers, retrain }),
        now: Date.parse("2026-12-01T00:00:00Z"),
      });
    const both = await verify(2);
    assert.equal(both.verdict, "verified", formatVerification(both));
    assert.match(
      formatVerification(both),
      /^grace attests, at 2026-.*: 2 of 52 segments retrained; and leaves open:$/m,
    );
    const retrained = await verify(1, 2);
    assert.deepEqual(retrained.reviews?.map(({ status }) => status), ["refused", "counts"]);
  });
}
