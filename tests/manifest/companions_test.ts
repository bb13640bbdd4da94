import assert from "node:assert/strict";
import { foldName } from "../../src/files/safe_name.ts";
import { companionNameReason, isAttestationName } from "../../src/manifest/format/companions.ts";
import { formatVerification } from "../../src/manifest/verify/verification_report.ts";
import { verifyManifest } from "../../src/manifest/verify/verify.ts";
import { forge, loose, makeBundle, memoryArtefacts, testJudge } from "./fixture.ts";

const bundle = await makeBundle();

/** Verifies the manifest with further subjects, whose bytes are there and as signed. */
async function verifyWith(...names: string[]) {
  const forged = loose(bundle.statement);
  const [{ digest }] = forged.subject;
  const bytes = bundle.artefacts.get(forged.subject[0].name);
  assert.ok(bytes !== undefined);
  forged.subject.push(...names.map((name) => ({ name, digest })));
  const artefacts = memoryArtefacts(new Map([...bundle.artefacts, ...names.map((name) => [name, bytes] as const)]));
  return await verifyManifest(await forge(forged, bundle.key), artefacts, { judge: testJudge });
}

const KEY = "0123456789abcdef".repeat(4);

for (
  const name of [
    "manifest.dsse.json",
    "MANIFEST.dsse.json",
    "Manifest.DSSE.Json",
    "manife\u017ft.dsse.json",
    "manifest\u200c.dsse.json",
    "manifest.dsse.json/x",
    "attestations",
    "ATTESTATIONS",
    `attestations/${KEY}.dsse.json`,
    `Attestations/${KEY.toUpperCase()}.dsse.json`,
    "atte\u017ftations/x",
    "attesta\u00adtions/x",
    "attestations/../attestations/x",
  ]
) {
  Deno.test(`verifyManifest() refuses a subject ${JSON.stringify(name)}`, async () => {
    const report = await verifyWith(name);
    const step = report.steps.find(({ status }) => status === "failed");
    assert.equal(step?.name, "subjects", formatVerification(report));
  });
}

Deno.test("verifyManifest() refuses subjects that are one file, or a file and a folder, on some systems", async () => {
  for (
    const [names, reason] of [
      [["a.txt", "A.TXT"], /two subjects/],
      [["\u00e9", "e\u0301"], /two subjects/],
      [["stra\u00dfe", "STRASSE"], /two subjects/],
      [["a\u200bb", "ab"], /two subjects/],
      [["REPORT.html"], /two subjects/],
      [["Plan.JSON"], /two subjects/],
      [["a", "a/b"], /a folder of other subjects/],
      [["A/b/c", "a/B"], /a folder of other subjects/],
      [["Runs"], /a folder of other subjects/],
    ] as const
  ) {
    const report = await verifyWith(...names);
    const step = report.steps.find(({ status }) => status === "failed");
    assert.equal(step?.name, "subjects", `${names}\n${formatVerification(report)}`);
    assert.match(step.detail, reason);
  }
});

Deno.test("verifyManifest() takes names that only resemble the manifest's and the reviewers'", async () => {
  const report = await verifyWith(
    "manifest.json",
    "my-attestations/x",
    "runs-2/manifest.dsse.json",
    "docs/attestations",
    "a.b",
  );
  assert.equal(report.verdict, "verified", formatVerification(report));
});

Deno.test("companionNameReason() says whose the name is", () => {
  assert.match(companionNameReason("MANIFEST.dsse.json") ?? "", /^is that of the manifest, "manifest\.dsse\.json"/);
  assert.match(companionNameReason("Attestations/x") ?? "", /^is in the folder "attestations".* the reviewers'$/);
  assert.equal(companionNameReason("plan.json"), undefined);
  assert.ok(isAttestationName(`attestations/${KEY}.dsse.json`));
  assert.ok(!isAttestationName(`Attestations/${KEY}.dsse.json`));
});

Deno.test("foldName() gives one name for what some file system holds for one", () => {
  assert.equal(foldName("Ru\u200dns/\ufeffA"), foldName("runs/a"));
  assert.notEqual(foldName("a-b"), foldName("ab"));
});
