import assert from "node:assert/strict";
import { readTarIndex } from "../../src/formats/tar/tar_index.ts";
import { attest } from "../../src/attestation/attest.ts";
import { attestationName } from "../../src/attestation/predicate.ts";
import { sha256 } from "../../src/digest/sha256.ts";
import { generateSigningKey } from "../../src/manifest/keys/keys.ts";
import { formatVerification } from "../../src/manifest/verify/verification_report.ts";
import { verifyManifestFile } from "../../src/manifest/verify/verify_file.ts";
import { faultyFiles } from "../files/faulty_files.ts";
import { testJudge } from "../manifest/fixture.ts";
import { withFolder } from "../temporary_folder.ts";
import { CHECKPOINTS, made, pack, pathOf, writeFolder } from "./fixture.ts";

const options = { judge: testJudge };
const LABEL = "upstream_pretrain_seed-0";

async function digestOfFile(path: string): Promise<string> {
  return sha256(await Deno.readFile(path));
}

async function namesIn(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
}

Deno.test("bundle() gives the same bytes for the same files, whatever their times, their order and what lies beside", () =>
  withFolder(async (folder) => {
    const [a, b] = [`${folder}/a`, `${folder}/another/name`];
    await writeFolder(a);
    await writeFolder(b, [...made.artefacts.keys()].reverse());
    await Deno.utime(`${b}/plan.json`, 1, 1);
    await Deno.chmod(`${b}/plan.json`, 0o600);
    await Deno.writeTextFile(`${b}/stranger.txt`, "stranger");
    const first = await pack(a);
    assert.equal(await digestOfFile(first.path), first.sha256);
    assert.equal((await Deno.stat(first.path)).size, first.bytes);
    assert.equal((await pack(b)).sha256, first.sha256);
    assert.equal((await pack(a)).sha256, first.sha256, "over the bundle that is there");
    const again = await pack(`${a}.tar`, { output: `${folder}/again.tar` });
    assert.deepEqual(again, {
      ...first,
      path: `${folder}/again.tar`,
      manifest: { ...first.manifest, path: await Deno.realPath(`${a}.tar`) },
    });
    assert.deepEqual(first.manifest, {
      path: await Deno.realPath(`${a}/manifest.dsse.json`),
      sha256: await digestOfFile(`${a}/manifest.dsse.json`),
    });
  }));

Deno.test("bundle() packs the manifest and what it names, and nothing else", () =>
  withFolder(async (folder) => {
    await writeFolder(`${folder}/out`);
    const { path, folder: top, files } = await pack(`${folder}/out`);
    const expected = ["manifest.dsse.json", "ro-crate-metadata.json", ...made.artefacts.keys()].map((name) =>
      `${top}/${name}`
    ).sort();
    assert.deepEqual([...(await readTarIndex(path)).keys()], expected);
    assert.equal(files, expected.length);
    assert.match(top, /^rewarm-smoke-[0-9a-f]{12}$/);
    assert.deepEqual(await namesIn(folder), ["out", "out.tar"]);
  }));

Deno.test("verifyManifestFile() verifies a bundle as it verifies the folder", () =>
  withFolder(async (folder) => {
    await writeFolder(`${folder}/out`);
    const { path } = await pack(`${folder}/out`);
    const report = await verifyManifestFile(path, options);
    assert.equal(report.verdict, "verified", formatVerification(report));
    assert.equal(report.path, await Deno.realPath(path));
    const inFolder = { ...report, path: await Deno.realPath(`${folder}/out/manifest.dsse.json`) };
    assert.deepEqual(await verifyManifestFile(`${folder}/out`, options), inFolder);
    assert.deepEqual(await verifyManifestFile(`${folder}/out/manifest.dsse.json`, options), inFolder);
  }));

Deno.test("bundle() takes the checkpoints that are chosen, and names the rest", () =>
  withFolder(async (folder) => {
    await writeFolder(`${folder}/out`);
    const all = CHECKPOINTS.length;
    const runsWithCheckpoints = new Set(CHECKPOINTS.map((name) => name.split("/")[1])).size;
    const run = made.statement.predicate.runs.find(({ label }) => label === LABEL);
    assert(run !== undefined && run.outcome !== "skipped");
    const steps = run.states.filter(({ checkpoint }) => checkpoint !== undefined).map(({ step }) => step);
    for (
      const { words, taken } of [
        { words: ["all"], taken: all },
        { words: ["none"], taken: 0 },
        { words: ["last"], taken: runsWithCheckpoints },
        { words: [`${LABEL}:${steps[0]}`], taken: 1 },
        { words: [`${run.key.slice(0, 12)}:${steps[0]}`, `${LABEL}:${steps[1]}`], taken: 2 },
        { words: [`${LABEL}:${steps[0]}`, "last", "none"], taken: runsWithCheckpoints + 1 },
      ]
    ) {
      const { path, checkpoints, files } = await pack(`${folder}/out`, { checkpoints: words });
      assert.equal(checkpoints.taken, taken, words.join(" "));
      assert.equal(checkpoints.left, all - taken);
      assert.equal(files, 2 + made.artefacts.size - (all - taken)); // with the manifest and the description
      assert.equal(checkpoints.bytesLeft > 0, taken < all);
      const { verdict } = await verifyManifestFile(path, { ...options, withoutCheckpoints: true });
      assert.equal(verdict, "verified");
      const strict = await verifyManifestFile(path, options);
      assert.equal(strict.verdict, taken === all ? "verified" : "could not check");
    }
  }));

