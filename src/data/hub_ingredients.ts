/** Ingredients of a corpus of the hub: files that were downloaded, by the list that the lockfile pins. */
import { canonicalJson } from "../digest/canonical_json.ts";
import { type Digest, sha256 } from "../digest/sha256.ts";
import { UserError } from "../errors.ts";
import type { CorpusName } from "../experiment/run.ts";
import { DENO_FILES } from "../files/deno_file_system.ts";
import { readFileBounded } from "../files/read_file.ts";
import { HubCache } from "../hub/cache.ts";
import type { PinnedFile } from "../hub/listing.ts";
import { repositoryId } from "../hub/repository.ts";
import type { TokenizerDefinition } from "./bpe/tokenizer_file.ts";
import { type DataLock, requireDigest } from "./data_lock.ts";
import { documentIngredients } from "./file_ingredients.ts";
import { formatOf, type SourceFile } from "./file_source.ts";
import { chooseFiles, isValidationFile } from "./hub_choice.ts";
import { namedPath } from "./hub_files.ts";
import { type LockedRepository, lockedRepository, TOKENIZER_FILE } from "./hub_lock.ts";
import type { Ingredients, PerSplit, Settings, SourceDigest } from "./ingredients.ts";
import type { HubCorpora } from "./options.ts";
import { rowsIn } from "./token_rows.ts";

const MAX_TOKENIZER_BYTES = 1 << 26;
/** Counts changes in what the same rows give. */
const ROW_FORMAT_VERSION = 1;

/** A corpus of token rows before it is opened. */
export interface RowIngredients {
  readonly name: CorpusName;
  readonly digest: Digest;
  readonly files: readonly (SourceDigest & { readonly path: string })[];
  readonly sources: readonly SourceDigest[];
  readonly rowTokens: number;
  /** training rows first, validation rows at the end; none of those where documents stand for them */
  readonly rows: PerSplit;
  /** documents of another dataset, all of which are for validation */
  readonly validation?: Ingredients;
  readonly tokenizer: TokenizerDefinition;
}

/**
 * What a dataset gives a corpus: documents to tokenise, or rows of tokens. Nothing is downloaded or read here: digests
 * are those of the lockfile's list, and whoever reads a file holds it against its digest.
 *
 * @throws {UserError} `NOT_LOCKED`, `DATA_NOT_FETCHED`, `MIXED_FORMATS`, `CORPUS_TOO_SHORT`
 */
export async function hubIngredients(
  name: CorpusName,
  source: HubCorpora,
  settings: Settings,
): Promise<Ingredients | RowIngredients> {
  const { dataset, tokens, validation } = source[name];
  const cache = new HubCache(source.hubCache);
  const files = await fetchedFiles(
    cache,
    settings,
    dataset,
    validation === undefined ? tokens : { ...tokens, validation: 0 },
  );
  const held = validation === undefined ? [] : await fetchedFiles(cache, settings, validation, { ...tokens, train: 0 });
  const apart = held.map((file) => ({ ...file, format: formatOf(file.path), isValidation: true }));
  const rows = files.filter(({ path }) => path.endsWith(".bin")).length;
  if (rows === files.length) return rowIngredients(name, files, tokens, settings, apart);
  if (rows > 0) {
    throw new UserError("MIXED_FORMATS", `"${dataset}" has both text and token rows, and one of them is expected`);
  }
  const documents = files.map((file) => ({
    ...file,
    format: formatOf(file.path),
    isValidation: isValidationFile(file.name),
  }));
  return documentIngredients(name, [...documents, ...apart], settings);
}

/** The files of a dataset that hold some tokens, all of them here. */
async function fetchedFiles(
  cache: HubCache,
  { lock }: Settings,
  dataset: string,
  tokens: PerSplit,
): Promise<RowIngredients["files"]> {
  const locked = await lockedRepository(undefined, cache, lock, { kind: "dataset", name: dataset });
  const chosen = chooseFiles(tokens, locked.files);
  await requireFetched(cache, locked, chosen);
  return chosen.map(({ path, bytes, sha256 }) => ({ path: namedPath(cache, locked, path), name: path, bytes, sha256 }));
}

/**
 * Path of the tokenizer that the corpora share.
 *
 * @throws {UserError} `NOT_LOCKED`, `DATA_NOT_FETCHED`, `DIGEST_MISMATCH`
 */
export async function hubTokenizer(
  { tokenizer, hubCache }: Pick<HubCorpora, "tokenizer" | "hubCache">,
  lock: DataLock,
): Promise<string> {
  const cache = new HubCache(hubCache);
  const locked = await lockedRepository(undefined, cache, lock, { kind: "model", name: tokenizer });
  await requireFetched(cache, locked, locked.files);
  const path = namedPath(cache, locked, TOKENIZER_FILE);
  const found = sha256(await readFileBounded(path, MAX_TOKENIZER_BYTES));
  for (const file of locked.files) requireDigest(path, found, file.sha256, lock.name);
  return path;
}

function rowIngredients(
  name: CorpusName,
  files: RowIngredients["files"],
  tokens: PerSplit,
  settings: Settings,
  held: readonly SourceFile[],
): RowIngredients {
  const { options, tokenizer } = settings;
  if (tokenizer.source === undefined) throw new Error("Token rows are of a tokenizer with a file");
  const rowTokens = options.sequenceLength + 1;
  const all = rowsIn(files, rowTokens);
  const validation = held.length > 0 ? 0 : Math.ceil(tokens.validation / rowTokens);
  if (all <= validation) {
    throw new UserError(
      "CORPUS_TOO_SHORT",
      `The ${name} corpus has ${all} rows of ${rowTokens} tokens, and ${validation} of them are for validation`,
      "use a scale with fewer validation windows",
    );
  }
  const rows = { train: all - validation, validation };
  const apart = held.length > 0 ? documentIngredients(name, held, settings) : undefined;
  const specification = {
    format: ROW_FORMAT_VERSION,
    source: { kind: "token rows", files: files.map(({ sha256 }) => sha256) },
    rowTokens,
    rows,
    ...(apart === undefined ? {} : { validation: apart.digest }),
  };
  return {
    name,
    digest: sha256(canonicalJson(specification)),
    files,
    sources: [...files, ...held].map(({ name, bytes, sha256 }) => ({ name, bytes, sha256 })),
    rowTokens,
    rows,
    ...(apart === undefined ? {} : { validation: apart }),
    tokenizer: tokenizer.source.definition,
  };
}

/** @throws {UserError} `DATA_NOT_FETCHED` if a file is not there at its full length */
async function requireFetched(
  cache: HubCache,
  locked: LockedRepository,
  files: readonly PinnedFile[],
): Promise<void> {
  let missing = 0;
  for (const { path, bytes } of files) {
    if ((await DENO_FILES.status(namedPath(cache, locked, path)))?.bytes !== bytes) missing++;
  }
  if (missing === 0 && files.length > 0) return;
  throw new UserError(
    "DATA_NOT_FETCHED",
    `${missing} of ${files.length} files of "${repositoryId(locked.repository)}" are not here`,
    'run "deno task data fetch --scale NAME" first',
  );
}
