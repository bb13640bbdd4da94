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
import { formatOf } from "./file_source.ts";
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
  /** training rows first, validation rows at the end */
  readonly rows: PerSplit;
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
  const { dataset, tokens } = source[name];
  const cache = new HubCache(source.hubCache);
  const locked = await lockedRepository(undefined, cache, settings.lock, { kind: "dataset", name: dataset });
  const chosen = chooseFiles(tokens, locked.files);
  await requireFetched(cache, locked, chosen);
  const files = chosen.map((file) => ({
    path: namedPath(cache, locked, file.path),
    name: file.path,
    bytes: file.bytes,
    sha256: file.sha256,
  }));
  const rows = files.filter(({ path }) => path.endsWith(".bin")).length;
  if (rows === files.length) return rowIngredients(name, files, tokens, settings);
  if (rows > 0) {
    throw new UserError("MIXED_FORMATS", `"${dataset}" has both text and token rows, and one of them is expected`);
  }
  const documents = files.map((file) => ({
    ...file,
    format: formatOf(file.path),
    isValidation: isValidationFile(file.name),
  }));
  return documentIngredients(name, documents, settings);
}

/**
 * Path of the tokenizer that the corpora share.
 *
 * @throws {UserError} `NOT_LOCKED`, `DATA_NOT_FETCHED`, `DIGEST_MISMATCH`
 */
export async function hubTokenizer({ tokenizer, hubCache }: HubCorpora, lock: DataLock): Promise<string> {
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
  { options, tokenizer }: Settings,
): RowIngredients {
  if (tokenizer.source === undefined) throw new Error("Token rows are of a tokenizer with a file");
  const rowTokens = options.sequenceLength + 1;
  const all = rowsIn(files, rowTokens);
  const validation = Math.ceil(tokens.validation / rowTokens);
  if (all <= validation) {
    throw new UserError(
      "CORPUS_TOO_SHORT",
      `The ${name} corpus has ${all} rows of ${rowTokens} tokens, and ${validation} of them are for validation`,
      "use a scale with fewer validation windows",
    );
  }
  const rows = { train: all - validation, validation };
  const specification = {
    format: ROW_FORMAT_VERSION,
    source: { kind: "token rows", files: files.map(({ sha256 }) => sha256) },
    rowTokens,
    rows,
  };
  return {
    name,
    digest: sha256(canonicalJson(specification)),
    files,
    sources: files.map(({ name, bytes, sha256 }) => ({ name, bytes, sha256 })),
    rowTokens,
    rows,
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
