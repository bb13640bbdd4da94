/** The paper's downstream mixture: how much of each of SlimPajama's domains there is, and how often it comes. */
import { suggest, UserError } from "../errors.ts";
import type { Scale } from "../experiment/scale/scale.ts";
import { tokensNeeded } from "./tokens_needed.ts";

/** The dataset's name on the hub. */
export const SLIMPAJAMA = "cerebras/SlimPajama-627B";

/** A row of the paper's table. */
interface Domain {
  /** percent of the samples, in training and in validation */
  readonly weight: number;
  /** training tokens of the paper's sub-sample */
  readonly tokens: number;
}

/** By `meta.redpajama_set_name`; arXiv 2308.04014, Table 1. */
const TABLE_1: Readonly<Record<string, Domain>> = {
  RedPajamaStackExchange: { weight: 2, tokens: 9.95e9 },
  RedPajamaArXiv: { weight: 2.5, tokens: 13.77e9 },
  RedPajamaWikipedia: { weight: 4.5, tokens: 11.78e9 },
  RedPajamaBook: { weight: 4.5, tokens: 14.22e9 },
  RedPajamaGithub: { weight: 4.5, tokens: 15.41e9 },
  RedPajamaC4: { weight: 15, tokens: 78.49e9 },
  RedPajamaCommonCrawl: { weight: 67, tokens: 153.25e9 },
};
/** Training tokens of the paper's sub-sample, and what its longest run reads of it. */
const PAPER_TOKENS = Object.values(TABLE_1).reduce((sum, { tokens }) => sum + tokens, 0);

/**
 * Weights of the domains, as the paper samples them.
 *
 * @param leftOut domains that are not drawn from; the others keep their proportions
 * @throws {UserError} `UNKNOWN_DOMAIN`
 */
export function slimPajamaWeights(leftOut: readonly string[] = []): Readonly<Record<string, number>> {
  for (const name of leftOut) {
    if (!Object.hasOwn(TABLE_1, name)) {
      throw new UserError("UNKNOWN_DOMAIN", `SlimPajama has no domain "${name}"`, suggest(name, Object.keys(TABLE_1)));
    }
  }
  return Object.fromEntries(
    Object.entries(TABLE_1).map(([name, { weight }]) => [name, leftOut.includes(name) ? 0 : weight]),
  );
}

/** Training tokens of each domain at a scale: the paper's, in the proportion of the longest runs. */
export function slimPajamaTokens(scale: Scale): Readonly<Record<string, number>> {
  const share = tokensNeeded(scale, "downstream").train / PAPER_TOKENS;
  return Object.fromEntries(
    Object.entries(TABLE_1).map(([name, { tokens }]) => [name, Math.round(share * tokens)]),
  );
}
