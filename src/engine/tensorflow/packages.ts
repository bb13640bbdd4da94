/**
 * Where TensorFlow.js's packages are: in a folder of their own, pinned by its own lockfile, installed when somebody asks
 * for them. They weigh more than twice what the rest of the project does.
 */
import { createRequire } from "node:module";
import process from "node:process";
import { UserError } from "../../errors.ts";

/** The packages by name. */
export interface TensorFlowPackages {
  /**
   * Loads a package, once; its exports.
   *
   * @throws {UserError} `TENSORFLOW_NOT_INSTALLED`
   * @throws {Error} if the package itself fails when it is loaded
   */
  load(name: string): unknown;
}

/** Holds deno.json, deno.lock and, once installed, node_modules. */
const FOLDER = new URL("../../../lockfiles/tensorflow/", import.meta.url);

/**
 * Gives packages an environment of no variables. The loader of the native bindings goes through all there are, tokens
 * and keys among them, and uses none; with these it needs no permission to read them. Native code asks the system
 * itself, for `LD_LIBRARY_PATH` and the like, and is not held by this.
 */
function withholdEnvironment(): void {
  Object.defineProperty(process, "env", { value: {}, configurable: true, enumerable: true, writable: true });
}

/** The packages that `deno task tensorflow:install` leaves. */
export function installedPackages(folder: URL = FOLDER): TensorFlowPackages {
  const require = createRequire(folder);
  withholdEnvironment();
  return {
    load(name) {
      try {
        require.resolve(name);
      } catch (cause) {
        const remedy = 'run "deno task tensorflow:install" in the project\'s folder';
        throw new UserError("TENSORFLOW_NOT_INSTALLED", `The package "${name}" is not installed`, remedy, { cause });
      }
      return require(name);
    },
  };
}
