/** Digests of a checkout with Windows' line ends. */
import assert from "node:assert/strict";
import { buildPlan } from "../../src/experiment/plan/plan.ts";
import { digestsOf, lineEndsWarning, readInputs } from "../../src/reproduce/inputs.ts";
import { loadPaper } from "../../src/reproduce/paper_file.ts";
import { replan } from "../../src/reproduce/replan.ts";
import { withFolder } from "../temporary_folder.ts";

const EXPERIMENTS = new URL("../../experiments/", import.meta.url);

/** Copies the experiments with another line end. */
async function copyExperiments(to: string, lineEnd: string, from = EXPERIMENTS): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copyExperiments(`${to}/${name}`, lineEnd, new URL(`${name}/`, from));
    else {
      const text = await Deno.readTextFile(new URL(name, from));
      await Deno.writeTextFile(`${to}/${name}`, text.replaceAll("\n", lineEnd));
    }
  }
}

Deno.test("experiments with Windows' line ends have the digests, the rules and the plan of those with LF", () =>
  withFolder(async (root) => {
    await copyExperiments(`${root}/windows`, "\r\n");
    const folder = new URL(`file://${root}/windows/`);
    const plain = digestsOf(await readInputs("smoke"));
    assert.deepEqual(digestsOf(await readInputs("smoke", { folder })), plain);
    assert.equal((await loadPaper({ folder })).digest, (await loadPaper()).digest);
    const choice = { scale: "smoke", seeds: 1, engine: { level: "machine_to_machine", arithmetic: "test" } } as const;
    const { planDigest } = await buildPlan({ ...choice, folder });
    const plan = await buildPlan(choice);
    assert.equal(planDigest, plan.planDigest);
    assert.deepEqual(await replan(plan, plain, { folder }), { isSame: true, planDigest });
  }));

Deno.test("lineEndsWarning() names a checkout with Windows' line ends, and no other", () =>
  withFolder(async (root) => {
    assert.equal(lineEndsWarning(await readInputs("smoke")), undefined);
    await copyExperiments(`${root}/windows`, "\r\n");
    const inputs = await readInputs("smoke", { folder: new URL(`file://${root}/windows/`) });
    const count = inputs.filter(({ hasWindowsLineEnds }) => hasWindowsLineEnds).length;
    assert.equal(count, inputs.length - 2, "all but the two lockfiles");
    assert.match(
      lineEndsWarning(inputs) ?? "",
      new RegExp(`Windows line ends \\(CRLF\\) in "experiments/[a-z-]+\\.yaml" and ${count - 1} more files: digests`),
    );
    const lockFile = `${root}/data.lock.yaml`;
    await Deno.writeTextFile(lockFile, "version: 1\r\n");
    assert.match(lineEndsWarning(await readInputs("smoke", { lockFile })) ?? "", /in "lockfiles\/data\.lock\.yaml": /);
  }));
