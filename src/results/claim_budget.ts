/**
 * What the evidence for each claim costs, and which claims a budget pays for. Claims share runs: once a run is paid for,
 * the next claim that reads it costs less.
 */
import { runCost } from "../experiment/plan/cost.ts";
import { findRun, type Plan } from "../experiment/plan/plan.ts";
import { groupedNumber } from "../text/numbers.ts";
import type { RunKey } from "../experiment/run/run.ts";
import { gpuPrice, isPretraining, type PriceOptions } from "../experiment/plan/price.ts";
import type { Claim } from "./claim_schema.ts";
import type { Paper } from "./paper_schema.ts";
import { runsOf } from "./rule_schema.ts";

/** A claim in the order in which it should be bought. */
export interface BudgetedClaim {
  readonly id: string;
  readonly title: string;
  /** arms that its rule reads, as `experiment/arm` */
  readonly arms: readonly string[];
  /** what its evidence costs on top of the claims before it, dollars */
  readonly dollars: number;
  /** with all claims before it, dollars */
  readonly total: number;
  /** whether that is within the budget */
  readonly affordable: boolean;
}

/** Optimizer steps of each run that some arms read. */
type Reading = ReadonlyMap<RunKey, number>;

/** Steps that a claim's rule makes necessary; undefined if the plan does not hold all of its arms. */
function readingOf(plan: Plan, claim: Claim): Reading | undefined {
  const steps = new Map<RunKey, number>();
  for (const name of runsOf(claim.rule)) {
    const [experiment = "", arm = ""] = name.split("/");
    const run = findRun(plan, experiment, arm);
    const use = run?.usedBy.find((reference) => reference.experiment === experiment && reference.arm === arm);
    if (run === undefined || use === undefined) return undefined;
    if (isPretraining(run)) continue;
    steps.set(run.key, Math.max(steps.get(run.key) ?? 0, use.steps));
  }
  return steps;
}

/**
 * Orders claims by what each costs after the ones before it, the cheapest next; those that the plan's scale cannot judge
 * are left out. Pre-training is not counted: at the paper's scale its checkpoints are public.
 *
 * @param dollars the budget
 */
export function budgetClaims(paper: Paper, plan: Plan, price: PriceOptions, dollars: number): BudgetedClaim[] {
  const runs = new Map(plan.runs.map((run) => [run.key, run]));
  const paid = new Map<RunKey, number>();
  const counted = new Map<string, number>();
  const flopsOf = (key: RunKey, steps: number): number => {
    const run = runs.get(key);
    if (run === undefined || steps === 0) return 0;
    const flops = counted.get(`${key} ${steps}`) ?? runCost({ ...run, steps }).flops;
    counted.set(`${key} ${steps}`, flops);
    return flops;
  };
  const costOf = (reading: Reading): number => {
    let flops = 0;
    for (const [key, steps] of reading) {
      const before = paid.get(key) ?? 0;
      if (steps > before) flops += flopsOf(key, steps) - flopsOf(key, before);
    }
    return gpuPrice(flops, price).dollars;
  };
  const isJudged = ({ comparable }: Claim) => comparable !== "paper-scale" || plan.scale.name === "paper";
  let open = paper.claims.filter(isJudged).flatMap((claim) => {
    const reading = readingOf(plan, claim);
    return reading === undefined ? [] : [{ claim, reading }];
  });
  const ordered: BudgetedClaim[] = [];
  let total = 0;
  while (open.length > 0) {
    const priced = open.map((entry) => ({ ...entry, cost: costOf(entry.reading) }));
    const next = priced.reduce((cheapest, entry) => entry.cost < cheapest.cost ? entry : cheapest);
    total += next.cost;
    const { id, title, rule } = next.claim;
    ordered.push({
      id,
      title,
      arms: [...new Set(runsOf(rule))],
      dollars: next.cost,
      total,
      affordable: total <= dollars,
    });
    for (const [key, steps] of next.reading) paid.set(key, Math.max(paid.get(key) ?? 0, steps));
    open = open.filter(({ claim }) => claim !== next.claim);
  }
  return ordered;
}

/** The proposal as lines of text, with the option that carries it out. */
export function formatBudget(claims: readonly BudgetedClaim[], dollars: number): string {
  const money = (value: number) => `$${value > 0 && value < 9.995 ? value.toFixed(2) : groupedNumber(value)}`;
  const rows = claims.map(({ title, dollars: own, total, affordable }) => [
    affordable ? "yes" : "no",
    money(own),
    money(total),
    title,
  ]);
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0), 5));
  const bought = claims.filter(({ affordable }) => affordable);
  const arms = [...new Set(bought.flatMap((claim) => claim.arms))].filter((arm) => !arm.startsWith("upstream/"));
  return [
    `${money(dollars)} pay for the evidence of ${bought.length} of ${claims.length} claims (without pre-training):`,
    ...[["in", "costs", "sum", "claim"], ...rows].map(([inside = "", own = "", sum = "", title = ""]) =>
      `  ${inside.padEnd(widths[0] ?? 0)}  ${own.padStart(widths[1] ?? 0)}  ${sum.padStart(widths[2] ?? 0)}  ${title}`
    ),
    ...(arms.length === 0 ? [] : [`  --only ${arms.join(" ")}`]),
  ].join("\n");
}
