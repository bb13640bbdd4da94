/** What a reproduction that is signed prints at its end. */
import type { Reproduction } from "../reproduce/options.ts";
import { formatEstimates } from "../results/estimates/format_estimates.ts";
import { formatClaims } from "../results/format_claims.ts";
import { isTerminal, print } from "../terminal.ts";
import { formatSeconds } from "../text/numbers.ts";

/** Claims, and where report and manifest are. */
export function showReproduction(
  { verdicts, estimates, manifestPath, reportPath, results }: Reproduction,
  seconds: number,
): void {
  const color = isTerminal("stdout") && Deno.env.get("NO_COLOR") === undefined;
  print(`\n${formatClaims(verdicts, { color })}`, { colours: color });
  if (estimates.length > 0) print(formatEstimates(estimates));
  print(`${results.length} runs in ${formatSeconds(seconds)}`);
  print(`report    ${reportPath}`);
  print(`manifest  ${manifestPath}`);
  print(`check it: deno task verify ${manifestPath}`);
}
