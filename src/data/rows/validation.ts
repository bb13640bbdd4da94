/** Where a corpus of token rows has its validation windows from: rows held back, or the documents of another dataset. */
import { UserError } from "../../errors.ts";
import type { CorpusName } from "../../experiment/run/run.ts";
import { tokenByteLengths } from "../../formats/bpe/token_lengths.ts";
import type { TokenizerDefinition } from "../../formats/bpe/tokenizer_file.ts";
import type { ValidationWindows } from "../corpus.ts";
import { UNNAMED_DOMAIN } from "../domain.ts";
import type { PreparedFolder } from "../prepared/cache.ts";
import { drawValidation, wholeValidation } from "../prepared/validation_windows.ts";
import { WindowStream } from "../prepared/window_stream.ts";
import { collectWindows } from "../windows.ts";
import type { TokenRows } from "./token_rows.ts";

/** Validation windows and their counts. Close it. */
export interface RowValidation {
  readonly documents: number;
  readonly tokens: number;
  /** UTF-8 bytes of the text */
  readonly bytes: number;
  readonly windows: number;
  /** @throws {UserError} `TOO_FEW_VALIDATION_WINDOWS` */
  draw(windows: number): ValidationWindows;
  /** All windows with their documents, or evenly spaced ones if there are more than `most`. */
  whole(most: number): ValidationWindows;
  close(): void;
}

/**
 * Rows from one on, evenly spaced.
 *
 * @throws {UserError} `UNKNOWN_TOKEN` if they are of another tokenizer
 */
export function heldBackRows(
  corpus: CorpusName,
  rows: TokenRows,
  first: number,
  count: number,
  tokenizer: TokenizerDefinition,
): RowValidation {
  const { rowTokens } = rows;
  const spaced = (windows: number) => Array.from({ length: windows }, (_, i) => Math.floor(i * count / windows));
  const read = (chosen: readonly number[]): ValidationWindows => ({
    ...collectWindows(chosen.length, rowTokens, (i, into) => rows.read(first + (chosen[i] ?? 0), into)),
    domains: chosen.map(() => UNNAMED_DOMAIN),
    // Where a document begins in a row is not known: each row counts as one.
    documents: chosen,
  });
  return {
    documents: count,
    tokens: count * rowTokens,
    bytes: textBytes(corpus, rows, first, count, tokenizer),
    windows: count,
    draw: (windows) => {
      if (windows > count) {
        throw new UserError(
          "TOO_FEW_VALIDATION_WINDOWS",
          `The ${corpus} corpus has ${count} validation rows, but ${windows} are asked for`,
          "ask for fewer (--evaluation-windows in a plan, --windows of evaluate)",
        );
      }
      return read(spaced(windows));
    },
    whole: (most) => read(spaced(Math.min(most, count))),
    close: () => {},
  };
}

/** UTF-8 bytes of some rows' text. */
function textBytes(
  corpus: CorpusName,
  rows: TokenRows,
  first: number,
  count: number,
  tokenizer: TokenizerDefinition,
): number {
  const lengths = tokenByteLengths(tokenizer);
  const row = new Uint16Array(rows.rowTokens);
  let bytes = 0;
  for (let i = 0; i < count; i++) {
    rows.read(first + i, row);
    for (const token of row) {
      const length = lengths[token];
      if (length === undefined) {
        throw new UserError(
          "UNKNOWN_TOKEN",
          `Row ${first + i} of the ${corpus} corpus has the token ${token}, and the tokenizer has ${lengths.length}`,
          "give the tokenizer that the rows were made with: GPT-NeoX-20B's for Pythia's",
        );
      }
      bytes += length;
    }
  }
  return bytes;
}

/**
 * Documents that were prepared, their domains in the proportion of their tokens.
 *
 * @throws {UserError} `CORPUS_TOO_SHORT`
 */
export function preparedValidation(
  corpus: CorpusName,
  { folder, manifest }: PreparedFolder,
  sequenceLength: number,
): RowValidation {
  const opened = manifest.domains.map(({ name, validation: split }) => ({
    name,
    split,
    validation: new WindowStream(folder, split, split.tokens, sequenceLength),
  }));
  const close = () => opened.forEach(({ validation }) => validation.close());
  // A domain shorter than a window cannot be drawn from.
  const usable = opened.filter(({ validation }) => validation.count > 0);
  const sum = (of: "documents" | "tokens" | "textBytes") => usable.reduce((total, { split }) => total + split[of], 0);
  if (usable.length === 0) {
    close();
    throw new UserError(
      "CORPUS_TOO_SHORT",
      `The ${corpus} corpus has no validation window of ${sequenceLength + 1} tokens`,
      "take a dataset with more text",
    );
  }
  const weights = usable.map(({ split }) => split.tokens);
  return {
    documents: sum("documents"),
    tokens: sum("tokens"),
    bytes: sum("textBytes"),
    windows: usable.reduce((total, { validation }) => total + validation.count, 0),
    draw: (windows) => drawValidation(corpus, usable, weights, windows, sequenceLength),
    whole: (most) => wholeValidation(usable, weights, most, sequenceLength),
    close,
  };
}
