/** Started by Open MPI's mpirun, with MPICH's library: prints what is said of it. */
import { findMpi } from "../../../src/ranks/mpi/library_search.ts";
import { joinMpi } from "../../../src/ranks/mpi/link.ts";

const isThere = (path: string) => {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
};
try {
  await joinMpi({ library: findMpi({ variable: () => undefined, prefer: "MPICH", isThere }) });
} catch (error) {
  console.log(error instanceof Error ? error.message : error);
  Deno.exit(0);
}
Deno.exit(1);
