/** What a reproduction that is signed prints at its end. */
import { compareWithEvidence, evidenceLine } from "../reproduce/published_evidence.ts";
import type { Reproduction } from "../reproduce/options.ts";
import { formatEstimates } from "../results/estimates/format_estimates.ts";
import { formatClaims } from "../results/format_claims.ts";
import { isTerminal, print } from "../terminal.ts";
import { counted, formatSeconds } from "../text/numbers.ts";
import { projectPath } from "./user_path.ts";

/** Claims, where report and manifest are, and how the runs compare with those that are published. */
export async function showReproduction(
  { plan, verdicts, estimates, manifestPath, reportPath, results }: Reproduction,
  seconds: number,
): Promise<void> {
  const color = isTerminal("stdout") && Deno.env.get("NO_COLOR") === undefined;
  print(`\n${formatClaims(verdicts, { color })}`, { colours: color });
  if (estimates.length > 0) print(formatEstimates(estimates));
  print(`${counted(results.length, "run")} in ${formatSeconds(seconds)}`);
  print(`report    ${reportPath}`);
  print(`manifest  ${manifestPath}`);
  const records = results.flatMap((result) => result.kind === "trained" ? [result.record] : []);
  const comparison = await compareWithEvidence(projectPath("evidence"), plan.scale.name, records);
  if (comparison !== undefined) print(evidenceLine(comparison, manifestPath));
  print(`check it: deno task verify ${manifestPath}`);
}
