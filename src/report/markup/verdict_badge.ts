/** Verdicts as badges: a sign, words and a shape, so that colour is never alone. */
import type { Verdict, VerdictName } from "../../results/claims.ts";
import { html, type Markup } from "./markup.ts";

const MARKS: Readonly<Record<VerdictName, { readonly sign: string; readonly name: string }>> = {
  "reproduced": { sign: "✓", name: "reproduced" },
  "contradicted": { sign: "✕", name: "contradicted" },
  "inconclusive": { sign: "?", name: "inconclusive" },
  "not comparable": { sign: "≠", name: "not-comparable" },
};

/** A verdict's words for a reader: no stronger than what was shown. */
export function verdictInWords({ verdict, words }: Pick<Verdict, "verdict" | "words">): string {
  return words ?? verdict;
}

/** A verdict's badge. */
export function badge(verdict: Pick<Verdict, "verdict" | "words">): Markup {
  const { sign, name } = MARKS[verdict.verdict];
  return html`<span class="badge ${name}"><span aria-hidden="true">${sign}</span> ${verdictInWords(verdict)}</span>`;
}
