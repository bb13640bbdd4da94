/** Verdicts as a table for terminals. */
import { visible } from "../files/safe_name.ts";
import type { Verdict, VerdictName } from "./claims.ts";
import { tally } from "./judging/words.ts";

/** How a table of claims is laid out. */
export interface ClaimsFormat {
  /** ANSI colours; off by default */
  readonly color?: boolean;
  /** columns of the terminal, 100 by default; at least 80 are used */
  readonly width?: number;
}

const COLORS: Readonly<Record<VerdictName, string>> = {
  reproduced: "32",
  contradicted: "31",
  inconclusive: "33",
  "not comparable": "90",
};

const VERDICT_WIDTH = 14;
const WORDS_WIDTH = 17;
const SECTION_WIDTH = 4;
const GAP = "  ";

/** A character that stands for a space at which no line is broken. */
const GLUE = "\u00a0";

/** Lines of at most `width` characters, broken between words but not before a number; longer words are cut. */
function wrap(text: string, width: number): string[] {
  const glued = visible(text).replace(/ (?=\d[\d.]*(?:[,;]|$))/g, GLUE);
  const lines: string[] = [];
  let line = "";
  for (let word of glued.split(" ").filter((word) => word !== "")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = "";
    }
    for (; word.length > width; word = word.slice(width)) lines.push(word.slice(0, width));
    line = line === "" ? word : `${line} ${word}`;
  }
  if (line !== "" || lines.length === 0) lines.push(line);
  return lines.map((line) => line.replaceAll(GLUE, " "));
}

/**
 * A table of verdicts: verdict, section, claim, numbers; then totals, the reason of every claim that could be compared
 * and was not reproduced, and once each why others could not be compared.
 *
 * @returns lines joined by newlines, with a final one
 *
 * @example
 * ```ts
 * import { formatClaims } from "./format_claims.ts";
 *
 * console.log(formatClaims([])); // a head and "0 claims"
 * ```
 */
export function formatClaims(verdicts: readonly Verdict[], format: ClaimsFormat = {}): string {
  const width = Math.max(80, format.width ?? 100);
  const paint = (code: string, text: string) => format.color === true ? `\x1b[${code}m${text}\x1b[0m` : text;
  const verdictWidth = verdicts.some(({ words }) => words !== undefined) ? WORDS_WIDTH : VERDICT_WIDTH;
  const rest = width - verdictWidth - SECTION_WIDTH - 3 * GAP.length;
  const claimWidth = Math.floor(rest / 2);
  const numbersWidth = rest - claimWidth;
  const row = (code: string, verdict: string, section: string, claim: string, numbers: string): string[] => {
    const claims = wrap(claim, claimWidth), shown = wrap(numbers, numbersWidth), names = wrap(verdict, verdictWidth);
    return Array.from({ length: Math.max(claims.length, shown.length, names.length) }, (_, line) => {
      const [name, place] = [names[line] ?? "", line === 0 ? section : ""];
      const cells = [visible(place).padEnd(SECTION_WIDTH), (claims[line] ?? "").padEnd(claimWidth), shown[line] ?? ""];
      const first = name.padEnd(verdictWidth);
      return [name === "" ? first : paint(code, first), ...cells].join(GAP).trimEnd();
    });
  };

  const lines = [
    ...row("1", "Verdict", "§", "Claim", "What our runs show (loss in nats)"),
    "─".repeat(width),
    ...verdicts.flatMap(({ verdict, words, section, title, summary }) =>
      row(COLORS[verdict], words ?? verdict, section, title, summary)
    ),
    "─".repeat(width),
    tally(verdicts, (name, text) => paint(COLORS[name], text)),
  ];
  const explained = verdicts.filter((v) => v.verdict === "contradicted" || v.verdict === "inconclusive");
  if (explained.length > 0) lines.push("", paint("1", "Why"));
  for (const { verdict, title, reason } of explained) {
    const [head, ...tail] = wrap(`${title}: ${reason}`, width - 4);
    lines.push(`${paint(COLORS[verdict], verdict === "contradicted" ? "  ✗" : "  ?")} ${head}`);
    lines.push(...tail.map((line) => `    ${line}`));
  }
  const reasons = new Map<string, number>();
  for (const { verdict, words, reason } of verdicts) {
    if (verdict === "not comparable" && words !== undefined) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  if (reasons.size > 0) lines.push("", paint("1", "Not compared"));
  for (const [reason, count] of reasons) {
    const why = reason.replace("Not comparable: ", "");
    const [head, ...tail] = wrap(`${count} ${count === 1 ? "claim" : "claims"}: ${why}`, width - 4);
    lines.push(`${paint(COLORS["not comparable"], "  –")} ${head}`, ...tail.map((line) => `    ${line}`));
  }
  return `${lines.join("\n")}\n`;
}
