/**
 * Fills a folder with the exact engine's compiled kernels: a machine without network has no AssemblyScript to
 * compile them with. Called by pack.sh.
 */
import { createExactEngine } from "../../src/engine/exact/engine.ts";
import { sha256 } from "../../src/digest/sha256.ts";
import { kernelFolder } from "../../src/files/kernel_folder.ts";

const [folder] = Deno.args;
if (folder === undefined) throw new Error("Which folder?");
await Deno.remove(folder, { recursive: true }).catch(() => {});
await Deno.mkdir(folder, { recursive: true });
await createExactEngine({ threads: 1, sha256, cache: kernelFolder(folder) });
