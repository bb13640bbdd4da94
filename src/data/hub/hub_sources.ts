/** A corpus of the hub: files that were downloaded, by the list that the lockfile pins. */
import { UserError } from "../../errors.ts";
import type { CorpusName } from "../../experiment/run/run.ts";
import { HubCache } from "../../hub/cache.ts";
import type { Settings } from "../text_ingredients.ts";
import type { CorpusSource } from "../corpus_source.ts";
import type { HubCorpora } from "../options.ts";
import { textSource } from "../prepared/text_source.ts";
import { type RowIngredients, rowIngredients } from "../rows/row_ingredients.ts";
import { rowSource } from "../rows/row_source.ts";
import { formatOf } from "../text/file_source.ts";
import { documentIngredients } from "../text/file_sources.ts";
import { type DatasetPart, datasetParts } from "./dataset_parts.ts";
import { chooseFiles, isValidationFile } from "./file_choice.ts";
import { lockedRepository } from "./lock.ts";
import { namedPath, requireFetched } from "./named_files.ts";

/**
 * What a dataset gives a corpus: documents to tokenise, or rows of tokens. Nothing is downloaded or read here: digests
 * are those of the lockfile's list, and whoever reads a file holds it against its digest.
 *
 * @throws {UserError} `NOT_LOCKED`, `DATA_NOT_FETCHED`, `MIXED_FORMATS`, `CORPUS_TOO_SHORT`
 */
export async function hubSource(
  name: CorpusName,
  source: HubCorpora,
  settings: Settings,
): Promise<CorpusSource> {
  const { dataset, tokens } = source[name];
  const cache = new HubCache(source.hubCache);
  const [own, heldOut] = datasetParts(source[name]);
  const files = await fetchedFiles(cache, settings, own);
  const held = heldOut === undefined ? [] : await fetchedFiles(cache, settings, heldOut);
  const apart = held.map((file) => ({ ...file, format: formatOf(file.path), isValidation: true }));
  const rows = files.filter(({ path }) => path.endsWith(".bin")).length;
  if (rows === files.length) return rowSource(rowIngredients(name, files, tokens, settings, apart));
  if (rows > 0) {
    throw new UserError("MIXED_FORMATS", `"${dataset}" has both text and token rows, and one of them is expected`);
  }
  const documents = files.map((file) => ({
    ...file,
    format: formatOf(file.path),
    isValidation: isValidationFile(file.name),
  }));
  return textSource(documentIngredients(name, [...documents, ...apart], settings));
}

/** The files of a dataset that hold some tokens, all of them here. */
async function fetchedFiles(
  cache: HubCache,
  { lock }: Settings,
  { dataset, tokens }: DatasetPart,
): Promise<RowIngredients["files"]> {
  const locked = await lockedRepository(undefined, cache, lock, { kind: "dataset", name: dataset });
  const chosen = chooseFiles(tokens, locked.files);
  await requireFetched(cache, locked, chosen);
  return chosen.map(({ path, bytes, sha256 }) => ({ path: namedPath(cache, locked, path), name: path, bytes, sha256 }));
}
