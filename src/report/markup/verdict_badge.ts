/** Verdicts as badges: a sign and a word, so that colour is never alone. */
import type { VerdictName } from "../../results/claims.ts";
import { html, type Markup } from "./markup.ts";

const MARKS: Readonly<Record<VerdictName, { readonly sign: string; readonly name: string }>> = {
  "reproduced": { sign: "✓", name: "reproduced" },
  "contradicted": { sign: "✕", name: "contradicted" },
  "inconclusive": { sign: "?", name: "inconclusive" },
  "not comparable": { sign: "≠", name: "not-comparable" },
};

/** A verdict's sign, and its name as a CSS class. */
export function verdictMark(verdict: VerdictName): { readonly sign: string; readonly name: string } {
  return MARKS[verdict];
}

/** A verdict's badge. */
export function badge(verdict: VerdictName): Markup {
  const { sign, name } = MARKS[verdict];
  return html`<span class="badge ${name}"><span aria-hidden="true">${sign}</span> ${verdict}</span>`;
}
