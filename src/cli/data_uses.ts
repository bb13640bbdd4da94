/** What the scales need of the hub: which repositories, which of their files, and for what. */
import { chooseFiles, tokensNeeded } from "../data/hub_choice.ts";
import { type LockedRepository, lockId, type NamedRepository } from "../data/hub_lock.ts";
import { startRepositories } from "../data/hub_weights.ts";
import { tokenizerRepository } from "../data/scale_corpora.ts";
import { suggest, UserError } from "../errors.ts";
import type { Scale } from "../experiment/scale.ts";
import type { HubCache } from "../hub/cache.ts";
import type { HubConnection } from "../hub/connection.ts";
import type { PinnedFile } from "../hub/listing.ts";
import { parameterCount } from "../model/config.ts";

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
  const { data } = scale;
  const repositories: [Part, NamedRepository][] = data.kind !== "huggingface" ? [] : [
    ["upstream", { kind: "dataset", name: data.upstream.dataset }],
    ["downstream", { kind: "dataset", name: data.downstream.dataset }],
    ["tokenizer", tokenizerRepository(data)],
  ];
  for (const repository of startRepositories(scale)) repositories.push(["start", repository]);
  return repositories.map(([part, repository]) => ({ scale, part, repository }));
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
export function filesFor({ scale, part }: Use, { files }: LockedRepository): readonly PinnedFile[] {
  return part === "tokenizer" || part === "start" ? files : chooseFiles(tokensNeeded(scale, part), files);
}

/** `1 file`, `12 files`. */
export function counted(files: number): string {
  return files === 1 ? "1 file" : `${files} files`;
}

/** Bytes of some files together. */
export function bytesIn(files: readonly PinnedFile[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}