Deno.test('bundle() takes as "landmarks" what claims look at and other runs start from', () =>
  withFolder(async (folder) => {
    await writeFolder(`${folder}/out`);
    const { path, folder: top } = await pack(`${folder}/out`, { checkpoints: ["landmarks"] });
    const packed = [...(await readTarIndex(path)).keys()].filter((name) => name.includes("/checkpoints/"));
    const expected = made.statement.predicate.runs.flatMap((run) => {
      if (run.outcome === "skipped") return [];
      const steps = [...run.specification.evaluation.landmarks, ...run.checkpointSteps];
      return run.states.filter(({ step }) => steps.includes(step)).flatMap(({ checkpoint }) => checkpoint?.name ?? []);
    });
    assert(expected.length > 0 && expected.length < CHECKPOINTS.length);
    assert.deepEqual(packed, expected.map((name) => `${top}/${name}`).sort());
  }));

for (
  const { words, segments, code, message } of [
    { words: ["lst"], code: "UNKNOWN_CHECKPOINT", message: /did you mean "last"\?.*or write RUN:STEP/ },
    { words: [`${LABEL}:3`], code: "UNKNOWN_CHECKPOINT", message: /has no checkpoint at step 3: it has some at \d/ },
    { words: ["warmup-length_2%_seed-0:4"], code: "UNKNOWN_RUN", message: /No trained run is/ },
    { segments: [`${LABEL}:3`], code: "BAD_SEGMENT", message: /write RUN:FROM\.\.TO/ },
    { segments: [`${LABEL}:4..2`], code: "BAD_SEGMENT", message: /FROM must be below TO/ },
    { segments: [`${LABEL}:0..99999`], code: "BAD_SEGMENT", message: /TO at most \d/ },
    { segments: ["warmup-length_2%_seed-0:0..4"], code: "UNKNOWN_RUN", message: /No trained run is/ },
  ] as { words?: string[]; segments?: string[]; code: string; message: RegExp }[]
) {
  Deno.test(`bundle() refuses to choose "${[...words ?? [], ...segments ?? []].join(" ")}"`, () =>
    withFolder(async (folder) => {
      await writeFolder(`${folder}/out`);
      await assert.rejects(pack(`${folder}/out`, { checkpoints: words, segments }), { code, message });
    }));
}

Deno.test("bundle() stops at a file that was changed, with both digests, and leaves nothing behind", () =>
  withFolder(async (folder) => {
    for (
      const { part, code, message } of [
        { part: "step-", code: "DIGEST_MISMATCH", message: /its digest is [0-9a-f]{4}….{4}, and was [0-9a-f]{4}…/ },
        {
          part: "journal",
          code: "NOT_VERIFIED",
          message: /its digest is [0-9a-f]{4}….{4}, and [0-9a-f]{4}….*was signed/,
        },
        { part: "report", code: "NOT_VERIFIED", message: /artefacts failed: "report\.html" was changed/ },
      ]
    ) {
      const out = `${folder}/${part}`;
      await writeFolder(out);
      await Deno.writeTextFile(pathOf(out, part), "changed");
      await assert.rejects(pack(out, { output: `${folder}/none.tar` }), { code, message });
    }
    assert.deepEqual((await namesIn(folder)).filter((name) => name.includes("none")), []);
  }));

Deno.test("bundle() says what to do about a checkpoint that is not there", () =>
  withFolder(async (folder) => {
    await writeFolder(`${folder}/out`);
    await Deno.remove(pathOf(`${folder}/out`, "step-"));
    await assert.rejects(pack(`${folder}/out`), {
      code: "FILE_NOT_FOUND",
      message: /step-\d+\.safetensors" is not there: restore it, or choose checkpoints without it/,
    });
    const { checkpoints } = await pack(`${folder}/out`, { checkpoints: ["none"] });
    assert.equal(checkpoints.left, CHECKPOINTS.length);
  }));

