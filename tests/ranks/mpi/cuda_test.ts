/** Ranks with a GPU each over real MPI, on the CUDA stand-in: the files of the exact engine in one process. */
import assert from "node:assert/strict";
import { trained } from "../../cluster/launched.ts";
import { hasCompiler, standInFolder } from "../../engine/cuda/ordered_fixture.ts";
import { withFolder } from "../../temporary_folder.ts";
import { finished, openMpiTest } from "./launchers.ts";
import { RankedPlan } from "./ranked_process.ts";

const CHOICE = ["--scale", "smoke", "--batch", "6", "--only", "upstream", "from-scratch"];

if (hasCompiler) {
  openMpiTest(
    "ranks of cuda-ordered leave the journals, curves and checkpoints of the exact engine in one process",
    (launcher) =>
      withFolder(async (folder) => {
        const plan = new RankedPlan(folder, CHOICE);
        const expected = await plan.trainAlone();
        const words = ["--engine", "cuda-ordered", "--cuda-lib", await Deno.realPath(await standInFolder())];
        const child = await plan.start(launcher, 2, { words, task: "reproduce:cuda-ranks" });
        const { code, stdout, stderr } = await finished(child);
        assert.equal(code, 0, stdout + stderr);
        assert.deepEqual(await trained(plan.output("out")), expected);
      }),
  );
} else {
  Deno.test({ name: "ranks of cuda-ordered (skipped: no g++)", ignore: true, fn: () => {} });
}
