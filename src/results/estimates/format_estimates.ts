/** Estimates as a table for terminals. */
import { visible } from "../../files/safe_name.ts";
import { decimal } from "../contrast.ts";
import type { Estimate, EstimateRow } from "./estimate.ts";
import type { EstimateUnit } from "./measure_kind.ts";

/** How numbers of a unit are shown: their factor, decimals and sign. */
const SHOWN: Readonly<Record<EstimateUnit, readonly [factor: number, digits: number, sign: string]>> = {
  "share of loss": [100, 2, " %"],
  "share": [100, 1, " %"],
  "B tokens": [1, 1, "B tokens"],
  "squared share of loss": [10_000, 1, " %²"],
};

/**
 * What was estimated: a line for each number, with its intervals, below its question; nothing where nothing was.
 *
 * @returns lines joined by newlines, with a final one
 */
export function formatEstimates(estimates: readonly Estimate[]): string {
  return estimates.map((estimate) => {
    const lines = estimate.missing === undefined
      ? estimate.numbers.map((row) => `  ${visible(row.label)}: ${numberInWords(row)}`)
      : [`  no numbers: ${visible(estimate.missing)}`];
    return [visible(estimate.title), ...lines, ""].join("\n");
  }).join("");
}

/** `71.2 %, 68.0 to 74.4 over 3 seeds`. */
export function numberInWords({ unit, value, atLeast, intervals }: EstimateRow): string {
  const [factor, digits, sign] = SHOWN[unit];
  const shown = (text: string) => decimal(Number(text) * factor, digits);
  const around = intervals.map(({ over, count, low, high }) =>
    `, ${shown(low)} to ${shown(high)} over ${count} ${over}`
  );
  const unknown = intervals.length === 0 ? ", no error known" : "";
  return `${atLeast === true ? "at least " : ""}${shown(value)}${sign}${around.join("")}${unknown}`;
}
