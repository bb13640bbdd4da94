/** How much of a batch each domain gives. */
import { ownMember } from "../digest/own_member.ts";
import { suggest, UserError } from "../errors.ts";
import type { CorpusName } from "../experiment/run/run.ts";
import type { DomainWeights } from "./options.ts";

/**
 * The weight of each domain that a corpus really has.
 *
 * @param domains names and training tokens; only those that give at least one window
 * @throws {UserError} if given weights do not fit the domains
 */
export function domainWeights(
  name: CorpusName,
  given: DomainWeights | undefined,
  domains: readonly { readonly name: string; readonly tokens: number }[],
): number[] {
  if (given === undefined) return domains.map(({ tokens }) => tokens);
  const known = domains.map((domain) => domain.name);
  for (const [domain, weight] of Object.entries(given)) {
    if (!known.includes(domain)) {
      throw new UserError(
        "UNKNOWN_DOMAIN",
        `The ${name} corpus has no domain "${domain}" that fills a window`,
        suggest(domain, known),
      );
    }
    if (!(weight >= 0 && Number.isFinite(weight))) {
      throw new UserError(
        "INVALID_WEIGHT",
        `Weight of the domain "${domain}" is ${weight}`,
        "give a number from 0 on",
      );
    }
  }
  const weights = known.map((domain) => ownMember(given, domain));
  const missing = known.filter((_, i) => weights[i] === undefined);
  if (missing.length > 0) {
    throw new UserError(
      "MISSING_WEIGHT",
      `The ${name} corpus has the domain "${missing[0]}", but no weight is given for it`,
      "give every domain a weight, 0 to leave it out",
    );
  }
  if (weights.every((weight) => weight === 0)) {
    throw new UserError(
      "INVALID_WEIGHT",
      `All domains of the ${name} corpus have weight 0`,
      "give one of them more",
    );
  }
  return weights.map((weight) => weight ?? 0);
}
