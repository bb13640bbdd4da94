/** What comes along in the verifier's page besides its code, by the paths under which the page finds it. */
import { EMBEDDED_PACKAGES } from "../../src/data/embedded/npm_source.ts";
import { installedPackage } from "../../src/data/embedded/installed_package.ts";
import { DATA_LOCK_PATH } from "../../src/data/data_lock.ts";
import { sha256 } from "../../src/digest/sha256.ts";
import { readKernelSources } from "../../src/engine/exact/engine.ts";
import {
  compileKernels,
  type FmaKind,
  kernelIdentity,
  kernelModules,
  type MemoryKind,
} from "../../src/engine/exact/kernels.ts";
import { listOwnFolder, readOwnFile } from "../../src/files/own_files.ts";
import { PROJECT } from "../../src/files/project.ts";
import { ENGINE_WORKER, KERNELS, LICENCES, PACKAGES, type Resources } from "../../src/page/platform/resources.ts";

const KINDS: readonly (readonly [FmaKind, MemoryKind])[] = [
  ["relaxed", "shared"],
  ["relaxed", "unshared"],
  ["emulated", "shared"],
  ["emulated", "unshared"],
];
const MAX_FILE_BYTES = 1 << 26;
const encoder = new TextEncoder();

/**
 * Collects everything.
 *
 * @param engineWorker code of the engine's worker, bundled
 * @param licences of the packages in the bundles
 */
export async function pageResources(engineWorker: string, licences: string): Promise<Resources> {
  return new Map([
    [ENGINE_WORKER, encoder.encode(engineWorker)],
    [LICENCES, encoder.encode(licences)],
    [DATA_LOCK_PATH, await readOwnFile(new URL(DATA_LOCK_PATH, PROJECT))],
    ...await yamlFiles("experiments/"),
    ...await yamlFiles("experiments/scales/"),
    ...await kernels(),
    ...await packages(),
  ]);
}

type Entry = readonly [path: string, contents: Uint8Array<ArrayBuffer>];

async function yamlFiles(folder: string): Promise<Entry[]> {
  const names = (await listOwnFolder(new URL(folder, PROJECT))).filter(({ name }) => name.endsWith(".yaml"));
  return await Promise.all(names.map(async ({ name }): Promise<Entry> => {
    const path = folder + name;
    return [path, await readOwnFile(new URL(path, PROJECT))];
  }));
}

/** Sources, which the digests are of, and the code for both kinds of memory and of multiply-adds. */
async function kernels(): Promise<Entry[]> {
  const sources = await readKernelSources();
  const entries: Entry[] = [...sources].map(([name, text]) => [
    `src/engine/exact/kernels/${name}`,
    encoder.encode(text),
  ]);
  for (const [fma, memory] of KINDS) {
    const modules = kernelModules(sources, fma);
    const digest = sha256(kernelIdentity(modules, memory));
    entries.push([`${KERNELS}${digest}.wasm`, await compileKernels(modules, memory)]);
  }
  return entries;
}

/** The embedded corpora's text; their licences are among the others. */
async function packages(): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (const { package: name, includes } of EMBEDDED_PACKAGES) {
    const { version, paths, read } = await installedPackage(name);
    entries.push([`${PACKAGES}${name}/package.json`, encoder.encode(JSON.stringify({ version }))]);
    for await (const path of paths) {
      if (includes(path)) entries.push([`${PACKAGES}${name}/${path}`, await read(path, MAX_FILE_BYTES)]);
    }
  }
  return entries;
}
