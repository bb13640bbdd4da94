import assert from "node:assert/strict";
import { attest, requireAttestable } from "../../src/attestation/attest.ts";
import { readAttestation } from "../../src/attestation/read.ts";
import { requireAttestations } from "../../src/attestation/require.ts";
import { folderOf } from "../../src/files/durable.ts";
import { generateSigningKey } from "../../src/manifest/keys/keys.ts";
import { formatVerification } from "../../src/manifest/verify/verification_report.ts";
import { verifyManifestFile } from "../../src/manifest/verify/verify_file.ts";
import { testJudge } from "../manifest/fixture.ts";
import { withFolder } from "../temporary_folder.ts";
import { ada, bundle, CHOICES, findings, grace, manifest, verify } from "./fixture.ts";

/** Writes the reproduction to a folder; gives the manifest's path. */
function unpack(folder: string): string {
  for (const [name, bytes] of bundle.artefacts) {
    Deno.mkdirSync(folderOf(`${folder}/${name}`), { recursive: true });
    Deno.writeFileSync(`${folder}/${name}`, bytes);
  }
  Deno.writeTextFileSync(`${folder}/manifest.dsse.json`, bundle.envelope);
  return `${folder}/manifest.dsse.json`;
}

function attestations(folder: string): string[] {
  return [...Deno.readDirSync(`${folder}/attestations`)].map(({ name }) => name).sort();
}

Deno.test("attest() leaves one file a key beside the manifest, which verifies there", () =>
  withFolder(async (folder) => {
    const path = unpack(folder);
    const file = await attest(path, await findings(CHOICES.drawn), { key: ada, threads: 1 });
    assert.equal(file, `${folder}/attestations/${ada.keyId}.dsse.json`);
    await attest(`${folder}/`, await findings(), { key: grace });
    assert.deepEqual(attestations(folder), [ada, grace].map(({ keyId }) => `${keyId}.dsse.json`).sort());
    const found = await readAttestation(Deno.readFileSync(file), ada, manifest);
    assert.ok(typeof found === "object");
    assert.equal(found.subject[0]?.name, "manifest.dsse.json");
    const reviewers = [{ name: "Ada", key: ada }, { name: "Grace", key: grace }];
    const report = await verifyManifestFile(path, {
      judge: testJudge,
      countAttestations: requireAttestations({ count: 2, reviewers }),
    });
    assert.equal(report.verdict, "verified", formatVerification(report));
  }));

Deno.test("attest() writes nothing for what is not verified", () =>
  withFolder(async (folder) => {
    const path = unpack(folder);
    const report = await verify({ judge: () => "other rules" });
    await assert.rejects(attest(path, { report }, { key: ada }), { code: "NOT_VERIFIED" });
    assert.throws(() => attestations(folder), Deno.errors.NotFound);
  }));

