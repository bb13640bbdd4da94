/** What the scales need of the hub: which repositories, which of their files, and for what. */
import { MAX_LOCK_BYTES } from "../data/data_lock.ts";
import type { PerSplit } from "../data/domain.ts";
import { datasetParts } from "../data/hub/dataset_parts.ts";
import { chooseFiles } from "../data/hub/file_choice.ts";
import { type LockedRepository, lockId, type NamedRepository } from "../data/hub/lock.ts";
import { startRepositories } from "../data/hub/start_weights.ts";
import { scaleCorpora } from "../data/scale_corpora.ts";
import { sha256 } from "../digest/sha256.ts";
import { suggest, UserError } from "../errors.ts";
import type { Scale } from "../experiment/scale/scale.ts";
import { DENO_FILES } from "../files/deno_file_system.ts";
import { readFileBounded } from "../files/read_file.ts";
import { printable } from "../files/safe_name.ts";
import type { HubCache } from "../hub/cache.ts";
import type { HubConnection } from "../hub/connection.ts";
import type { PinnedFile } from "../hub/listing.ts";
import { compactNumber } from "../text/numbers.ts";
import { parameterCount } from "../model/config.ts";
import { formatBytes } from "./download_progress.ts";

/** What `--only` takes: the corpora, their tokenizer, and the checkpoints that continued training starts from. */
export const PARTS = ["upstream", "downstream", "tokenizer", "start"] as const;

/** A part of what a scale needs. */
export type Part = (typeof PARTS)[number];

/** A repository that a scale needs something of. */
export interface Use {
  /** which scale */
  readonly scale: Scale;
  /** what for */
  readonly part: Part;
  /** which repository */
  readonly repository: NamedRepository;
  /** tokens that are read of it; absent where all of it is needed */
  readonly tokens?: PerSplit;
}

/** What `data lock`, `data fetch` and `data status` have in common. */
export interface DataContext {
  /** what is asked for */
  readonly uses: readonly Use[];
  /** the way to the hub */
  readonly connection: HubConnection;
  /** where downloads are kept */
  readonly cache: HubCache;
  /** path of the lockfile */
  readonly lockPath: string;
  /** stops downloads and imports */
  readonly signal: AbortSignal;
}

/**
 * A part by its name.
 *
 * @throws {UserError} `UNKNOWN_CORPUS`, with the nearest match, unless it is one of {@linkcode PARTS}
 */
export function parsePart(text: string): Part {
  const part = PARTS.find((part) => part === text);
  if (part === undefined) throw new UserError("UNKNOWN_CORPUS", `Unknown part "${text}"`, suggest(text, PARTS));
  return part;
}

/** All that a scale needs, in the order of {@linkcode PARTS}; nothing where it brings its own text and weights. */
export function usesOf(scale: Scale): Use[] {
  const { source } = scaleCorpora(scale);
  const uses: Use[] = [];
  if (source.kind === "huggingface") {
    for (const part of ["upstream", "downstream"] as const) {
      for (const { dataset, tokens } of datasetParts(source[part])) {
        uses.push({ scale, part, repository: { kind: "dataset", name: dataset }, tokens });
      }
    }
    uses.push({ scale, part: "tokenizer", repository: { kind: "model", name: source.tokenizer } });
  }
  for (const repository of startRepositories(scale)) uses.push({ scale, part: "start", repository });
  return uses;
}

/** What several scales need, the smallest model first; of one part if it is given. */
export function usesOfAll(scales: readonly Scale[], only?: Part): Use[] {
  const size = ({ model }: Scale) => parameterCount(model.config);
  return [...scales].sort((a, b) => size(a) - size(b)).flatMap(usesOf)
    .filter(({ part }) => only === undefined || part === only);
}

/** Each repository once, by its id in the lockfile. */
export function repositoriesOf(uses: readonly Use[]): Map<string, NamedRepository> {
  return new Map(uses.map(({ repository }) => [lockId(repository), repository]));
}

/** The files of a locked repository that a scale needs: of text as much as it reads, else all that is pinned. */
export function filesFor(
  { tokens }: Pick<Use, "tokens">,
  { files }: Pick<LockedRepository, "files">,
): readonly PinnedFile[] {
  return tokens === undefined ? files : chooseFiles(tokens, files);
}

/** `1 file`, `12 files`. */
export function counted(files: number): string {
  return files === 1 ? "1 file" : `${files} files`;
}

/** Bytes of some files together. */
export function bytesIn(files: readonly PinnedFile[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** What a plan needs of the hub, a line each: text by its tokens, checkpoints by their size in half precision. */
export function formatFetches(uses: readonly Use[]): string {
  if (uses.length === 0) return "";
  const lines = uses.map(({ scale, part, repository, tokens }) => {
    const halfBytes = 2 * parameterCount(scale.model.config);
    const size = tokens !== undefined
      ? `${compactNumber(tokens.train + tokens.validation)} tokens`
      : part === "start"
      ? `about ${formatBytes(halfBytes)} as fp16, ${formatBytes(2 * halfBytes)} imported`
      : "";
    return `  ${part.padEnd(10)}  ${lockId(repository)}  ${size}`.trimEnd();
  });
  return `\n\nto fetch from the hub:\n${lines.join("\n")}`;
}

/** Which lockfile is looked at: its whole path and digest. */
export async function describeLock(path: string): Promise<string> {
  const bytes = await readFileBounded(path, MAX_LOCK_BYTES);
  return `Lockfile  ${printable(await DENO_FILES.realPath(path), 800)}\nSHA-256   ${sha256(bytes)}`;
}
