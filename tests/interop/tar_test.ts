/** Bundles against the system's tar: `deno test --allow-run=tar`. */
import assert from "node:assert/strict";
import { tarBytes } from "../../src/formats/tar/tar_writer.ts";
import { formatVerification } from "../../src/manifest/verify/verification_report.ts";
import { verifyManifestFile } from "../../src/manifest/verify/verify_file.ts";
import { join } from "../formats/tar/hostile.ts";
import { made, pack, writeFolder } from "../bundle/fixture.ts";
import { testJudge } from "../manifest/fixture.ts";
import { withFolder } from "../temporary_folder.ts";

const version = await versionOfTar();

async function versionOfTar(): Promise<string | undefined> {
  const { state } = await Deno.permissions.query({ name: "run", command: "tar" });
  if (state !== "granted") return undefined;
  try {
    const { stdout } = await new Deno.Command("tar", { args: ["--version"] }).output();
    return new TextDecoder().decode(stdout);
  } catch {
    return undefined;
  }
}

async function tar(folder: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command("tar", { args, cwd: folder }).output();
  const decoder = new TextDecoder();
  // A warning is a failure: bundles are to unpack without any.
  assert.equal(`${code} ${decoder.decode(stderr)}`, "0 ");
  return decoder.decode(stdout);
}

function test(name: string, reason: string | undefined, run: (folder: string) => Promise<void>): void {
  const suffix = reason === undefined ? "" : ` (skipped: ${reason})`;
  Deno.test({ name: name + suffix, ignore: reason !== undefined, fn: () => withFolder(run) });
}

const needsTar = version === undefined ? "needs tar and --allow-run=tar" : undefined;
const needsGnu = needsTar ?? (version?.includes("GNU tar") === true ? undefined : "needs GNU tar");

test("tar unpacks a bundle into one folder that verifies", needsTar, async (folder) => {
  await writeFolder(`${folder}/out`);
  const { folder: top } = await pack(`${folder}/out`);
  await Deno.mkdir(`${folder}/elsewhere`);
  await tar(`${folder}/elsewhere`, "xf", "../out.tar");
  assert.deepEqual((await Array.fromAsync(Deno.readDir(`${folder}/elsewhere`))).map(({ name }) => name), [top]);
  const options = { judge: testJudge, trustedKeys: [{ name: "the maker", key: made.key }] };
  const report = await verifyManifestFile(`${folder}/elsewhere/${top}/manifest.dsse.json`, options);
  assert.equal(report.verdict, "verified", formatVerification(report));
});

test("tar unpacks names that take a pax header", needsTar, async (folder) => {
  const names = ["top/é.txt", `top/${"p".repeat(120)}/${"q".repeat(120)}`, `top/${"ü".repeat(80)}.txt`];
  const sources = names.map((name, index) => ({
    name,
    size: index,
    contents: async function* () {
      yield await Promise.resolve(new Uint8Array(index).fill(65 + index));
    },
  }));
  await Deno.writeFile(`${folder}/names.tar`, join(...await Array.fromAsync(tarBytes(sources))));
  await tar(folder, "xf", "names.tar");
  for (const [index, name] of names.entries()) {
    assert.equal(await Deno.readTextFile(`${folder}/${name}`), String.fromCharCode(65 + index).repeat(index));
  }
});

test("GNU tar makes the same bytes of an unpacked bundle", needsGnu, async (folder) => {
  await writeFolder(`${folder}/out`);
  const { path, folder: top } = await pack(`${folder}/out`);
  await tar(folder, "xf", "out.tar");
  const names = ["manifest.dsse.json", "ro-crate-metadata.json", ...made.artefacts.keys()]
    .map((name) => `${top}/${name}`).sort();
  await Deno.writeTextFile(`${folder}/names`, `${names.join("\n")}\n`);
  const fixed = ["--format=ustar", "--mtime=@315532800", "--owner=0", "--group=0", "--numeric-owner", "--mode=0644"];
  await tar(folder, "--create", "--file=theirs.tar", "-b1", ...fixed, "--no-recursion", "--files-from=names");
  const [theirs, ours] = [await Deno.readFile(`${folder}/theirs.tar`), await Deno.readFile(path)];
  // Not deepEqual(): it takes minutes to print how megabytes differ.
  assert.equal(ours.findIndex((byte, at) => byte !== theirs[at]), -1, "the first byte that differs");
  assert.equal(theirs.length, ours.length);
});
