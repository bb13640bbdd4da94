/** Windows of the validation split: domains blended as in training, each one's windows evenly spaced. */
import { sha256 } from "../digest/sha256.ts";
import { UserError } from "../errors.ts";
import type { CorpusName } from "../experiment/run.ts";
import { blendWithin } from "./blend.ts";
import type { ValidationWindows } from "./corpus.ts";
import { tokenBytes } from "./megatron.ts";
import type { WindowStream } from "./window_stream.ts";

/** A domain that validation windows are taken from. */
export interface ValidationDomain {
  readonly name: string;
  readonly validation: WindowStream;
}

/**
 * Fixed windows, always the same ones in the same order. A domain that has no more of them stands aside.
 *
 * @param weights of the domains
 * @throws {UserError} `TOO_FEW_VALIDATION_WINDOWS`
 */
export function drawValidation(
  corpus: CorpusName,
  domains: readonly ValidationDomain[],
  weights: readonly number[],
  windows: number,
  sequenceLength: number,
): ValidationWindows {
  if (!Number.isSafeInteger(windows) || windows < 1) {
    throw new RangeError(`Number of validation windows is ${windows}, expected a whole number of at least 1`);
  }
  const samples = blendWithin(weights, domains.map(({ validation }) => validation.count), windows);
  if (samples.domains.length < windows) {
    throw new UserError(
      "TOO_FEW_VALIDATION_WINDOWS",
      `The ${corpus} corpus has ${samples.domains.length} validation windows of ${sequenceLength + 1} ` +
        `tokens, but ${windows} are asked for`,
      "ask for fewer, or give more validation text",
    );
  }
  const asked = new Array<number>(domains.length).fill(0);
  for (const domain of samples.domains) asked[domain] = (asked[domain] ?? 0) + 1;
  const length = sequenceLength + 1;
  const tokens = new Uint16Array(windows * length);
  const names: string[] = [];
  for (let i = 0; i < windows; i++) {
    const index = samples.domains[i] ?? 0;
    const domain = domains[index];
    if (domain === undefined) throw new Error("The blend named a domain that is not there");
    // Evenly spaced, so that no window comes twice and none is preferred.
    const window = Math.floor((samples.indices[i] ?? 0) * domain.validation.count / (asked[index] ?? 1));
    domain.validation.read(window, tokens.subarray(i * length, (i + 1) * length));
    names.push(domain.name);
  }
  return { tokens, sequences: windows, digest: sha256(tokenBytes(tokens)), domains: names };
}
