/** What the manifest says of its corpora, against what curves and runs have of them. Web-standard APIs only. */
import { ownMember } from "../../digest/own_member.ts";
import { printable } from "../../files/safe_name.ts";
import type { Curves } from "../../results/curves.ts";
import type { CorpusFacts, Predicate } from "../format/predicate.ts";

const CORPORA = ["upstream", "downstream"] as const;
const UNITS = ["documents", "tokens", "bytes", "windows"] as const;
/** By how much shares, rounded to f64 each, may miss 1 together. */
const ROUNDING = 1e-6;

/** Why the summaries cannot be those of corpora; `undefined` if they can. Version 1 left their members open. */
export function summariesFlaw({ corpora, data }: Predicate): string | undefined {
  if (data === undefined) return undefined;
  const { upstream, downstream, mixes = {} } = corpora;
  const all = Object.entries({ upstream, downstream }).map(([name, facts]) => [`${name} corpus`, facts] as const);
  const ofMixes = Object.entries(mixes).map(([mix, facts]) => [`mix "${printable(mix)}"`, facts] as const);
  for (const [name, facts] of [...all, ...ofMixes]) {
    const flaw = summaryFlaw(facts);
    if (flaw !== undefined) return `the summary of the ${name} ${flaw}`;
  }
  return undefined;
}

function summaryFlaw({ summary }: CorpusFacts): string | undefined {
  const facts = new Map(Object.entries(summary));
  for (const unit of UNITS) {
    for (const split of ["train", "validation"]) {
      const text = facts.get(`${split} ${unit}`);
      facts.delete(`${split} ${unit}`);
      if (text === undefined || !/^(0|[1-9]\d{0,15})$/.test(text)) return `has no count of its ${split} ${unit}`;
    }
  }
  let total = 0;
  for (const [name, text] of facts) {
    const share = Number(text);
    if (!name.startsWith("share of ") || text.trim() === "" || !(share >= 0 && share <= 1)) {
      return `has a member of another kind`;
    }
    total += share;
  }
  return facts.size === 0 || Math.abs(total - 1) < ROUNDING ? undefined : `has shares that make ${total} together`;
}

/** Why the curves cannot be those of the corpora as they are summed up; `undefined` if they can. */
export function ratioFlaw({ corpora, runs }: Predicate, curves: readonly Curves[]): string | undefined {
  const mixOf = new Map(runs.map(({ key, specification: { corpus } }) => [`${key}`, corpus.mix]));
  for (const name of CORPORA) {
    for (const { label, runKey, bytesPerToken } of curves) {
      const mix = name === "downstream" ? mixOf.get(runKey) : undefined;
      const facts = mix === undefined ? corpora[name] : ownMember(corpora.mixes ?? {}, mix);
      const { "validation bytes": bytes, "validation tokens": tokens } = facts?.summary ?? {};
      if (bytes === undefined || tokens === undefined) continue;
      const ratio = Number(bytes) / Number(tokens);
      if (bytesPerToken[name] !== ratio) {
        return `curve of run "${label}": it has ${bytesPerToken[name]} bytes a token of the ${name} corpus, and its ` +
          `summary gives ${ratio}`;
      }
    }
  }
  return undefined;
}
