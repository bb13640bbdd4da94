/** Where libraries are looked for, and what is said of those that will not do. Needs gcc. */
import assert from "node:assert/strict";
import { DRIVER_SYMBOLS, NVRTC_SYMBOLS } from "../../../src/engine/cuda/driver/abi.ts";
import {
  DRIVER_LIBRARY,
  type LibraryPlaces,
  NVRTC_LIBRARY,
  openLibrary,
  SEARCH_VARIABLES,
} from "../../../src/engine/cuda/driver/library_search.ts";
import { UserError } from "../../../src/errors.ts";
import { buildFake, testWithFakes } from "./fakes/build.ts";

/** Sets the environment's variables for as long as `use` runs; those not named are unset. */
function withEnvironment<T>(values: Partial<Record<typeof SEARCH_VARIABLES[number], string>>, use: () => T): T {
  const before = new Map(SEARCH_VARIABLES.map((name) => [name, Deno.env.get(name)]));
  const set = (name: string, value: string | undefined) =>
    value === undefined ? Deno.env.delete(name) : Deno.env.set(name, value);
  try {
    for (const name of SEARCH_VARIABLES) set(name, values[name]);
    return use();
  } finally {
    for (const [name, value] of before) set(name, value);
  }
}

function pathOf(open: () => { library: { close(): void }; path: string }): string {
  const { library, path } = open();
  library.close();
  return path;
}

const NVRTC_12 = { source: "fake_nvrtc.c", library: "libnvrtc.so.12" };

testWithFakes("openLibrary() looks in the given folders in their order", [NVRTC_12], (folder) => {
  const libraryFolders = [`${folder}/absent`, folder];
  const path = pathOf(() => openLibrary(NVRTC_LIBRARY, NVRTC_SYMBOLS, { libraryFolders }));
  assert.equal(path, `${folder}/libnvrtc.so.12`);
});

testWithFakes("openLibrary() follows CUDA_HOME and CUDA_PATH", [], async (root) => {
  await Deno.mkdir(`${root}/lib64`);
  await buildFake(`${root}/lib64`, NVRTC_12);
  for (const name of ["CUDA_HOME", "CUDA_PATH"] as const) {
    const path = withEnvironment({ [name]: root }, () => pathOf(() => openLibrary(NVRTC_LIBRARY, NVRTC_SYMBOLS)));
    assert.equal(path, `${root}/lib64/libnvrtc.so.12`);
  }
});

testWithFakes("openLibrary() finds what pip installed, the newest package first", [], async (root) => {
  const packages = (name: string) => `${root}/lib/python3.12/site-packages/nvidia/${name}/lib`;
  for (const name of ["cuda_nvrtc", "cu9", "cu12"]) {
    await Deno.mkdir(packages(name), { recursive: true });
    await buildFake(packages(name), NVRTC_12);
  }
  const open = () => pathOf(() => openLibrary(NVRTC_LIBRARY, NVRTC_SYMBOLS));
  for (const name of ["VIRTUAL_ENV", "CONDA_PREFIX"] as const) {
    assert.equal(withEnvironment({ [name]: root }, open), `${packages("cu12")}/libnvrtc.so.12`);
  }
  await Deno.mkdir(`${root}/.local`);
  await Deno.rename(`${root}/lib`, `${root}/.local/lib`);
  assert.match(withEnvironment({ HOME: root }, open), /\.local\/lib\/python3\.12.*cu12\/lib\/libnvrtc\.so\.12$/);
});

Deno.test("openLibrary() lists each place it looked at, with how it came by it", () => {
  const absent = {
    what: "The library of this test",
    names: [{ file: "libof.so.9" }, { file: "libof.so.8" }],
    remedy: "no",
  };
  const messageOf = (where: LibraryPlaces) => {
    try {
      openLibrary(absent, {}, where).library.close();
    } catch (error) {
      if (error instanceof UserError && error.code === "CUDA_UNAVAILABLE") return error.message;
    }
    return undefined;
  };
  assert.equal(
    messageOf({ libraryFolders: ["/nowhere"], onlyThere: true }),
    "The library of this test is not on this machine: libof.so.9, libof.so.8 in none of /nowhere (given): no",
  );
  const everywhere = withEnvironment({ CUDA_HOME: "/opt/cuda" }, () => messageOf({ libraryFolders: ["/nowhere"] }));
  const order = [
    "/nowhere (given)",
    "the loader",
    "/opt/cuda/lib64 (CUDA_HOME)",
    "/usr/local/cuda/lib64 (usual place)",
  ];
  const positions = order.map((place) => everywhere?.indexOf(place) ?? -1);
  assert(positions.every((position) => position > 0), everywhere);
  assert.deepEqual(positions, positions.toSorted((a, b) => a - b));
});

testWithFakes(
  "openLibrary() passes over a library that is newer than the driver, and says so",
  [NVRTC_12],
  (folder) => {
    const open = (driverVersion: string) =>
      openLibrary(NVRTC_LIBRARY, NVRTC_SYMBOLS, { libraryFolders: [folder], onlyThere: true, driverVersion });
    assert.throws(() => open("11.8"), /libnvrtc\.so\.12: belongs to CUDA 12, and the driver supports 11\.8/);
    assert.equal(pathOf(() => open("12.0")), `${folder}/libnvrtc.so.12`);
  },
);

testWithFakes("openLibrary() goes on from a file that is no library", [NVRTC_12], async (folder) => {
  await Deno.writeTextFile(`${folder}/libnvrtc.so.13`, "not a library");
  const request = { libraryFolders: [folder], onlyThere: true };
  assert.equal(pathOf(() => openLibrary(NVRTC_LIBRARY, NVRTC_SYMBOLS, request)), `${folder}/libnvrtc.so.12`);
  await Deno.writeTextFile(`${folder}/libcuda.so.1`, "not a library");
  assert.throws(
    () => openLibrary(DRIVER_LIBRARY, DRIVER_SYMBOLS, request),
    /^UserError: The NVIDIA driver's library cannot be used: .*libcuda\.so\.1: (file too short|invalid ELF header): install/,
  );
});

Deno.test({
  name: "openLibrary() says which permission is missing",
  permissions: { ffi: false },
  fn: () => {
    assert.throws(() => openLibrary(DRIVER_LIBRARY, DRIVER_SYMBOLS), (error) => {
      assert(error instanceof UserError);
      assert.equal(error.code, "PERMISSION_DENIED");
      assert.match(error.message, /add --allow-ffi, without a path/);
      return true;
    });
  },
});

Deno.test({
  name: "openLibrary() passes over places that it may not look at",
  permissions: { ffi: true, read: false, env: false },
  fn: () => {
    assert.throws(() =>
      openLibrary(DRIVER_LIBRARY, {
        absent: { parameters: [], result: "void" },
      }, { driverVersion: "13.0" }), (error) => error instanceof UserError && error.code === "CUDA_UNAVAILABLE");
  },
});
