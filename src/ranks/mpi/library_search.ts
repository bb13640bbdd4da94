/**
 * Finds MPI's library: in a folder that is named, in those of `LD_LIBRARY_PATH`, which `module load` sets, and in those
 * of Linux distributions. Deno permissions: `--allow-ffi` for the folder, and `--allow-read` for it.
 */
import { UserError } from "../../errors.ts";
import type { Abi } from "./abi.ts";

/** A library's file by its ABI. */
export interface MpiLibrary {
  readonly abi: Abi;
  readonly path: string;
}

/** File names by ABI; the numbers are those of the ABI, not of a release. */
const FILES: readonly { readonly abi: Abi; readonly file: string }[] = [
  { abi: "Open MPI", file: "libmpi.so.40" },
  { abi: "MPICH", file: "libmpich.so.12" },
  { abi: "MPICH", file: "libmpi.so.12" },
  { abi: "MPICH", file: "libmpi_cray.so.12" },
];

/** Folders of Debian and Ubuntu, of Fedora and RHEL, and of SUSE. */
const FOLDERS: readonly string[] = [
  ...["x86_64", "aarch64"].flatMap((machine) => [
    `/usr/lib/${machine}-linux-gnu`,
    `/usr/lib/${machine}-linux-gnu/openmpi/lib`,
  ]),
  "/usr/lib64/openmpi/lib",
  "/usr/lib64/mpich/lib",
  "/usr/lib64/mpi/gcc/openmpi4/lib64",
  "/usr/lib64/mpi/gcc/mpich/lib64",
  "/usr/local/lib",
  "/usr/lib64",
  "/usr/lib",
];

/** Variables that name folders. */
export const MPI_VARIABLES = ["LD_LIBRARY_PATH", "MPI_HOME"] as const;

/** One of {@linkcode MPI_VARIABLES}. */
export type MpiVariable = (typeof MPI_VARIABLES)[number];

/** Where to look, and for what. */
export interface MpiSearch {
  /** value of a variable of the environment */
  readonly variable: (name: MpiVariable) => string | undefined;
  /** whose launcher started the ranks: its libraries come first */
  readonly prefer: Abi | undefined;
  /** whether a path is a file that may be loaded */
  readonly isThere: (path: string) => boolean;
}

/**
 * The library that ranks talk through.
 *
 * @throws {UserError} `MPI_UNAVAILABLE` with what was looked for, where, and what to install
 */
export function findMpi({ variable, prefer, isThere }: MpiSearch): MpiLibrary {
  const loader = (variable("LD_LIBRARY_PATH") ?? "").split(":").filter((folder) => folder.startsWith("/"));
  const home = variable("MPI_HOME");
  const folders = [...(home?.startsWith("/") === true ? [`${home}/lib`] : []), ...loader, ...FOLDERS];
  const files = FILES.toSorted((a, b) => Number(b.abi === prefer) - Number(a.abi === prefer));
  for (const { abi, file } of files) {
    for (const folder of folders) {
      const path = `${folder}/${file}`;
      if (isThere(path)) return { abi, path };
    }
  }
  throw new UserError(
    "MPI_UNAVAILABLE",
    `No MPI library was found: looked for ${FILES.map(({ file }) => file).join(", ")} in ${folders.join(", ")}`,
    'install Open MPI or MPICH (Debian: "apt-get install openmpi-bin"), load its module, or set MPI_HOME to its folder; ' +
      "a folder outside of /usr and /opt needs --allow-ffi=FOLDER besides",
  );
}
