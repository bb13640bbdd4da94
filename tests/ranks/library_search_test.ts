import assert from "node:assert/strict";
import { hasCode } from "../../src/errors.ts";
import { findMpi, type MpiSearch } from "../../src/ranks/mpi/library_search.ts";
import { versionName } from "../../src/ranks/mpi/link.ts";

function find(files: readonly string[], search: Partial<MpiSearch> = {}) {
  return findMpi({ variable: () => undefined, prefer: undefined, isThere: (path) => files.includes(path), ...search });
}

const OPEN_MPI = "/usr/lib/x86_64-linux-gnu/libmpi.so.40";
const MPICH = "/usr/lib/x86_64-linux-gnu/libmpich.so.12";

Deno.test("findMpi() takes the library of whoever started the ranks, and the one that there is otherwise", () => {
  assert.deepEqual(find([OPEN_MPI, MPICH]), { abi: "Open MPI", path: OPEN_MPI });
  assert.deepEqual(find([OPEN_MPI, MPICH], { prefer: "MPICH" }), { abi: "MPICH", path: MPICH });
  assert.deepEqual(find([MPICH], { prefer: "Open MPI" }), { abi: "MPICH", path: MPICH });
});

Deno.test("findMpi() looks in MPI_HOME, then where modules set LD_LIBRARY_PATH, then in the system's folders", () => {
  const variables = { MPI_HOME: "/opt/ompi", LD_LIBRARY_PATH: "relative:/opt/module/lib::/other" } as const;
  const variable = (name: keyof typeof variables) => variables[name];
  const paths = ["/opt/ompi/lib/libmpi.so.40", "/opt/module/lib/libmpi.so.40", "/other/libmpi.so.40", OPEN_MPI];
  for (let i = 0; i < paths.length; i++) assert.equal(find(paths.slice(i), { variable }).path, paths[i]);
  assert.equal(find(["/opt/intel/libmpi.so.12"], { variable: () => "/opt/intel" }).abi, "MPICH");
});

Deno.test("findMpi() says what it looked for, where, and what to install", () => {
  assert.throws(() => find([]), (error) => {
    assert(hasCode(error, "MPI_UNAVAILABLE"));
    assert.match(error.message, /looked for libmpi\.so\.40, libmpich\.so\.12, .* in .*\/usr\/lib64\/mpich\/lib/);
    assert.match(error.message, /apt-get install openmpi-bin/);
    return true;
  });
});

Deno.test("versionName() is short, whatever a library says of itself", () => {
  const openMpi = "Open MPI v4.1.4, package: Debian OpenMPI, ident: 4.1.4, repo rev: v4.1.4, May 26, 2022";
  assert.equal(versionName("Open MPI", openMpi), "Open MPI 4.1.4");
  assert.equal(versionName("MPICH", "MPICH Version:\t4.0.2\nMPICH Release date:\tThu Apr  7\n"), "MPICH 4.0.2");
  assert.equal(
    versionName("MPICH", "Intel(R) MPI Library 2021.9 for Linux* OS\n"),
    "Intel(R) MPI Library 2021.9 for Linux* OS (MPICH's ABI)",
  );
  assert.equal(versionName("MPICH", ""), "MPICH");
});
