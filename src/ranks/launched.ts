/**
 * Which rank this process is, by the environment variables of whoever started it. Each variable is looked at only where
 * the task may read it, and nobody is asked.
 *
 * @see mpirun(1) of Open MPI, "Environmental Variables"; MPICH's Hydra; Slurm's srun(1), "OUTPUT ENVIRONMENT VARIABLES";
 * PyTorch's torchrun, "Environment Variables"
 */
import { UserError } from "../errors.ts";

/** Who starts ranks, with the variables in which each says so. */
const LAUNCHERS = {
  "Open MPI's mpirun": {
    rank: "OMPI_COMM_WORLD_RANK",
    size: "OMPI_COMM_WORLD_SIZE",
    localRank: "OMPI_COMM_WORLD_LOCAL_RANK",
    localSize: "OMPI_COMM_WORLD_LOCAL_SIZE",
  },
  "MPICH's mpirun, or srun --mpi=pmi2": {
    rank: "PMI_RANK",
    size: "PMI_SIZE",
    localRank: "MPI_LOCALRANKID",
    localSize: "MPI_LOCALNRANKS",
  },
  torchrun: { rank: "RANK", size: "WORLD_SIZE", localRank: "LOCAL_RANK", localSize: "LOCAL_WORLD_SIZE" },
  srun: { rank: "SLURM_PROCID", size: "SLURM_NTASKS", localRank: "SLURM_LOCALID", localSize: undefined },
} as const;

/** Name of a launcher, as messages have it. */
export type Launcher = keyof typeof LAUNCHERS;

/** Where ranks of torchrun meet. */
const MASTER = { address: "MASTER_ADDR", port: "MASTER_PORT" } as const;

/** Variables that are read; tasks that train in ranks are given these. */
export const RANK_VARIABLES: readonly string[] = [
  ...Object.values(LAUNCHERS).flatMap((variables) => Object.values(variables).filter((name) => name !== undefined)),
  ...Object.values(MASTER),
];

/** This process among those that were started together. */
export interface LaunchedRank {
  readonly launcher: Launcher;
  /** from 0 */
  readonly rank: number;
  /** number of ranks */
  readonly size: number;
  /** number among the ranks of its node, from 0; undefined where the launcher does not say */
  readonly localRank?: number;
  /** ranks on its node; undefined where the launcher does not say */
  readonly localSize?: number;
  /** where the ranks meet, if they were told: a host's name or address, and a port */
  readonly master?: { readonly address: string; readonly port: number };
}

/** The value of a variable; undefined where it is not set, or may not be read. */
function environmentOfProcess(variable: string): string | undefined {
  if (Deno.permissions.querySync({ name: "env", variable }).state !== "granted") return undefined;
  return Deno.env.get(variable);
}

/**
 * The rank that this process is; undefined where nobody started it as one.
 *
 * An MPI launcher within a job of Slurm is asked before Slurm, which describes the step that started the launcher.
 *
 * @param environment gives the values of variables; this process's own if absent
 * @throws {UserError} `RANKS_CONTRADICT` for a variable that is missing, no number, or out of range, and for two
 * launchers that say different things
 */
export function launchedRank(
  environment: (variable: string) => string | undefined = environmentOfProcess,
): LaunchedRank | undefined {
  const value = (variable: string) => {
    const text = environment(variable)?.trim() ?? "";
    return text === "" ? undefined : text;
  };
  const found = (Object.keys(LAUNCHERS) as Launcher[]).map((launcher) => rankOf(launcher, value))
    .filter((rank) => rank !== undefined);
  const ranks = found.some(({ launcher }) => launcher !== "srun")
    ? found.filter(({ launcher }) => launcher !== "srun")
    : found;
  const [first, second] = ranks;
  if (first === undefined) return undefined;
  if (second !== undefined && (second.rank !== first.rank || second.size !== first.size)) {
    throw contradiction(
      `${first.launcher} says rank ${first.rank} of ${first.size}, and ${second.launcher} says rank ${second.rank} of ` +
        `${second.size}`,
      "start ranks by one launcher, and not within another's",
    );
  }
  return first;
}

function rankOf(launcher: Launcher, value: (variable: string) => string | undefined): LaunchedRank | undefined {
  const { rank: rankName, size: sizeName, localRank: localRankName, localSize: localSizeName } = LAUNCHERS[launcher];
  const number = (variable: string | undefined) => {
    const text = variable === undefined ? undefined : value(variable);
    if (text === undefined) return undefined;
    if (/^\d{1,7}$/.test(text)) return Number(text);
    throw contradiction(`${variable} is "${text}"`, `expected a number, as ${launcher} sets it`);
  };
  const rank = number(rankName), size = number(sizeName);
  if (rank === undefined && size === undefined) return undefined;
  if (rank === undefined || size === undefined) {
    const [there, missing] = rank === undefined ? [sizeName, rankName] : [rankName, sizeName];
    throw contradiction(`${there} is set, and ${missing} is not`, `${launcher} sets both: start ranks by it`);
  }
  requireBelow(rankName, rank, sizeName, size);
  const localRank = number(localRankName), localSize = number(localSizeName);
  if (localRank !== undefined && localSize !== undefined) {
    requireBelow(localRankName, localRank, localSizeName ?? "", localSize);
  }
  if (localSize !== undefined && localSize > size) {
    throw contradiction(
      `${localSizeName} is ${localSize}, and ${sizeName} is ${size}`,
      "a node cannot have more ranks than there are",
    );
  }
  const master = launcher === "torchrun" ? masterOf(value) : undefined;
  return {
    launcher,
    rank,
    size,
    ...(localRank === undefined ? {} : { localRank }),
    ...(localSize === undefined ? {} : { localSize }),
    ...(master === undefined ? {} : { master }),
  };
}

function masterOf(value: (variable: string) => string | undefined): LaunchedRank["master"] {
  const address = value(MASTER.address), port = value(MASTER.port);
  if (address === undefined || port === undefined) {
    throw contradiction(
      `RANK is set, and ${address === undefined ? MASTER.address : MASTER.port} is not`,
      "torchrun sets both: start ranks by it",
    );
  }
  const number = Number(port);
  if (!/^\d{1,5}$/.test(port) || number < 1 || number > 65535) {
    throw contradiction(`${MASTER.port} is "${port}"`, "expected a port from 1 to 65535");
  }
  return { address, port: number };
}

function requireBelow(name: string, number: number, countName: string, count: number): void {
  if (number < count) return;
  throw contradiction(`${name} is ${number}, and ${countName} is ${count}`, "ranks are numbered from 0");
}

function contradiction(problem: string, remedy: string): UserError {
  return new UserError("RANKS_CONTRADICT", `The environment does not say which rank this is: ${problem}`, remedy);
}
