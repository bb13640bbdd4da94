/** Three checkpoints on a hub on this machine, with a cache and a lockfile of their own. */
import assert from "node:assert/strict";
import { fetchData, type FetchOptions } from "../../src/cli/commands/data_fetch.ts";
import { lockData } from "../../src/cli/commands/data_lock.ts";
import { showDataStatus } from "../../src/cli/commands/data_status.ts";
import { type DataContext, usesOfAll } from "../../src/cli/data_uses.ts";
import { readDataLock } from "../../src/data/data_lock.ts";
import { hubStartWeights, type StartWeights } from "../../src/data/hub/start_weights.ts";
import { loadScale } from "../../src/experiment/catalogue.ts";
import type { Scale } from "../../src/experiment/scale/scale.ts";
import { HubCache } from "../../src/hub/cache.ts";
import { type ModelConfig, parameterCount } from "../../src/model/config.ts";
import {
  exactWeights,
  modelTensors,
  oldBuffers,
  SMALL_MODEL,
  writeFolder,
  writeShards,
} from "../model/hugging_face_files.ts";
import { withFolder } from "../temporary_folder.ts";
import { StandInHub } from "./stand_in_hub.ts";

/** What the stand-in hub has, as a scale and as the lockfile name it. */
export const MODEL = "EleutherAI/pythia-410m";
export const ID = `models/${MODEL}`;
/** A lockfile that pins nothing. */
const LOCK = "version: 1\npackages: {}\nfiles: {}\nhub: {}\n";
/** The paper's steps, with the commit and the weights of each. */
export const STEPS = [10_000, 27_000, 143_000];
export const COMMITS = ["a", "b", "c"].map((digit) => digit.repeat(40));
export const WEIGHTS = STEPS.map((_, i) => exactWeights(parameterCount(SMALL_MODEL)).with(0, i / 8));

type Files = Record<string, Uint8Array<ArrayBuffer>>;

/** A folder's files, and some that are not of the weights. */
async function filesIn(folder: string): Promise<Files> {
  const files: Files = { ".gitattributes": new Uint8Array(9), "tokenizer.json": new Uint8Array(300).fill(32) };
  for await (const { name } of Deno.readDir(folder)) files[name] = await Deno.readFile(`${folder}/${name}`);
  return files;
}

/** The revisions as the hub has them: F16 with old buffers in one file, F32 in one, BF16 in two with an index. */
async function revisions(folder: string): Promise<Files[]> {
  const [first, second, third] = WEIGHTS;
  assert(first !== undefined && second !== undefined && third !== undefined);
  const half = [...modelTensors(SMALL_MODEL, first, "F16"), ...oldBuffers(SMALL_MODEL)];
  await writeFolder(`${folder}/0`, half.sort((a, b) => a.name < b.name ? -1 : 1));
  await writeFolder(`${folder}/1`, modelTensors(SMALL_MODEL, second));
  await writeShards(`${folder}/2`, modelTensors(SMALL_MODEL, third, "BF16"));
  return await Promise.all(STEPS.map((_, i) => filesIn(`${folder}/${i}`)));
}

/** Commands on that hub, each giving what it prints, and `hubStartWeights` on what they leave. */
export interface Case {
  readonly folder: string;
  readonly hub: StandInHub;
  readonly lockPath: string;
  readonly cache: HubCache;
  readonly lock: (renew?: boolean) => Promise<string>;
  readonly fetch: (options?: Partial<FetchOptions> & { shape?: ModelConfig; signal?: AbortSignal }) => Promise<string>;
  readonly status: () => Promise<string>;
  readonly start: () => Promise<StartWeights[]>;
}

/** Calls something, and gives what it prints. */
export async function printed(call: () => Promise<unknown>): Promise<string> {
  const lines: string[] = [];
  const { log } = console;
  console.log = (text: string) => void lines.push(text);
  try {
    await call();
  } finally {
    console.log = log;
  }
  return lines.join("\n");
}

/** Calls `use` with a hub that is gone afterwards, as is all that was written. */
export async function withCheckpoints(use: (given: Case) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    await using hub = new StandInHub({}, ID);
    // Configuration and index lie in Git itself, as on the real hub.
    hub.largeBytes = 4000;
    for (const [i, files] of (await revisions(`${folder}/made`)).entries()) {
      hub.branches[`${ID}@step${STEPS[i]}`] = COMMITS[i] ?? "";
      hub.repositories[`${ID}@${COMMITS[i]}`] = files;
    }
    const lockPath = `${folder}/data.lock.yaml`;
    await Deno.writeTextFile(lockPath, LOCK);
    const cache = new HubCache(`${folder}/hub`);
    const base = await loadScale("smoke");
    const context = (shape = SMALL_MODEL, signal = new AbortController().signal): DataContext => {
      const model = { config: shape, maxLearningRate: 1e-3 };
      const scale: Scale = { ...base, model, start: { kind: "huggingface", model: MODEL } };
      return { uses: usesOfAll([scale], "start"), connection: hub.connect(), cache, lockPath, signal };
    };
    await use({
      folder,
      hub,
      lockPath,
      cache,
      lock: (renew = false) => printed(() => lockData(context(), renew)),
      fetch: ({ shape, signal, ...options } = {}) =>
        printed(() => fetchData(context(shape, signal), { budget: 1e9, verify: false, freeBytes: 1e12, ...options })),
      status: () => printed(() => showDataStatus(context())),
      start: async () =>
        await hubStartWeights({
          model: MODEL,
          shape: SMALL_MODEL,
          steps: STEPS,
          lock: await readDataLock(lockPath),
          hubCache: cache.folder,
        }),
    });
  });
}

/** Names in a checkpoint's folder. */
export function leftIn({ cache }: Case, i: number): string[] {
  const folder = `${cache.folder}/${ID}@step${STEPS[i]}/${COMMITS[i]?.slice(0, 12)}`;
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}
