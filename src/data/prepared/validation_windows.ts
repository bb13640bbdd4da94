/** Windows of the validation split: domains blended as in training, each one's windows evenly spaced. */
import type { CorpusName } from "../../experiment/run/run.ts";
import { blendWithin } from "../blend.ts";
import type { ValidationWindows } from "../corpus.ts";
import { collectWindows, requireWhole, tooFewWindows } from "../windows.ts";
import type { WindowStream } from "./window_stream.ts";

/** A domain that validation windows are taken from. */
export interface ValidationDomain {
  readonly name: string;
  readonly validation: WindowStream;
}

/** A window of a domain. */
interface ChosenWindow {
  /** index of the domain */
  readonly domain: number;
  readonly window: number;
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
  const chosen = chooseWindows(domains, weights, windows);
  if (chosen.length < windows) throw tooFewWindows(corpus, chosen.length, sequenceLength, windows);
  return readWindows(domains, chosen, sequenceLength);
}

/** All windows, domain by domain; of more than `most` the ones that {@linkcode drawValidation} gives, in that order. */
export function wholeValidation(
  domains: readonly ValidationDomain[],
  weights: readonly number[],
  most: number,
  sequenceLength: number,
): ValidationWindows {
  requireWhole("Number of validation windows", most, 1);
  const total = domains.reduce((sum, { validation }) => sum + validation.count, 0);
  const chosen = total > most
    ? chooseWindows(domains, weights, most).sort((a, b) => a.domain - b.domain || a.window - b.window)
    : domains.flatMap(({ validation }, domain) =>
      Array.from({ length: validation.count }, (_, window) => ({ domain, window }))
    );
  return readWindows(domains, chosen, sequenceLength);
}

function chooseWindows(
  domains: readonly ValidationDomain[],
  weights: readonly number[],
  windows: number,
): ChosenWindow[] {
  const samples = blendWithin(weights, domains.map(({ validation }) => validation.count), windows);
  const asked = new Array<number>(domains.length).fill(0);
  for (const domain of samples.domains) asked[domain] = (asked[domain] ?? 0) + 1;
  return Array.from(samples.domains, (domain, i) => ({
    domain,
    // Evenly spaced, so that no window comes twice and none is preferred.
    window: Math.floor(
      (samples.indices[i] ?? 0) * domainAt(domains, domain).validation.count / (asked[domain] ?? 1),
    ),
  }));
}

function readWindows(
  domains: readonly ValidationDomain[],
  chosen: readonly ChosenWindow[],
  sequenceLength: number,
): ValidationWindows {
  const names: string[] = [];
  const batch = collectWindows(chosen.length, sequenceLength + 1, (i, into) => {
    const { domain, window } = chosen[i] ?? { domain: -1, window: 0 };
    const { name, validation } = domainAt(domains, domain);
    validation.read(window, into);
    names.push(name);
  });
  const documents = chosen.map(({ domain, window }) => domainAt(domains, domain).validation.documentAt(window));
  return { ...batch, domains: names, documents };
}

function domainAt(domains: readonly ValidationDomain[], index: number): ValidationDomain {
  const domain = domains[index];
  if (domain === undefined) throw new Error("The blend named a domain that is not there");
  return domain;
}
