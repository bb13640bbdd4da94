/** Where a corpus has less text than the runs read, and they see some of it again. */
import { ownMember } from "../digest/own_member.ts";
import type { CorpusName } from "../experiment/run/run.ts";
import type { DomainWeights } from "./options.ts";

/** Less than this share of what was wanted is not worth a word. */
const SLIGHT = 0.001;

/** A domain, or a whole corpus, that is shorter than it should be. */
export interface Shortage {
  /** which of the two */
  readonly corpus: CorpusName;
  /** the whole corpus if not given */
  readonly domain?: string;
  /** training tokens that the longest run reads, or that a domain is to be cut to */
  readonly wanted: number;
  /** training tokens that there are */
  readonly found: number;
}

/** Training tokens of a corpus as it was opened, and what is asked of it. */
export interface Supply {
  /** which of the two */
  readonly corpus: CorpusName;
  /** tokens of each domain */
  readonly domains: ReadonlyMap<string, number>;
  /** tokens of all its windows, each token once */
  readonly tokens: number;
  /** tokens that each domain is to be cut to, if any */
  readonly wantedDomains?: Readonly<Record<string, number>>;
  /** of the domains, if they are given; one of weight 0 is not read */
  readonly weights?: DomainWeights;
  /** tokens that the longest run reads, each as often as it is read; unknown if 0 */
  readonly wantedTokens: number;
}

/** The domains that are too short; or else the whole corpus, if it is. */
export function shortagesOf(supply: Supply): Shortage[] {
  const { corpus, domains, tokens, wantedDomains = {}, weights, wantedTokens } = supply;
  const isShort = ({ wanted, found }: Shortage) => found < wanted * (1 - SLIGHT);
  const short = Object.entries(wantedDomains)
    .filter(([domain]) => weights === undefined || (ownMember(weights, domain) ?? 0) > 0)
    .map(([domain, wanted]) => ({ corpus, domain, wanted, found: domains.get(domain) ?? 0 }))
    .filter(isShort);
  return short.length > 0 ? short : [{ corpus, wanted: wantedTokens, found: tokens }].filter(isShort);
}

/** A shortage in words. */
export function describeShortage({ corpus, domain, wanted, found }: Shortage): string {
  const [has, needs] = [found, wanted].map((tokens) => String(tokens).replace(/\B(?=(\d{3})+$)/g, ","));
  return domain === undefined
    ? `the ${corpus} corpus has ${has} training tokens, but the longest run reads ${needs}: some are read again`
    : `domain "${domain}" of the ${corpus} corpus has ${has} training tokens, not ${needs}: they are repeated more often`;
}
