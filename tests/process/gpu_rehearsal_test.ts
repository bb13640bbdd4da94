/** The script for a GPU, rehearsed on the CPU stand-in: that its first run on a GPU does not fail for trifles. */
import assert from "node:assert/strict";
import { type PartResult, readResults } from "../../benchmarks/gpu/results.ts";
import { withFolder } from "../temporary_folder.ts";
import { ignoreWithoutCompiler } from "../engine/cuda/stand_in_fixture.ts";

/** One of each kind that needs no PyTorch, and two that do: they must say so. */
const PARTS = [
  "stand-in-agreement",
  "gradients",
  "sanitizer-cuda-bf16",
  "speed-14m",
  "ordered-14m",
  "paper-ordered-410m",
  "profile-bf16-14m",
];

async function rehearse(folder: string, parts: readonly string[]) {
  const output = `${folder}/results.json`;
  const script = new URL("../../benchmarks/gpu/main.ts", import.meta.url).pathname;
  const options = ["--rehearsal", "--python", `${folder}/no-python`, "--output", output];
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", "--node-modules-dir=manual", script, ...parts, ...options],
    stdout: "piped",
    stderr: "piped",
  }).output();
  const text = new TextDecoder().decode(stdout), errors = new TextDecoder().decode(stderr);
  assert.equal(errors, "");
  return { code, text, results: await readResults(output), log: await Deno.readTextFile(`${folder}/results.log`) };
}

function findingOf(parts: readonly PartResult[], name: string) {
  return parts.find(({ part }) => part === name)?.finding;
}

Deno.test({
  name: "benchmarks/gpu runs its parts on the stand-in, and writes what each found into one file",
  ignore: ignoreWithoutCompiler,
  fn: () =>
    withFolder(async (folder) => {
      const { code, text, results, log } = await rehearse(folder, PARTS);
      assert.equal(code, 0, `${text}\n${log}`);
      const { parts, rehearsal, device } = results;
      assert.deepEqual([rehearsal, device], [true, "CPU stand-in"]);
      assert.deepEqual(
        new Set(parts.map(({ part, status }) => `${part} ${status}`)),
        new Set(["environment", ...PARTS].map((part) => `${part} ${part === "gradients" ? "skipped" : "passed"}`)),
      );
      assert.match(parts.find(({ part }) => part === "gradients")?.detail ?? "", /no-python" is not on this machine/);

      const agreement = findingOf(parts, "stand-in-agreement");
      assert(agreement?.kind === "checks" && agreement.checks.length > 20);
      const speed = findingOf(parts, "speed-14m");
      assert(speed?.kind === "speed");
      assert.deepEqual(speed.speeds.map(({ trainer }) => trainer), ["rewarm cuda-bf16"]);
      assert.match(speed.absent[0]?.reason ?? "", /no-python/);
      const profile = findingOf(parts, "profile-bf16-14m");
      assert(profile?.kind === "profile" && profile.stepMilliseconds > 0);
      assert(
        profile.kernels.every(({ milliseconds, launches, bytes }) => milliseconds > 0 && launches > 0 && bytes > 0),
      );
      for (const kernel of ["attention", "matmul_nt_16", "adamw"]) {
        assert(profile.kernels.some((found) => found.kernel === kernel), kernel);
      }
      assert.match(text, /stand-in-agreement: \d+ of \d+ checks passed/);
    }),
});

Deno.test({
  name: "benchmarks/gpu skips what it has no time for, and refuses a part that it does not know",
  ignore: ignoreWithoutCompiler,
  fn: () =>
    withFolder(async (folder) => {
      const { code, results } = await rehearse(folder, ["golden-digest", "--limit", "1"]);
      assert.equal(code, 0);
      assert.deepEqual(results.parts.map(({ status }) => status), ["skipped", "skipped"]);
      assert.match(results.parts[1]?.detail ?? "", /no time was left of 1 s/);
      await assert.rejects(() => rehearse(folder, ["spead"]), /did you mean "speed"/);
    }),
});
