/** Ingredients of a corpus of the user's files. */
import { UserError } from "../../errors.ts";
import type { CorpusName } from "../../experiment/run/run.ts";
import { domainWord, type SourceDocument, splitOf, VALIDATION_ONE_IN } from "../domain.ts";
import { corpusDigests, type Ingredients, type Settings } from "../text_ingredients.ts";
import { digestSources } from "../source_files.ts";
import { CUTTING_RULE } from "./document_cutter.ts";
import type { FileFormat } from "./file_kind.ts";
import { hasNoDocument, inspectFile, readDocuments, type SourceFile } from "./file_source.ts";
import type { OnOddRow } from "./odd_rows.ts";

/** Bytes of text a byte of a file, on a guess for English: Zstandard's, and Snappy's in Parquet. */
const TEXT_RATIO: Readonly<Record<FileFormat, number>> = { txt: 1, jsonl: 1, "jsonl.zst": 3, parquet: 1.7 };

/**
 * Reads the files' digests and holds them against the lockfile.
 *
 * @throws {UserError} `CORPUS_EMPTY`, `DUPLICATE_SOURCE`, `DIGEST_MISMATCH`, and as {@linkcode inspectFile} throws
 */
export async function fileIngredients(
  name: CorpusName,
  paths: readonly string[],
  settings: Settings,
): Promise<Ingredients> {
  if (paths.length === 0) {
    throw new UserError(
      "CORPUS_EMPTY",
      `The ${name} corpus has no files`,
      `give some with --${name} PATH…`,
    );
  }
  // Whoever divides a data set into shards leaves some empty, and these are equal to each other.
  const files = await digestSources(name, paths, settings, inspectFile, hasNoDocument);
  return documentIngredients(name, files, settings);
}

/** Ingredients of a corpus of files whose digests are known. */
export function documentIngredients(name: CorpusName, files: readonly SourceFile[], settings: Settings): Ingredients {
  const { tokenizer, dataSeed } = settings;
  const hasValidation = files.some((file) => file.isValidation);
  const source = {
    kind: "files",
    cutting: files.some(({ format }) => format === "txt") ? CUTTING_RULE : null,
    files: files.map(({ format, isValidation, sha256 }) => ({
      format,
      isValidation,
      sha256,
    })),
  };
  const split = hasValidation ? "by file" : { validationOneIn: VALIDATION_ONE_IN };
  const [preparedDigest, digest] = corpusDigests(name, source, split, settings);
  return {
    name,
    tokenizer,
    dataSeed,
    preparedDigest,
    digest,
    sources: files.map(({ name, bytes, sha256 }) => ({ name, bytes, sha256 })),
    expected: estimate(files, hasValidation),
    sourceBytes: files.reduce((bytes, file) => bytes + file.bytes, 0),
    documents: (onBytes, onOddRow) => splitDocuments(files, hasValidation, dataSeed, onBytes, onOddRow),
  };
}

function estimate(
  files: readonly SourceFile[],
  hasValidation: boolean,
): Ingredients["expected"] {
  const bytes = { train: 0, validation: 0 };
  for (const file of files) {
    const textBytes = Math.round(TEXT_RATIO[file.format] * file.bytes);
    const validation = hasValidation ? (file.isValidation ? textBytes : 0) : Math.round(textBytes / VALIDATION_ONE_IN);
    bytes.validation += validation;
    bytes.train += textBytes - validation;
  }
  return { exact: false, bytes, documents: { train: 0, validation: 0 } };
}

async function* splitDocuments(
  files: readonly SourceFile[],
  hasValidation: boolean,
  dataSeed: number,
  onBytes: (bytes: number) => void,
  onOddRow: OnOddRow | undefined,
): AsyncGenerator<SourceDocument, void> {
  const domains = new Map<string, { readonly word: number; ordinal: number }>();
  for (const file of files) {
    for await (const { domain, text } of readDocuments(file, onBytes, onOddRow)) {
      let state = domains.get(domain);
      if (state === undefined) {
        domains.set(domain, state = { word: domainWord(domain), ordinal: 0 });
      }
      const drawn = splitOf(dataSeed, state.word, state.ordinal++);
      yield {
        domain,
        text,
        split: hasValidation ? (file.isValidation ? "validation" : "train") : drawn,
      };
    }
  }
}
