/** What may lie in a folder that someone sent: nothing in it is opened that could wait, or lead elsewhere. */
import assert from "node:assert/strict";
import { folderOf } from "../../src/files/durable.ts";
import { readFileBounded } from "../../src/files/read_file.ts";
import { resolveInside } from "../../src/files/safe_path.ts";
import { formatVerification } from "../../src/manifest/verify/verification_report.ts";
import { verifyManifestFile } from "../../src/manifest/verify/verify_file.ts";
import { makeBundle, testJudge } from "../manifest/fixture.ts";
import { withFolder } from "../temporary_folder.ts";

const ignore = Deno.build.os === "windows";
const bundle = await makeBundle();
const options = { judge: testJudge, trustedKeys: [{ name: "the maker", key: bundle.key }] };

/** Writes the bundle to a folder; gives the manifest's path. */
async function unpack(folder: string): Promise<string> {
  for (const [name, bytes] of bundle.artefacts) {
    await Deno.mkdir(folderOf(`${folder}/${name}`), { recursive: true });
    await Deno.writeFile(`${folder}/${name}`, bytes);
  }
  await Deno.writeTextFile(`${folder}/manifest.dsse.json`, bundle.envelope);
  return `${folder}/manifest.dsse.json`;
}

async function makePipe(path: string): Promise<void> {
  const { success } = await new Deno.Command("mkfifo", { args: [path] }).output();
  assert(success, path);
}

/** Puts something else in the place of an artefact, and verifies. */
async function withInstead(name: string, put: (path: string, outer: string) => Promise<void>, reason: RegExp) {
  await withFolder(async (outer) => {
    const path = await unpack(`${outer}/bundle`);
    await Deno.rename(`${outer}/bundle/${name}`, `${outer}/moved`);
    await put(`${outer}/bundle/${name}`, outer);
    const report = await verifyManifestFile(path, options);
    assert.equal(report.verdict, "failed", formatVerification(report));
    assert.match(report.steps.find(({ name }) => name === "artefacts")?.detail ?? "", reason);
  });
}

const NAMES = [
  "report.html",
  "plan.json",
  [...bundle.artefacts.keys()].find((name) => name.endsWith("journal.jsonl")) ?? "",
];

for (const name of NAMES) {
  Deno.test({
    name: `verifyManifestFile() waits for no pipe, reads no device or folder, and follows no link out, at "${name}"`,
    ignore,
    fn: async () => {
      await withInstead(name, makePipe, /is no regular file/);
      await withInstead(name, (path) => Deno.mkdir(path), /is no regular file/);
      await withInstead(name, (path) => Deno.symlink("/dev/zero", path), /leads out of the folder/);
      await withInstead(name, (path, outer) => Deno.symlink(`${outer}/moved`, path), /leads out of the folder/);
      await withInstead(name, async (path, outer) => {
        // The link stays inside the folder, and what it leads to is no file.
        await makePipe(`${outer}/bundle/pipe`);
        await Deno.symlink(`${outer}/bundle/pipe`, path);
      }, /is no regular file/);
    },
  });
}

Deno.test({
  name: "verifyManifestFile() follows a link inside the folder, and one through which a whole run lies elsewhere not",
  ignore,
  fn: () =>
    withFolder(async (outer) => {
      const path = await unpack(`${outer}/bundle`);
      await Deno.rename(`${outer}/bundle/report.html`, `${outer}/bundle/kept.html`);
      await Deno.symlink("kept.html", `${outer}/bundle/report.html`);
      assert.equal((await verifyManifestFile(path, options)).verdict, "verified");
      await Deno.rename(`${outer}/bundle/runs`, `${outer}/runs`);
      await Deno.symlink("../runs", `${outer}/bundle/runs`);
      const report = await verifyManifestFile(path, options);
      assert.equal(report.verdict, "failed");
      assert.match(formatVerification(report), /artefacts +FAILED .*leads out of the folder.*and \d+ more/);
    }),
});

Deno.test({
  name: "verifyManifestFile() could not check where links go round in a circle, or a name is a part of another's path",
  ignore,
  fn: () =>
    withFolder(async (outer) => {
      const path = await unpack(outer);
      await Deno.remove(`${outer}/report.html`);
      await Deno.symlink("report.html", `${outer}/report.html`);
      const report = await verifyManifestFile(path, options);
      assert.notEqual(report.verdict, "verified");
      assert.notEqual(report.steps.find(({ name }) => name === "artefacts")?.status, "ok");
      await assert.rejects(resolveInside(outer, "plan.json/x"), { name: "UserError" });
    }),
});

Deno.test({
  name: "verifyManifestFile() waits for no pipe in the place of the manifest, nor behind a link to it",
  ignore,
  fn: () =>
    withFolder(async (outer) => {
      await makePipe(`${outer}/pipe`);
      await Deno.symlink("pipe", `${outer}/link`);
      for (const name of ["pipe", "link"]) {
        const report = await verifyManifestFile(`${outer}/${name}`, options);
        assert.equal(report.exitCode, 2);
        assert.match(report.steps[0]?.detail ?? "", /is no regular file/);
      }
      await Deno.writeTextFile(`${outer}/plain`, "x");
      assert.equal((await readFileBounded(`${outer}/plain`, 1)).length, 1);
    }),
});
