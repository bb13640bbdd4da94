/** Curves as comma-separated values, for spreadsheets, pandas and R. */
import type { Curves } from "./curves.ts";

/** Names of the columns, units in them. */
export const CURVE_COLUMNS = [
  "run",
  "run_key",
  "step",
  "tokens",
  "learning_rate",
  "upstream_nats_per_token",
  "downstream_nats_per_token",
  "upstream_bytes_per_token",
  "downstream_bytes_per_token",
] as const;

/**
 * A line a point, in the order given; numbers in the shortest decimals that read back as the same f64.
 *
 * @see RFC 4180; its lines end with CR LF, these with LF, which every reader takes
 */
export function curvesCsv(curves: readonly Curves[]): string {
  const rows = curves.flatMap(({ label, runKey, bytesPerToken, points }) =>
    points.map(({ step, tokens, learningRate, upstream, downstream }) => [
      csvText(label),
      runKey,
      step,
      tokens,
      learningRate,
      upstream,
      downstream,
      bytesPerToken.upstream,
      bytesPerToken.downstream,
    ])
  );
  return [CURVE_COLUMNS, ...rows].map((row) => `${row.join(",")}\n`).join("");
}

/** In quotes where it must be; what a spreadsheet would take for a formula gets an apostrophe in front. */
function csvText(text: string): string {
  const inert = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}
