import assert from "node:assert/strict";
import { sha256 } from "../../src/digest/sha256.ts";
import { folderOf } from "../../src/files/durable.ts";
import { digestArtefacts } from "../../src/manifest/verify/folder_artefacts.ts";
import { formatVerification } from "../../src/manifest/verify/verification_report.ts";
import { MAX_MANIFEST_BYTES } from "../../src/manifest/verify/verify.ts";
import { verifyManifestFile } from "../../src/manifest/verify/verify_file.ts";
import { withFolder } from "../temporary_folder.ts";
import { makeBundle, testJudge } from "./fixture.ts";

const bundle = await makeBundle();
const options = { judge: testJudge, trustedKeys: [{ name: "the maker", key: bundle.key }] };

/** Writes the bundle to a folder; gives the manifest's path. */
function unpack(folder: string): string {
  for (const [name, bytes] of bundle.artefacts) {
    Deno.mkdirSync(folderOf(`${folder}/${name}`), { recursive: true });
    Deno.writeFileSync(`${folder}/${name}`, bytes);
  }
  const path = `${folder}/manifest.dsse.json`;
  Deno.writeTextFileSync(path, bundle.envelope);
  return path;
}

Deno.test("verifyManifestFile() verifies a folder, and needs nothing but to read it", () =>
  withFolder(async (folder) => {
    const path = unpack(folder);
    Deno.writeTextFileSync(`${folder}/stranger.txt`, "not in the manifest");
    const report = await verifyManifestFile(path, options);
    assert.equal(report.verdict, "verified", formatVerification(report));
    const names = bundle.statement.subject.map(({ name }) => name);
    const digests = await digestArtefacts(folder, names);
    assert.deepEqual(digests, bundle.statement.subject.map(({ name, digest }) => ({ name, sha256: digest.sha256 })));
  }));

Deno.test("verifyManifestFile() reports what it could not read, with exit code 2", () =>
  withFolder(async (folder) => {
    const missing = await verifyManifestFile(`${folder}/none.json`, options);
    assert.equal(missing.exitCode, 2);
    assert.match(
      formatVerification(missing),
      /Cannot read ".*none\.json", there is no such file or folder: check the path/,
    );
    const notAFile = await verifyManifestFile(folder, options);
    assert.equal(notAFile.exitCode, 2);
  }));

Deno.test("verifyManifestFile() does not read a manifest that is too large", () =>
  withFolder(async (folder) => {
    const path = unpack(folder);
    Deno.truncateSync(path, MAX_MANIFEST_BYTES + 1);
    const report = await verifyManifestFile(path, options);
    assert.equal(report.exitCode, 1);
    assert.match(report.steps[0]?.detail ?? "", /at most 33554432 are allowed/);
  }));

Deno.test({
  name: "verifyManifestFile() follows no link out of the folder, even to the right bytes, and opens no device",
  ignore: Deno.build.os === "windows",
  fn: () =>
    withFolder(async (outer) => {
      const path = unpack(`${outer}/bundle`);
      const page = `${outer}/bundle/report.html`;
      Deno.renameSync(page, `${outer}/report.html`);
      Deno.symlinkSync("../report.html", page);
      const linked = await verifyManifestFile(path, options);
      assert.equal(linked.verdict, "failed");
      assert.match(formatVerification(linked), /artefacts +FAILED +The name "report\.html" leads out of the folder/);
      Deno.removeSync(page);
      Deno.symlinkSync("/dev/zero", page);
      assert.equal((await verifyManifestFile(path, options)).verdict, "failed");
      assert.equal((await verifyManifestFile("/dev/zero", options)).exitCode, 2);
    }),
});

Deno.test("verifyManifestFile() says which manifest it looked at, by its whole path and its digest", () =>
  withFolder(async (folder) => {
    Deno.mkdirSync(`${folder}/08`);
    unpack(`${folder}/08`);
    Deno.symlinkSync("08", `${folder}/8`);
    for (const path of [`${folder}/08`, `${folder}/8`, `${folder}/8/manifest.dsse.json`]) {
      const report = await verifyManifestFile(path, options);
      const whole = Deno.realPathSync(`${folder}/08/manifest.dsse.json`);
      assert.equal(report.path, whole);
      assert(
        formatVerification(report).startsWith(
          `Manifest  ${whole}\nSHA-256   ${sha256(new TextEncoder().encode(bundle.envelope))}\n\n`,
        ),
      );
    }
    Deno.writeTextFileSync(`${folder}/08/report.html`, "another page");
    assert.equal((await verifyManifestFile(`${folder}/8`, options)).verdict, "failed");
  }));
