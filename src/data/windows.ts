/** What every kind of corpus does with windows: it counts them, puts them together, and checks what it is asked for. */
import { sha256 } from "../digest/sha256.ts";
import { UserError } from "../errors.ts";
import type { CorpusName } from "../experiment/run/run.ts";
import type { Batch } from "./corpus.ts";
import { tokenBytes } from "../formats/megatron/dataset.ts";

/** Windows of `sequenceLength + 1` tokens at stride `sequenceLength` in a stream. */
export function windowsIn(tokens: number, sequenceLength: number): number {
  return Math.max(0, Math.floor((tokens - 1) / sequenceLength));
}

/**
 * Windows in one array, with its digest.
 *
 * @param windowTokens tokens of each, T + 1
 * @param read fills `into`, shape (windowTokens), with the i-th window
 */
export function collectWindows(
  windows: number,
  windowTokens: number,
  read: (i: number, into: Uint16Array) => void,
): Batch {
  const tokens = new Uint16Array(windows * windowTokens);
  for (let i = 0; i < windows; i++) read(i, tokens.subarray(i * windowTokens, (i + 1) * windowTokens));
  return { tokens, sequences: windows, digest: sha256(tokenBytes(tokens)) };
}

/** @throws {RangeError} if a number that a caller gave is not whole or is too small */
export function requireWhole(what: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new RangeError(`${what} is ${value}, expected a whole number of at least ${least}`);
}

/** `TOO_FEW_VALIDATION_WINDOWS`: a corpus has not as many as are asked for. */
export function tooFewWindows(corpus: CorpusName, found: number, sequenceLength: number, asked: number): UserError {
  return new UserError(
    "TOO_FEW_VALIDATION_WINDOWS",
    `The ${corpus} corpus has ${found} validation windows of ${sequenceLength + 1} tokens, but ${asked} are asked for`,
    "ask for fewer (--evaluation-windows in a plan, --windows of evaluate), or give more validation text",
  );
}
