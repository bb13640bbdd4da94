/** Options that say where data and models come from, shared by all subcommands that train. */
import { DATA_LOCK_PATH } from "../../data/data_lock.ts";
import type { CorpusFiles } from "../../data/options.ts";
import { UserError } from "../../errors.ts";
import type { StartChoice } from "../../experiment/arm/start.ts";
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
  mix: {
    kind: "list",
    value: "NAME=PATH…",
    path: true,
    pathAfter: "=",
    help: "files that make a mix, a further corpus that arms name; several of one name make it together",
  },
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
  return { upstream, downstream, tokenizer };
}

/**
 * The files of mixes, by their names.
 *
 * @throws {UserError} `BAD_MIX` for a word that is no name with a path
 */
function mixFiles(mix: readonly string[]): Readonly<Record<string, readonly string[]>> {
  const files = new Map<string, string[]>();
  for (const word of mix) {
    const [, name, path] = /^([a-z0-9][a-z0-9-]{0,40})=(.+)$/s.exec(word) ?? [];
    if (name === undefined || path === undefined || name === "upstream" || name === "downstream") {
      throw new UserError(
        "BAD_MIX",
        `Option "--mix" is "${word}"`,
        'expected NAME=PATH, such as "strong=german.jsonl"; names are of small letters, digits and "-"',
      );
    }
    files.set(name, [...files.get(name) ?? [], path]);
  }
  return Object.fromEntries(files);
}

/** Where models and downloads are. */
export interface Sources {
  /** pre-training, or the user's own models */
  readonly start?: StartChoice;
  /** paths of the files that make a mix, by its name */
  readonly mixFiles?: Readonly<Record<string, readonly string[]>>;
  readonly lockFile?: string;
  readonly hubCache?: string;
}

/** The options' values under the names that the library has for them. */
export function sourcesFromOptions(
  { start, mix, lockfile, cache }: Pick<Values<typeof SOURCE_OPTIONS>, "start" | "mix" | "lockfile" | "cache">,
): Sources {
  return {
    mixFiles: mix === undefined ? undefined : mixFiles(mix),
    start: start === undefined ? undefined : start === "train" ? start : { path: start },
    lockFile: lockfile,
    hubCache: cache,
  };
}