Deno.test("bundle() refuses a manifest that does not verify", () =>
  withFolder(async (folder) => {
    await writeFolder(`${folder}/out`);
    await Deno.writeTextFile(
      `${folder}/out/manifest.dsse.json`,
      made.envelope.replace(/"payload":"..../, '"payload":"AAAA'),
    );
    await assert.rejects(pack(`${folder}/out`), { code: "NOT_VERIFIED", message: /signature failed/ });
    await Deno.remove(`${folder}/out/manifest.dsse.json`);
    await assert.rejects(pack(`${folder}/out`), { code: "FILE_NOT_FOUND" });
  }));

Deno.test({
  name: "bundle() packs no link that leads out of the folder, and no device",
  ignore: Deno.build.os === "windows",
  fn: () =>
    withFolder(async (folder) => {
      await writeFolder(`${folder}/out`);
      const path = pathOf(`${folder}/out`, "step-");
      await Deno.rename(path, `${folder}/outside`);
      await Deno.symlink(`${folder}/outside`, path);
      await assert.rejects(pack(`${folder}/out`), { code: "UNSAFE_PATH", message: /leads out of the folder/ });
      await Deno.remove(path);
      await Deno.symlink("/dev/zero", path);
      await assert.rejects(pack(`${folder}/out`), { code: "UNSAFE_PATH" });
    }),
});

Deno.test("bundle() overwrites nothing but a bundle", () =>
  withFolder(async (folder) => {
    await writeFolder(`${folder}/out`);
    await Deno.writeTextFile(`${folder}/thesis.tex`, "years of work");
    for (const output of [`${folder}/thesis.tex`, `${folder}/out/manifest.dsse.json`, `${folder}/out`]) {
      await assert.rejects(pack(`${folder}/out`, { output }), { code: "OUTPUT_EXISTS" });
    }
    assert.equal(await Deno.readTextFile(`${folder}/thesis.tex`), "years of work");
  }));

Deno.test("bundle() leaves the old bundle or the new one, whatever fails", () =>
  withFolder(async (folder) => {
    await writeFolder(`${folder}/out`);
    const { sha256: old } = await pack(`${folder}/out`, { checkpoints: ["none"] });
    await Deno.copyFile(`${folder}/out.tar`, `${folder}/whole.tar`);
    const counted = faultyFiles({ at: Infinity, how: "" });
    const { sha256: whole } = await pack(`${folder}/out`, { output: `${folder}/whole.tar`, files: counted });
    const total = counted.operations();
    for (const at of [3, total >> 1, total - 5, total - 4, total - 3, total - 2, total - 1]) {
      const files = faultyFiles({ at, how: "ENOSPC", shortWrite: true });
      await assert.rejects(pack(`${folder}/out`, { files }), { name: "UserError", code: "NO_SPACE" });
      assert((await digestOfFile(`${folder}/out.tar`)) === (at === total - 1 ? whole : old), `operation ${at}`);
    }
    assert.deepEqual(await namesIn(folder), ["out", "out.tar", "whole.tar"]);
  }));

Deno.test("bundle() leaves nothing behind when it is aborted", () =>
  withFolder(async (folder) => {
    await writeFolder(`${folder}/out`);
    const controller = new AbortController();
    let calls = 0;
    const onProgress = (done: number, total: number) => {
      assert(done <= total);
      if (++calls === 10) controller.abort();
    };
    await assert.rejects(pack(`${folder}/out`, { signal: controller.signal, onProgress }), { name: "AbortError" });
    assert.equal(calls, 10);
    assert.deepEqual(await namesIn(folder), ["out"]);
  }));

Deno.test("bundle() takes good attestations along, and says which are not", () =>
  withFolder(async (folder) => {
    const out = `${folder}/out`;
    await writeFolder(out);
    const report = await verifyManifestFile(out, options);
    const reviewers = await Promise.all([1, 2, 3].map(() => generateSigningKey()));
    for (const key of reviewers) await attest(out, { report }, { key });
    const [good, stranger, damaged] = reviewers.map(({ keyId }) => attestationName(keyId));
    await Deno.copyFile(`${out}/${good}`, `${out}/${stranger}`);
    await Deno.writeTextFile(`${out}/${damaged}`, "{}");
    await Deno.writeTextFile(`${out}/attestations/notes.txt`, "no attestation");
    const { path, attestations, folder: top } = await pack(out);
    assert.equal(attestations.taken, 1);
    assert.deepEqual(
      new Map(attestations.left.map(({ name, reason }) => [name, reason.slice(0, 26)])),
      new Map([
        [stranger, "it is signed by another ke"],
        [damaged, "it does not hold its revie"],
      ]),
    );
    const packed = [...(await readTarIndex(path)).keys()].filter((name) => name.includes("/attestations/"));
    assert.deepEqual(packed, [`${top}/${good}`]);
    const verified = await verifyManifestFile(path, options);
    assert.equal(verified.caveats.some((caveat) => caveat.includes("does not name")), false);
  }));

Deno.test("bundle() leaves out an attestation of an earlier manifest", () =>
  withFolder(async (folder) => {
    const out = `${folder}/out`;
    await writeFolder(out);
    const key = await generateSigningKey();
    await attest(out, { report: await verifyManifestFile(out, options) }, { key });
    await Deno.writeTextFile(`${out}/manifest.dsse.json`, ` ${made.envelope}`);
    const { attestations } = await pack(out);
    assert.equal(attestations.taken, 0);
    assert.match(attestations.left[0]?.reason ?? "", /the attestation is of another manifest/);
  }));
