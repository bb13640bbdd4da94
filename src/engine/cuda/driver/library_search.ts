/**
 * Finds NVIDIA's shared libraries on a Linux machine: in folders the user names, by the loader, in CUDA's own folders,
 * and in the packages that pip installs.
 *
 * Deno permissions: `--allow-ffi` without a scope. `--allow-read` finds pip's packages, and `--allow-env` for
 * {@linkcode SEARCH_VARIABLES} the folders that these name; without them those places are passed over.
 */
import { UserError } from "../../../errors.ts";

/** A library by what it is for, and the names it goes by. */
export interface LibraryName {
  /** for messages: `NVIDIA driver` */
  readonly what: string;
  /** file names, best first */
  readonly names: readonly { readonly file: string; /** CUDA version it belongs to */ readonly major?: number }[];
  /** what to do where it is missing */
  readonly remedy: string;
}

/** Comes with the driver. */
export const DRIVER_LIBRARY: LibraryName = {
  what: "The NVIDIA driver's library",
  names: [{ file: "libcuda.so.1" }],
  remedy: 'install the NVIDIA driver, one for CUDA 11.8 or newer; in a container start it with "--gpus all"',
};

/** Comes with the driver as well. */
export const MANAGEMENT_LIBRARY: LibraryName = {
  what: "The NVIDIA management library",
  names: [{ file: "libnvidia-ml.so.1" }],
  remedy: 'in a container add "utility" to NVIDIA_DRIVER_CAPABILITIES',
};

/** Compiles kernels. */
export const NVRTC_LIBRARY: LibraryName = {
  what: "NVRTC",
  names: [
    { file: "libnvrtc.so.13", major: 13 },
    { file: "libnvrtc.so.12", major: 12 },
    { file: "libnvrtc.so.11.2", major: 11 }, // the name of 11.2 to 11.8
  ],
  remedy:
    'install it by "pip install nvidia-cuda-nvrtc" (CUDA 13) or "pip install nvidia-cuda-nvrtc-cu12", or name its ' +
    "folder by --cuda-lib",
};

/** Multiplies matrices on tensor cores. */
export const CUBLASLT_LIBRARY: LibraryName = {
  what: "cuBLASLt",
  names: [
    { file: "libcublasLt.so.13", major: 13 },
    { file: "libcublasLt.so.12", major: 12 },
    { file: "libcublasLt.so.11", major: 11 },
  ],
  remedy:
    'install it by "pip install nvidia-cublas" (CUDA 13) or "pip install nvidia-cublas-cu12", or name its folder ' +
    "by --cuda-lib",
};

/** Environment variables that are looked at, each only where it may be read. */
export const SEARCH_VARIABLES = ["CUDA_HOME", "CUDA_PATH", "VIRTUAL_ENV", "CONDA_PREFIX", "HOME"] as const;

/** Where to look. */
export interface LibraryPlaces {
  /** looked through first, in this order */
  readonly libraryFolders?: readonly string[];
  /** whether nothing but `libraryFolders` is looked through; default: false */
  readonly onlyThere?: boolean;
}

/** A folder, or the loader's own places. */
interface Place {
  readonly folder: string | undefined;
  /** how it was come by, for messages */
  readonly origin: string;
}

/** The value of an environment variable, if it may be read and is set. */
function variable(name: typeof SEARCH_VARIABLES[number]): string | undefined {
  if (Deno.permissions.querySync({ name: "env", variable: name }).state !== "granted") return undefined;
  return Deno.env.get(name) || undefined;
}

/** Names in a folder, sorted; none if it is not there or may not be read. */
function namesIn(folder: string): string[] {
  if (Deno.permissions.querySync({ name: "read", path: folder }).state !== "granted") return [];
  try {
    return Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
  } catch {
    return [];
  }
}