Deno.test("attest() attests the bytes that were verified, whatever lies there afterwards", () =>
  withFolder(async (folder) => {
    const path = unpack(folder);
    const verified = await findings();
    Deno.writeTextFileSync(path, `${bundle.envelope} `);
    await attest(path, verified, { key: ada });
    const report = await verifyManifestFile(path, {
      judge: testJudge,
      countAttestations: requireAttestations({ count: 1, reviewers: [{ name: "Ada", key: ada }] }),
    });
    assert.equal(report.verdict, "failed");
    assert.match(formatVerification(report), /Ada \(the attestation is of another manifest: of [0-9a-f]{4}…/);
  }));

Deno.test("attest() replaces what a key attested only if it is told to", () =>
  withFolder(async (folder) => {
    const path = unpack(folder);
    const file = await attest(path, await findings(CHOICES.all), { key: ada });
    const before = Deno.readTextFileSync(file);
    await assert.rejects(attest(path, await findings(), { key: ada }), { code: "ATTESTATION_EXISTS" });
    await assert.rejects(requireAttestable(path, { key: ada }), { code: "ATTESTATION_EXISTS" });
    assert.equal(Deno.readTextFileSync(file), before);
    await attest(path, await findings(), { key: ada, replace: true });
    assert.notEqual(Deno.readTextFileSync(file), before);
    assert.deepEqual(attestations(folder), [`${ada.keyId}.dsse.json`]);
  }));

Deno.test("requireAttestable() refuses a key that signed the manifest without being named", () =>
  withFolder(async (folder) => {
    const path = unpack(folder);
    const envelope = JSON.parse(Deno.readTextFileSync(path));
    envelope.signatures = [{ sig: envelope.signatures[0].sig }];
    Deno.writeTextFileSync(path, JSON.stringify(envelope));
    await assert.rejects(requireAttestable(path, { key: bundle.key }), { code: "OWN_MANIFEST" });
    await requireAttestable(path, { key: ada });
  }));

Deno.test("requireAttestable() refuses the key of the manifest, and what is not there", () =>
  withFolder(async (folder) => {
    const path = unpack(folder);
    await assert.rejects(requireAttestable(path, { key: bundle.key }), { code: "OWN_MANIFEST" });
    await assert.rejects(attest(path, await findings(), { key: bundle.key }), { code: "OWN_MANIFEST" });
    await assert.rejects(requireAttestable(`${folder}/none.json`, { key: ada }), { code: "FILE_NOT_FOUND" });
    await assert.rejects(requireAttestable(`${folder}/runs`, { key: ada }), { code: "FILE_NOT_FOUND" });
  }));

Deno.test("requireAttestable() leaves what is no manifest to its verification", () =>
  withFolder(async (folder) => {
    Deno.writeTextFileSync(`${folder}/manifest.dsse.json`, "no JSON");
    const { name } = await requireAttestable(folder, { key: ada });
    assert.equal(name, "manifest.dsse.json");
  }));

Deno.test({
  name: "attest() writes through no link out of the folder, and takes no name that not every system takes",
  ignore: Deno.build.os === "windows",
  fn: () =>
    withFolder(async (outer) => {
      const path = unpack(`${outer}/bundle`);
      Deno.mkdirSync(`${outer}/elsewhere`);
      Deno.symlinkSync("../elsewhere", `${outer}/bundle/attestations`);
      await assert.rejects(attest(path, await findings(), { key: ada }), { code: "NOT_A_FOLDER" });
      assert.deepEqual([...Deno.readDirSync(`${outer}/elsewhere`)], []);
      Deno.copyFileSync(path, `${outer}/bundle/a:b.json`);
      await assert.rejects(requireAttestable(`${outer}/bundle/a:b.json`, { key: ada }), { code: "UNSAFE_PATH" });
    }),
});

Deno.test({
  name: "verifyManifestFile() follows no attestation out of the folder, and opens no device",
  ignore: Deno.build.os === "windows",
  fn: () =>
    withFolder(async (outer) => {
      const path = unpack(`${outer}/bundle`);
      const file = await attest(path, await findings(), { key: ada });
      Deno.renameSync(file, `${outer}/attestation`);
      const countAttestations = requireAttestations({ count: 1, reviewers: [{ name: "Ada", key: ada }] });
      for (const target of ["../../attestation", "/dev/zero"]) {
        Deno.symlinkSync(target, file);
        const report = await verifyManifestFile(path, { judge: testJudge, countAttestations });
        assert.equal(report.verdict, "failed");
        assert.match(
          formatVerification(report),
          /Ada \(The name "attestations\/[0-9a-f]+\.dsse\.json" leads out of the/,
        );
        Deno.removeSync(file);
      }
    }),
});

Deno.test("attest() makes the same bytes for the same key and findings but for the time", () =>
  withFolder(async (folder) => {
    const path = unpack(folder);
    const key = await generateSigningKey();
    const read = async () => {
      const file = await attest(path, await findings(CHOICES.drawn), { key, replace: true });
      const { payload } = JSON.parse(Deno.readTextFileSync(file));
      return atob(payload).replace(/"timeCreated":"[^"]+"/, "");
    };
    assert.equal(await read(), await read());
  }));
