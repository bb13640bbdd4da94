/** The scales beside the criteria of docs/scales.md, as a table of the documentation. */
import { textSupply } from "../src/data/text_supply.ts";
import { listScales, loadScale } from "../src/experiment/catalogue.ts";
import { formatBounds, formatRatio, type JudgedCriterion, scaleCriteria } from "../src/experiment/scale/criteria.ts";
import { parameterCount } from "../src/model/config.ts";

/** Scales with their criteria, the smallest model first. */
const JUDGED = await Promise.all((await listScales()).map(async (name) => {
  const scale = await loadScale(name);
  return {
    name,
    parameters: parameterCount(scale.model.config),
    criteria: scaleCriteria(scale, await textSupply(scale)),
  };
}));
JUDGED.sort((a, b) => a.parameters - b.parameters);

/** A criterion a row, a scale a column; what misses its bounds in bold. */
export function criteriaTable(): string {
  const head = ["criterion", "bounds", "the paper's", ...JUDGED.map(({ name }) => `\`${name}\``)];
  const rows = (JUDGED[0]?.criteria ?? []).map(({ name, paper, bounds }, row) => [
    name,
    formatBounds(bounds),
    paper === undefined ? "not stated" : formatRatio(paper),
    ...JUDGED.map(({ criteria }) => cell(criteria[row])),
  ]);
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function cell(criterion: JudgedCriterion | undefined): string {
  if (criterion?.ours === undefined) return "–";
  const text = formatRatio(criterion.ours);
  return criterion.holds === false ? `**${text}**` : text;
}
