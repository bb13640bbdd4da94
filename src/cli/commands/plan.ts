/** `deno task plan`: what a reproduction would train, and what it would cost, before anything starts. */
import { textSupply } from "../../data/text_supply.ts";
import { chooseEngine, describeMemory, ENGINES } from "../../engine/catalogue.ts";
import type { SessionOptions } from "../../engine/engine.ts";
import { EXIT, UserError } from "../../errors.ts";
import { formatCriteria, scaleCriteria } from "../../experiment/scale/criteria.ts";
import type { Plan } from "../../experiment/plan/plan.ts";
import { planToJson } from "../../experiment/plan/plan_json.ts";
import { formatPlan } from "../../experiment/plan/plan_text.ts";
import { formatPrice, type PriceOptions, pricePlan } from "../../experiment/plan/price.ts";
import { formatResources } from "../../experiment/plan/resources.ts";
import { formatRanks, LINKS } from "../../ranks/price_ranks.ts";
import { notShareable } from "../../ranks/shared_step.ts";
import { loadPaper } from "../../reproduce/paper_file.ts";
import { budgetClaims, formatBudget } from "../../results/claim_budget.ts";
import { sessionOptions } from "../../train/session_pool.ts";
import { parseDecimal, type Values } from "../arguments.ts";
import { parsePaths } from "../typed_paths.ts";
import type { Command } from "../command.ts";
import { formatFetches, usesOf } from "../data_uses.ts";
import { foldersFromOptions } from "../options/experiment_options.ts";
import { PLAN_OPTIONS, planFromOptions } from "../options/plan_options.ts";
import { print, printJson } from "../../terminal.ts";

function sessionsOf({ runs }: Plan): SessionOptions[] {
  return runs.map(sessionOptions);
}

/** Prints the plan of some options. */
export async function showPlan(values: Values<typeof PLAN_OPTIONS>): Promise<Plan> {
  const plan = await planFromOptions(values);
  if (values.json === true) printJson(planToJson(plan));
  else {
    const ownText = values.upstream !== undefined;
    const supply = ownText ? undefined : await textSupply(plan.scale, values.lockfile);
    const criteria = formatCriteria(scaleCriteria(plan.scale, supply));
    print(`${formatPlan(plan)}\n${criteria}\n\n${await describeMemory(sessionsOf(plan), values)}`);
  }
  return plan;
}

const OPTIONS = {
  ...PLAN_OPTIONS,
  gpu: { kind: "text", value: "NAME", help: "price the plan on v100, a100, h100 or h200 (default: h200)" },
  mfu: { kind: "text", value: "SHARE", help: "share of the GPU's peak that training reaches (default: 0.4)" },
  price: { kind: "text", value: "DOLLARS", help: "price of a GPU and hour (default: 3.5)" },
  runs: {
    kind: "flag",
    help: "each run's warm-up, learning rates, checkpoints, disk and price, and the longest chain",
  },
  ranks: { kind: "count", value: "N", help: "how N ranks would share each step, and what their messages cost" },
  "ranks-per-node": {
    kind: "count",
    value: "N",
    help: "so many ranks on each node, joined by NVLink; --link is between nodes (default: 1)",
  },
  link: { kind: "text", value: "NAME", help: `between ranks: ${Object.keys(LINKS).join(", ")} (default: nvlink4)` },
  budget: { kind: "text", value: "DOLLARS", help: "propose which claims these pay for, by the cost of their evidence" },
} as const;

/** @throws {UserError} `BAD_NUMBER` unless the text is a number in (0, most] */
function positive(name: string, text: string | undefined, fallback: number, most: number): number {
  const number = text === undefined ? fallback : parseDecimal(text);
  if (number !== undefined && number > 0 && number <= most) return number;
  throw new UserError("BAD_NUMBER", `Option "--${name}" is "${text}"`, `expected a number above 0, at most ${most}`);
}

/** `plan` */
export const plan: Command = {
  summary: "shows the runs of a scale with steps, tokens and FLOPs, and trains nothing",
  usage: "[options]",
  options: OPTIONS,
  run: async (args) => {
    const { values } = parsePaths(args, OPTIONS);
    const price: PriceOptions = {
      gpu: values.gpu ?? "h200",
      utilization: positive("mfu", values.mfu, 0.4, 1),
      dollarsPerHour: positive("price", values.price, 3.5, 1e6),
    };
    const shown = await showPlan(values);
    const isPriced = values.gpu !== undefined || pricePlan(shown, price).continuing.dollars >= 1;
    if (values.json === true) return EXIT.ok;
    if (isPriced) {
      print(formatPrice(shown, price));
      for (const { isForRentedGpus, memory } of ENGINES) {
        if (isForRentedGpus === true) print(`  ${await memory(sessionsOf(shown), values)}`);
      }
    }
    if (values.runs === true) print(`\n${formatResources(shown, price)}${formatFetches(usesOf(shown.scale))}`);
    if (values.ranks !== undefined) {
      const { name, ranks } = chooseEngine(values);
      if (ranks === undefined) throw notShareable(name);
      print(`\n${
        formatRanks(shown, ranks.unitBlocks, {
          ranks: values.ranks,
          perHost: values["ranks-per-node"],
          link: values.link ?? "nvlink4",
        }, price)
      }`);
    }
    if (values.budget !== undefined) {
      const dollars = positive("budget", values.budget, 0, 1e12);
      const { content } = await loadPaper(foldersFromOptions(values));
      print(`\n${formatBudget(budgetClaims(content, shown, price, dollars), dollars)}`);
    }
    return EXIT.ok;
  },
};
