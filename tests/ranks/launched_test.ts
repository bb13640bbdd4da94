import assert from "node:assert/strict";
import { hasCode } from "../../src/errors.ts";
import { launchedRank, RANK_VARIABLES } from "../../src/ranks/launched.ts";

const OPEN_MPI = {
  OMPI_COMM_WORLD_RANK: "3",
  OMPI_COMM_WORLD_SIZE: "8",
  OMPI_COMM_WORLD_LOCAL_RANK: "1",
  OMPI_COMM_WORLD_LOCAL_SIZE: "2",
};
const MPICH = { PMI_RANK: "3", PMI_SIZE: "8", MPI_LOCALRANKID: "3", MPI_LOCALNRANKS: "8" };
const SRUN = { SLURM_PROCID: "5", SLURM_NTASKS: "6", SLURM_LOCALID: "2" };
const TORCHRUN = {
  RANK: "2",
  WORLD_SIZE: "4",
  LOCAL_RANK: "0",
  LOCAL_WORLD_SIZE: "2",
  MASTER_ADDR: "n1",
  MASTER_PORT: "29500",
};

function rankIn(environment: Readonly<Record<string, string>>) {
  return launchedRank((variable) => {
    assert(RANK_VARIABLES.includes(variable), `${variable} is read, and no task is given it`);
    return environment[variable];
  });
}

const KNOWN: readonly [string, Readonly<Record<string, string>>, ReturnType<typeof launchedRank>][] = [
  ["nobody", {}, undefined],
  ["empty variables", { PMI_RANK: "", PMI_SIZE: " " }, undefined],
  ["Open MPI", OPEN_MPI, { launcher: "Open MPI's mpirun", rank: 3, size: 8, localRank: 1, localSize: 2 }],
  ["MPICH", MPICH, { launcher: "MPICH's mpirun, or srun --mpi=pmi2", rank: 3, size: 8, localRank: 3, localSize: 8 }],
  ["srun --mpi=pmi2", { ...SRUN, PMI_RANK: "5", PMI_SIZE: "6" }, {
    launcher: "MPICH's mpirun, or srun --mpi=pmi2",
    rank: 5,
    size: 6,
  }],
  ["srun", SRUN, { launcher: "srun", rank: 5, size: 6, localRank: 2 }],
  ["torchrun", TORCHRUN, {
    launcher: "torchrun",
    rank: 2,
    size: 4,
    localRank: 0,
    localSize: 2,
    master: { address: "n1", port: 29500 },
  }],
  ["mpirun in a job of Slurm", { ...OPEN_MPI, SLURM_PROCID: "0", SLURM_NTASKS: "1", SLURM_LOCALID: "0" }, {
    launcher: "Open MPI's mpirun",
    rank: 3,
    size: 8,
    localRank: 1,
    localSize: 2,
  }],
];

for (const [name, environment, expected] of KNOWN) {
  Deno.test(`launchedRank() knows the rank of ${name}`, () => assert.deepEqual(rankIn(environment), expected));
}

const { OMPI_COMM_WORLD_SIZE: _, ...WITHOUT_SIZE } = OPEN_MPI;
const { PMI_RANK: _rank, ...WITHOUT_RANK } = MPICH;
const { MASTER_ADDR: _address, ...WITHOUT_ADDRESS } = TORCHRUN;
const { MASTER_PORT: _port, ...WITHOUT_PORT } = TORCHRUN;
const REFUSED: readonly [Readonly<Record<string, string>>, RegExp][] = [
  [WITHOUT_SIZE, /OMPI_COMM_WORLD_RANK is set, and OMPI_COMM_WORLD_SIZE is not/],
  [WITHOUT_RANK, /PMI_SIZE is set, and PMI_RANK is not/],
  [WITHOUT_ADDRESS, /RANK is set, and MASTER_ADDR is not/],
  [WITHOUT_PORT, /RANK is set, and MASTER_PORT is not/],
  [{ ...TORCHRUN, MASTER_PORT: "70000" }, /MASTER_PORT is "70000": expected a port/],
  [{ ...MPICH, PMI_RANK: "8" }, /PMI_RANK is 8, and PMI_SIZE is 8: ranks are numbered from 0/],
  [{ ...MPICH, PMI_RANK: "-1" }, /PMI_RANK is "-1": expected a number/],
  [{ ...MPICH, PMI_SIZE: "eight" }, /PMI_SIZE is "eight"/],
  [{ ...MPICH, PMI_RANK: "0", PMI_SIZE: "0" }, /PMI_RANK is 0, and PMI_SIZE is 0/],
  [{ ...OPEN_MPI, OMPI_COMM_WORLD_LOCAL_RANK: "2" }, /LOCAL_RANK is 2, and OMPI_COMM_WORLD_LOCAL_SIZE is 2/],
  [{ ...OPEN_MPI, OMPI_COMM_WORLD_LOCAL_SIZE: "9" }, /LOCAL_SIZE is 9, and OMPI_COMM_WORLD_SIZE is 8/],
  [
    { ...OPEN_MPI, PMI_RANK: "0", PMI_SIZE: "2" },
    /Open MPI's mpirun says rank 3 of 8, and MPICH's .* says rank 0 of 2/,
  ],
  [{ ...OPEN_MPI, ...TORCHRUN }, /says rank 3 of 8, and torchrun says rank 2 of 4/],
];

for (const [environment, problem] of REFUSED) {
  Deno.test(`launchedRank() refuses what contradicts itself: ${problem.source}`, () => {
    assert.throws(() => rankIn(environment), (error) => {
      assert(hasCode(error, "RANKS_CONTRADICT"));
      assert.match(error.message, problem);
      return true;
    });
  });
}
