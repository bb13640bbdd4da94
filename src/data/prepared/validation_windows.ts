/** Windows of the validation split: domains blended as in training, each one's windows evenly spaced. */
import type { CorpusName } from "../../experiment/run.ts";
import { blendWithin } from "../blend.ts";
import type { ValidationWindows } from "../corpus.ts";
import { collectWindows, requireWhole, tooFewWindows } from "../windows.ts";
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
  requireWhole("Number of validation windows", windows, 1);
  const samples = blendWithin(weights, domains.map(({ validation }) => validation.count), windows);
  if (samples.domains.length < windows) throw tooFewWindows(corpus, samples.domains.length, sequenceLength, windows);
  const asked = new Array<number>(domains.length).fill(0);
  for (const domain of samples.domains) asked[domain] = (asked[domain] ?? 0) + 1;
  const names: string[] = [];
  const batch = collectWindows(windows, sequenceLength + 1, (i, into) => {
    const index = samples.domains[i] ?? 0;
    const domain = domains[index];
    if (domain === undefined) throw new Error("The blend named a domain that is not there");
    // Evenly spaced, so that no window comes twice and none is preferred.
    const window = Math.floor((samples.indices[i] ?? 0) * domain.validation.count / (asked[index] ?? 1));
    domain.validation.read(window, into);
    names.push(domain.name);
  });
  return { ...batch, domains: names };
}
