/** Runs whose steps several tasks of a real Slurm share. */
import assert from "node:assert/strict";
import { whyNoMpi } from "../ranks/mpi/launchers.ts";
import { alone, clusterTest } from "./cluster_test_case.ts";
import { Launched, trained } from "./launched.ts";

/** Slurm's plugin loads it by this name, which Debian has in the package of headers. */
function whyNoPmix(): string | undefined {
  const folder = `/usr/lib/${Deno.build.arch}-linux-gnu`;
  try {
    return Deno.statSync(`${folder}/libpmix.so`).isFile ? undefined : `no ${folder}/libpmix.so`;
  } catch {
    return `no ${folder}/libpmix.so: apt-get install libpmix-dev`;
  }
}

const CHOICE = ["--scale", "smoke", "--batch", "8", "--only", "upstream", "from-scratch"];

for (const [index, { mpi, name }] of [{ mpi: "pmix", name: "Open MPI" }, { mpi: "pmi2", name: "MPICH" }].entries()) {
  clusterTest(
    `two ranks on two nodes, by srun --mpi=${mpi}, leave the bytes of a single process`,
    17_880 + 10 * index,
    async (cluster, folder) => {
      const expected = alone(`${folder}/alone`, CHOICE);
      const launched = new Launched(cluster, folder, CHOICE);
      const printed = await launched.launch(["--ranks", "2", "--mpi", mpi, "--submit"], ["--time=10", "--nodes=2"]);
      assert.match(printed, /2 jobs submitted/);
      await launched.ended();
      assert.deepEqual(await trained(launched.output), await expected);
    },
    whyNoMpi(name) ?? (mpi === "pmix" ? whyNoPmix() : undefined),
  );
}