/** Whether something else than a file is there: the loader would wait for a pipe. */
function isNoFile(path: string): boolean {
  if (Deno.permissions.querySync({ name: "read", path }).state !== "granted") return false;
  try {
    return !Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** CUDA's major version in the name of a package's folder: 13 of `cu13`, 0 of `cuda_nvrtc`, as it was up to CUDA 12. */
function majorOf(packageFolder: string): number {
  return Number(/^cu(\d+)$/.exec(packageFolder)?.[1] ?? 0);
}

/** The `lib` folders of NVIDIA's packages below a Python installation's `lib` folder, newest first. */
function pipFolders(pythonLib: string): string[] {
  return namesIn(pythonLib)
    .filter((name) => /^python3(\.\d+)?$/.test(name))
    .flatMap((python) => ["site-packages", "dist-packages"].map((packages) => `${pythonLib}/${python}/${packages}`))
    .flatMap((packages) =>
      namesIn(`${packages}/nvidia`)
        .sort((a, b) => majorOf(b) - majorOf(a))
        .map((name) => `${packages}/nvidia/${name}`)
    )
    .flatMap((name) => namesIn(name).includes("lib") ? [`${name}/lib`] : []);
}

/** All places, in the order they are looked through. */
function placesOf({ libraryFolders = [], onlyThere = false }: LibraryPlaces): Place[] {
  const given = libraryFolders.map((folder) => ({ folder, origin: "given" }));
  if (onlyThere) return given;
  const home = variable("HOME");
  const toolkits = [
    ...(["CUDA_HOME", "CUDA_PATH"] as const).flatMap((name) => {
      const root = variable(name);
      return root === undefined ? [] : [{ root, origin: name }];
    }),
    { root: "/usr/local/cuda", origin: "usual place" },
  ];
  const pythons = [
    ...(["VIRTUAL_ENV", "CONDA_PREFIX"] as const).flatMap((name) => {
      const root = variable(name);
      return root === undefined ? [] : [{ lib: `${root}/lib`, origin: `pip, ${name}` }];
    }),
    ...(home === undefined ? [] : [{ lib: `${home}/.local/lib`, origin: "pip" }]),
    { lib: "/usr/local/lib", origin: "pip" },
    { lib: "/usr/lib", origin: "pip" },
  ];
  return [
    ...given,
    { folder: undefined, origin: "the loader" },
    ...toolkits.flatMap(({ root, origin }) => ["lib64", "lib"].map((lib) => ({ folder: `${root}/${lib}`, origin }))),
    ...pythons.flatMap(({ lib, origin }) => pipFolders(lib).map((folder) => ({ folder, origin }))),
    // Where Windows' Linux, Kubernetes' device plug-in and NixOS put the driver.
    ...["/usr/lib/wsl/lib", "/usr/local/nvidia/lib64", "/run/opengl-driver/lib"]
      .map((folder) => ({ folder, origin: "usual place" })),
  ];
}

/** A library that was opened. */
export interface OpenLibrary<S extends Deno.ForeignLibraryInterface> {
  readonly library: Deno.DynamicLibrary<S>;
  /** its path, or its bare name where the loader found it */
  readonly path: string;
}

/** Which versions of a library will do. */
export interface LibraryRequest extends LibraryPlaces {
  /** CUDA version of the driver, `13.0`: libraries of a newer major version are passed over */
  readonly driverVersion?: string;
}

/** @throws {UserError} `PERMISSION_DENIED` if foreign functions may not be called */
function requirePermission(): void {
  if (Deno.permissions.querySync({ name: "ffi" }).state === "granted") return;
  throw new UserError(
    "PERMISSION_DENIED",
    "Deno was not given the permission to call NVIDIA's libraries",
    "add --allow-ffi, without a path: addresses cannot be had with less",
  );
}

/**
 * Opens the first library that is found and has all the symbols.
 *
 * @throws {UserError} `CUDA_UNAVAILABLE` with each place looked at, and for each library that was there why it will not
 * do; `PERMISSION_DENIED` without `--allow-ffi`
 */
export function openLibrary<const S extends Deno.ForeignLibraryInterface>(
  { what, names, remedy }: LibraryName,
  symbols: S,
  { driverVersion, ...where }: LibraryRequest = {},
): OpenLibrary<S> {
  requirePermission();
  const newest = driverVersion === undefined ? Infinity : Number.parseInt(driverVersion);
  const unfit: string[] = [];
  const places = placesOf(where);
  for (const { folder } of places) {
    for (const { file, major = 0 } of names) {
      const path = folder === undefined ? file : `${folder}/${file}`;
      let library: Deno.DynamicLibrary<S>;
      if (folder !== undefined && isNoFile(path)) {
        unfit.push(`${path}: is no regular file`);
        continue;
      }
      try {
        library = Deno.dlopen(path, symbols);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        if (!isAbsent(reason, path)) unfit.push(describeUnfit(reason, path));
        continue;
      }
      if (major <= newest) return { library, path };
      library.close();
      unfit.push(`${path}: belongs to CUDA ${major}, and the driver supports ${driverVersion}`);
    }
  }
  const looked = places.map(({ folder, origin }) => folder === undefined ? origin : `${folder} (${origin})`);
  const files = names.map(({ file }) => file).join(", ");
  const found = unfit.length === 0
    ? `is not on this machine: ${files} in none of ${looked.join(", ")}`
    : `cannot be used: ${unfit.join("; ")}`;
  throw new UserError("CUDA_UNAVAILABLE", `${what} ${found}`, remedy);
}

/** Why a file that is there will not do, from the loader's words. */
function describeUnfit(reason: string, path: string): string {
  const symbol = /undefined symbol: (\w+)/.exec(reason)?.[1];
  if (symbol !== undefined) return `${path}: it is too old, since it lacks ${symbol}`;
  const words = reason.replaceAll("Could not open library: ", "");
  return words.startsWith(path) ? words : `${path}: ${words}`;
}

/** Whether the loader's words say that the file itself is not there, rather than one that it needs. */
function isAbsent(reason: string, path: string): boolean {
  return reason.includes(`${path}: cannot open shared object file: No such file`);
}
