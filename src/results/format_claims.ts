/** Verdicts as a table for terminals. */
import { type Verdict, VERDICT_NAMES, type VerdictName } from "./claims.ts";

/** How a table of claims is laid out. */
export interface ClaimsFormat {
  /** ANSI colours; off by default */
  readonly color?: boolean;
  /** columns of the terminal, 100 by default; at least 60 are used */
  readonly width?: number;
}

const COLORS: Readonly<Record<VerdictName, string>> = {
  reproduced: "32",
  contradicted: "31",
  inconclusive: "33",
  "not comparable": "90",
};

const VERDICT_WIDTH = 14;
const SECTION_WIDTH = 4;
const GAP = "  ";

/** Lines of at most `width` characters, broken between words; longer words are cut. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (let word of text.split(/\s+/).filter((word) => word !== "")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = "";
    }
    for (; word.length > width; word = word.slice(width)) lines.push(word.slice(0, width));
    line = line === "" ? word : `${line} ${word}`;
  }
  if (line !== "" || lines.length === 0) lines.push(line);
  return lines;
}

/**
 * A table of verdicts: verdict, section, claim, numbers; then totals, and for every claim that was not reproduced
 * though it could be compared the reason.
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
  const width = Math.max(60, format.width ?? 100);
  const paint = (code: string, text: string) => format.color === true ? `\x1b[${code}m${text}\x1b[0m` : text;
  const rest = width - VERDICT_WIDTH - SECTION_WIDTH - 3 * GAP.length;
  const claimWidth = Math.floor(rest / 2);
  const numbersWidth = rest - claimWidth;
  const row = (verdict: string, section: string, claim: string, numbers: string) =>
    [verdict, section.padEnd(SECTION_WIDTH), claim.padEnd(claimWidth), numbers].join(GAP).trimEnd();

  const lines = [
    paint("1", row("Verdict".padEnd(VERDICT_WIDTH), "§", "Claim", "What our runs show (loss in nats)")),
    "─".repeat(width),
  ];
  for (const { verdict, section, title, summary } of verdicts) {
    const claim = wrap(title, claimWidth), numbers = wrap(summary, numbersWidth);
    for (let i = 0; i < Math.max(claim.length, numbers.length); i++) {
      const first = i === 0;
      const name = (first ? verdict : "").padEnd(VERDICT_WIDTH);
      lines.push(
        row(first ? paint(COLORS[verdict], name) : name, first ? section : "", claim[i] ?? "", numbers[i] ?? ""),
      );
    }
  }
  lines.push("─".repeat(width));
  const counts = VERDICT_NAMES.map((name) => ({ name, count: verdicts.filter((v) => v.verdict === name).length }));
  lines.push(
    `${verdicts.length} ${verdicts.length === 1 ? "claim" : "claims"}: ` +
      counts.map(({ name, count }) => paint(COLORS[name], `${count} ${name}`)).join(", "),
  );
  const explained = verdicts.filter((v) => v.verdict === "contradicted" || v.verdict === "inconclusive");
  if (explained.length > 0) lines.push("", paint("1", "Why"));
  for (const { verdict, title, reason } of explained) {
    const [head, ...tail] = wrap(`${title}: ${reason}`, width - 4);
    lines.push(`${paint(COLORS[verdict], verdict === "contradicted" ? "  ✗" : "  ?")} ${head}`);
    lines.push(...tail.map((line) => `    ${line}`));
  }
  return `${lines.join("\n")}\n`;
}
