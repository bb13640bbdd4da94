/** What comes along in the verifier's page besides its code, by the paths under which the page finds it. */
import { FAMILIES, FAMILY_NAMES } from "../../src/data/embedded/families.ts";
import { installedPackage } from "../../src/data/embedded/installed_package.ts";
import { listScales, loadScale } from "../../src/experiment/catalogue.ts";
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
    ...await kernels(),
    ...await packages(),
  ]);
}

type Entry = readonly [path: string, contents: Uint8Array<ArrayBuffer>];

/** All YAML below a folder. */
async function yamlFiles(folder: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (const { name, isFolder } of await listOwnFolder(new URL(folder, PROJECT))) {
    const path = folder + name;
    if (isFolder) entries.push(...await yamlFiles(`${path}/`));
    else if (name.endsWith(".yaml")) entries.push([path, await readOwnFile(new URL(path, PROJECT))]);
  }
  return entries;
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

/** Families of text that a scale of the project's is trained on, and those of versions up to 0.3. */
async function usedFamilies(): Promise<typeof FAMILIES[keyof typeof FAMILIES][]> {
  const used = new Set<string>(["typescript", "node"]);
  for (const scale of await listScales()) {
    const { data } = await loadScale(scale);
    if (data.kind !== "embedded") continue;
    for (const weights of [data.upstream, ...Object.values(data.mixes)]) {
      for (const family of Object.keys(weights)) used.add(family);
    }
  }
  return FAMILY_NAMES.filter((name) => used.has(name)).map((name) => FAMILIES[name]);
}

/** Names of the packages whose text comes along. */
export async function corpusPackages(): Promise<ReadonlySet<string>> {
  return new Set((await usedFamilies()).map((family) => family.package));
}

/** The embedded corpora's text; their licences are among the others. */
async function packages(): Promise<Entry[]> {
  const entries = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const { package: name, includes } of await usedFamilies()) {
    const { version, paths, read } = await installedPackage(name);
    entries.set(`${PACKAGES}${name}/package.json`, encoder.encode(JSON.stringify({ version })));
    for await (const path of paths) {
      if (includes(path)) entries.set(`${PACKAGES}${name}/${path}`, await read(path, MAX_FILE_BYTES));
    }
  }
  return [...entries];
}
