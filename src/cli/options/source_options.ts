/** Options that say where data and models come from, shared by all subcommands that train. */
import { DATA_LOCK_PATH } from "../../data/data_lock.ts";
import type { CorpusFiles } from "../../data/options.ts";
import { UserError } from "../../errors.ts";
import type { StartChoice } from "../../experiment/start.ts";
import { HUB_CACHE_FOLDER } from "../../hub/cache.ts";
import type { Values } from "../arguments.ts";

/** See above. */
export const SOURCE_OPTIONS = {
  upstream: {
    kind: "list",
    value: "PATH…",
    path: true,
    help: "train on these files: .txt, .jsonl, .jsonl.zst, .parquet, or .bin with .idx",
  },
  downstream: { kind: "list", value: "PATH…", path: true, help: "and on these after the shift" },
  tokenizer: {
    kind: "text",
    value: "FILE",
    path: true,
    words: ["bytes"],
    help: "tokenizer.json for these files, or bytes (default: the scale's own)",
  },
  start: {
    kind: "text",
    value: "train|PATH",
    path: true,
    words: ["train"],
    help: "pre-train the model here, or start from your own: a model's folder or weights, or a folder of stepN of them",
  },
  lockfile: { kind: "text", value: "FILE", path: true, help: `pins of data and models (default: ${DATA_LOCK_PATH})` },
  cache: { kind: "text", value: "DIR", path: true, help: `where downloads are kept (default: ${HUB_CACHE_FOLDER})` },
} as const;

/**
 * Data files in place of the scale's own: both corpora or neither.
 *
 * @throws {UserError} `MISSING_CORPUS` if only one corpus is given, `UNUSED_OPTION` for a tokenizer without files
 */
export function filesFromOptions({ upstream, downstream, tokenizer }: Partial<CorpusFiles>): CorpusFiles | undefined {
  if (upstream === undefined && downstream === undefined) {
    if (tokenizer === undefined) return undefined;
    throw new UserError(
      "UNUSED_OPTION",
      '"--tokenizer" is for files of your own',
      "add --upstream PATH and --downstream PATH, or leave it out",
    );
  }
  if (upstream === undefined || downstream === undefined) {
    const missing = upstream === undefined ? "upstream" : "downstream";
    throw new UserError("MISSING_CORPUS", `No ${missing} files are given`, `add --${missing} PATH, or give neither`);
  }
  return { upstream, downstream, ...(tokenizer === undefined ? {} : { tokenizer }) };
}

/** Where models and downloads are. */
export interface Sources {
  /** a pre-training of one's own, or models of one's own */
  readonly start?: StartChoice;
  readonly lockFile?: string;
  readonly hubCache?: string;
}

/** The options' values under the names that the library has for them. */
export function sourcesFromOptions(
  { start, lockfile, cache }: Pick<Values<typeof SOURCE_OPTIONS>, "start" | "lockfile" | "cache">,
): Sources {
  return {
    ...(start === undefined ? {} : { start: start === "train" ? start : { path: start } }),
    ...(lockfile === undefined ? {} : { lockFile: lockfile }),
    ...(cache === undefined ? {} : { hubCache: cache }),
  };
}
