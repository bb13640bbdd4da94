/** A real, small reproduction: packed by the command line, then verified, retrained and compared out of the archive. */
import assert from "node:assert/strict";
import { main } from "../../src/cli/main.ts";
import { output } from "../cli/output.ts";
import { diffManifests } from "../../src/retrain/diff.ts";
import { honest, PARENT, retrainFolder, smokeEngine } from "../retrain/forgery.ts";
import { retrain } from "../../src/retrain/retrain.ts";
import { paperJudge } from "../../src/results/paper_judge.ts";
import { loadPaper, PAPER_FILE } from "../../src/reproduce/paper_file.ts";
import { DATA_CACHE } from "../reproduce/smoke.ts";
import { withFolder } from "../temporary_folder.ts";
import { FIXTURE_CATALOGUE } from "../experiment/plan/plan_fixture.ts";

Deno.test("main() packs a reproduction, and says how to check it", () =>
  withFolder(async (folder) => {
    const path = `${folder}/smoke.tar`;
    const { code, text } = await output(["bundle", `${honest}/`, "--output", path]);
    assert.equal(code, 0, text);
    assert.match(
      text,
      /^Packed .*smoke\.tar\n {2}manifest {6}\/.*\/manifest\.dsse\.json\n {2}its sha256 {4}[0-9a-f]{64}\n {2}files {9}\d+\n {2}checkpoints {3}all \d+\n/,
    );
    assert.match(text, /\n {2}sha256 {8}[0-9a-f]{64}\n/);
    assert.match(
      text,
      /\n {2}tar xf smoke\.tar\n {2}deno task verify rewarm-smoke-[0-9a-f]{12}\/manifest\.dsse\.json$/,
    );
    assert.equal((await output(["verify", path])).code, 0);
    const { sha256, checkpoints } = JSON.parse(
      (await output(["bundle", honest, "--output", path, "--json", "--checkpoints", "last", `${PARENT}:16`])).text,
    );
    assert.match(sha256, /^[0-9a-f]{64}$/);
    assert(checkpoints.taken > 1 && checkpoints.left > 0);
    const strict = await output(["verify", path]);
    assert.equal(strict.code, 2);
    assert.match(strict.text, /not checked .*missing: runs\//);
    assert.equal((await output(["verify", path, "--without-checkpoints"])).code, 0);
  }));

Deno.test("main() packs a segment, and says how to retrain it", () =>
  withFolder(async (folder) => {
    const { code, text } = await output([
      "bundle",
      honest,
      "--output",
      `${folder}/s.tar`,
      "--segment",
      `${PARENT}:16..32`,
    ]);
    assert.equal(code, 0, text);
    assert.match(text, /\n {2}checkpoints {3}2 of \d+; the others would add/);
    assert(text.endsWith(`\n  deno task retrain s.tar --without-checkpoints --retrain ${PARENT}:16..32`), text);
  }));

Deno.test("main() puts a bundle beside its folder if it is not told where", async () => {
  const path = `${honest}.tar`;
  for (const named of [honest, `${honest}/`, `${honest}/manifest.dsse.json`]) {
    assert.match(
      (await output(["bundle", named, "--checkpoints", "none"])).text,
      /deno task verify honest\.tar --without-/,
    );
    await Deno.remove(path);
  }
});

for (
  const { args, code } of [
    { args: [], code: "MISSING_ARGUMENT" },
    { args: ["--checkpoints", "last", honest], code: "MISSING_ARGUMENT" },
    { args: [honest, "--segment", `${PARENT}:16`], code: "BAD_SEGMENT" },
    { args: ["."], code: "MISSING_OUTPUT" },
    { args: [`${honest}/plan.json`], code: "MISSING_OUTPUT" },
    { args: [`${honest}/none`], code: "FILE_NOT_FOUND" },
    { args: [honest, "--output", `${honest}/plan.json`], code: "OUTPUT_EXISTS" },
  ]
) {
  Deno.test(`main() explains what is wrong with "bundle ${args.join(" ").replaceAll(honest, "OUT")}"`, async () => {
    await assert.rejects(main(["bundle", ...args]), { name: "UserError", code });
  });
}

Deno.test("retrain() and diffManifests() read a bundle where it lies", () =>
  withFolder(async (folder) => {
    const path = `${folder}/smoke.tar`;
    assert.equal((await output(["bundle", honest, "--output", path])).code, 0);
    const pieces = { kind: "named", names: [`${PARENT}:16..20`] } as const;
    const { text } = await loadPaper(FIXTURE_CATALOGUE);
    const fromBundle = await retrain(path, {
      pieces,
      engine: smokeEngine,
      dataCache: DATA_CACHE,
      judge: paperJudge(text, PAPER_FILE),
    });
    assert.equal(fromBundle.report.verdict, "verified");
    const { report } = await retrainFolder(honest, pieces);
    assert.deepEqual({ ...fromBundle.report, path: "" }, { ...report, path: "" });
    assert.deepEqual((await diffManifests(path, honest)).differences, []);
  }));
