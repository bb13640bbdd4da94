/** Ingredients of a corpus of token rows. */
import { canonicalJson } from "../../digest/canonical_json.ts";
import { type Digest, sha256 } from "../../digest/sha256.ts";
import { UserError } from "../../errors.ts";
import type { CorpusName } from "../../experiment/run/run.ts";
import type { TokenizerDefinition } from "../../formats/bpe/tokenizer_file.ts";
import type { PerSplit } from "../domain.ts";
import type { Ingredients, Settings, SourceDigest } from "../text_ingredients.ts";
import type { DigestedFile } from "../source_files.ts";
import type { SourceFile } from "../text/file_source.ts";
import { documentIngredients } from "../text/file_sources.ts";
import { rowsIn } from "./token_rows.ts";

/** Counts changes in what the same rows give. */
const FORMAT_VERSION = 2;

/** A corpus of token rows before it is opened. */
export interface RowIngredients {
  readonly name: CorpusName;
  readonly digest: Digest;
  readonly files: readonly DigestedFile[];
  readonly sources: readonly SourceDigest[];
  readonly rowTokens: number;
  /** training rows first, validation rows at the end; none of those where documents stand for them */
  readonly rows: PerSplit;
  /** documents of another dataset, all of which are for validation */
  readonly validation?: Ingredients;
  readonly tokenizer: TokenizerDefinition;
}

/**
 * Ingredients of a corpus of files that were downloaded.
 *
 * @param tokens that are to be read, of which those of the validation are held back at the end
 * @param held files of another dataset, whose documents stand for the validation; none if rows are to be held back
 * @throws {UserError} `CORPUS_TOO_SHORT`
 */
export function rowIngredients(
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
    format: FORMAT_VERSION,
    source: { kind: "token rows", files: files.map(({ sha256 }) => sha256) },
    rowTokens,
    rows,
    validation: apart?.digest,
  };
  return {
    name,
    digest: sha256(canonicalJson(specification)),
    files,
    sources: [...files, ...held].map(({ name, bytes, sha256 }) => ({ name, bytes, sha256 })),
    rowTokens,
    rows,
    validation: apart,
    tokenizer: tokenizer.source.definition,
  };
}
