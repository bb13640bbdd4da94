/** Ways of preparing a corpus that are measured: this project's, and Hugging Face's datasets and tokenizers. */
import { BpeTokenizer } from "../../src/formats/bpe/bpe_tokenizer.ts";
import { MAX_TOKENIZER_BYTES, readTokenizerFile } from "../../src/formats/bpe/tokenizer_file.ts";
import { readDataLock } from "../../src/data/data_lock.ts";
import { DEFAULT_DATA_SEED } from "../../src/data/options.ts";
import { inspectPrepared } from "../../src/data/prepared/manifest.ts";
import { prepare } from "../../src/data/prepared/prepare.ts";
import { fileIngredients } from "../../src/data/text/file_sources.ts";
import { sha256 } from "../../src/digest/sha256.ts";
import { readFileBounded } from "../../src/files/read_file.ts";
import { startPython } from "./line_process.ts";
import type { Unavailable } from "./peer.ts";

const SCRIPT = new URL("./preparation.py", import.meta.url);

/** What every one of them prepares. */
export interface PreparationTask {
  /** JSON lines under Zstandard */
  readonly files: readonly string[];
  /** path of a `tokenizer.json` */
  readonly tokenizer: string;
  /** for what is written; each has one of its own there */
  readonly folder: string;
  /** threads or processes */
  readonly processes: number;
}

/** The corpus prepared once, from nothing. */
export interface Preparation {
  readonly seconds: number;
  readonly documents: number;
  /** with the token that ends each document */
  readonly tokens: number;
}

/** A way of preparing it. */
export interface PreparationPeer {
  /** with the version that runs */
  readonly name: string;
  pass(): Promise<Preparation>;
  close(): Promise<void>;
}

/**
 * This project's, as `reproduce` does it: digests of the sources, two passes, and every file that was written read again
 * and checked against its digest.
 */
export async function openOwnPreparation(task: PreparationTask): Promise<PreparationPeer> {
  const bytes = await readFileBounded(task.tokenizer, MAX_TOKENIZER_BYTES);
  const source = { definition: readTokenizerFile(bytes, task.tokenizer), sha256: sha256(bytes) };
  const lock = await readDataLock();
  const folder = `${task.folder}/rewarm`;
  const pass = async () => {
    await Deno.remove(folder, { recursive: true }).catch(() => {});
    await Deno.mkdir(folder, { recursive: true });
    const start = performance.now();
    const tokenizer = new BpeTokenizer(source);
    const ingredients = await fileIngredients("upstream", task.files, {
      options: { source: { kind: "files", upstream: task.files, downstream: [] }, sequenceLength: 1 },
      tokenizer,
      dataSeed: DEFAULT_DATA_SEED,
      lock,
    });
    await prepare(ingredients, folder, { threads: task.processes, onProgress: () => {} });
    const state = await inspectPrepared(folder, ingredients.preparedDigest, () => {});
    const seconds = (performance.now() - start) / 1000;
    if (state.kind !== "ready") throw new Error("The corpus just prepared cannot be read");
    const sum = (of: "documents" | "tokens") =>
      state.manifest.domains.reduce((total, { train, validation }) => total + train[of] + validation[of], 0);
    return { seconds, documents: sum("documents"), tokens: sum("tokens") };
  };
  return { name: "rewarm", pass, close: async () => {} };
}

/**
 * `datasets` and `tokenizers`; unavailable where there is no such interpreter, no permission to run it, or no such
 * packages.
 *
 * @param python name or path of the interpreter
 */
export async function openDatasets(task: PreparationTask, python: string): Promise<PreparationPeer | Unavailable> {
  const folder = `${task.folder}/datasets`;
  await Deno.mkdir(folder, { recursive: true });
  const started = await startPython<{ readonly versions: string }>({
    name: "datasets and tokenizers",
    python,
    // By -c: as a file it would find tokenizers.py beside it in place of the package.
    args: ["-c", await Deno.readTextFile(SCRIPT)],
    task: { ...task, folder },
  });
  if ("reason" in started) return started;
  const { process, greeting } = started;
  return {
    name: greeting.versions,
    pass: async () => {
      await process.send({});
      return await process.receive<Preparation>();
    },
    close: () => process.close(),
  };
}
