/** What sharing a step among ranks gives, and what its messages cost, before anything is started. */
import { shareUnits, sharingEfficiency, usefulRanks } from "../engine/ordered/nodes.ts";
import { gpuPrice, type PriceOptions } from "../experiment/plan/price.ts";
import type { Plan } from "../experiment/plan/plan.ts";
import type { RunSpecification } from "../experiment/run/run.ts";
import { suggest, UserError } from "../errors.ts";
import { flopsPerToken, parameterCount } from "../model/config.ts";
import { compactNumber, counted } from "../text/numbers.ts";

/** Bytes a second that a rank sends and receives at a time, by the names that `--link` takes. */
export const LINKS: Readonly<Record<string, { readonly bytesPerSecond: number; readonly what: string }>> = {
  nvlink4: { bytesPerSecond: 450e9, what: "NVLink 4, 450 GB/s each way" },
  "400g": { bytesPerSecond: 50e9, what: "400 Gb/s a GPU" },
  "100g": { bytesPerSecond: 12.5e9, what: "100 Gb/s a GPU" },
};

/** How a step is shared, and what it costs. */
export interface RankPrice {
  /** what ranks share a step by: gradient blocks, or pairs of them */
  readonly units: number;
  /** units of the busiest rank */
  readonly longest: number;
  /** units ÷ (ranks · longest) */
  readonly efficiency: number;
  /** most nodes that one rank sends a sum of */
  readonly nodes: number;
  /** bytes that the busiest rank sends a step */
  readonly bytes: number;
  /** seconds that the busiest rank computes */
  readonly computing: number;
  /** seconds that its messages take at the link's speed, without latency and without overlap */
  readonly talking: number;
}

/**
 * Prices a step: each rank sends its nodes' sums, f32, to the owners of their slices, and its slice of the weights to all
 * others: (K + 1) · 4P · (R − 1) / R bytes for K nodes.
 *
 * @param unitBlocks gradient blocks of a unit, as the engine has it
 * @param ranks R
 * @throws {UserError} `TOO_MANY_RANKS`
 */
export function priceRanks(
  { model, batchSequences, gradientBlockSequences }: RunSpecification,
  unitBlocks: number,
  ranks: number,
  bytesPerSecond: number,
  price: PriceOptions,
): RankPrice {
  const units = Math.ceil(batchSequences / gradientBlockSequences / unitBlocks);
  if (ranks > units) {
    throw new UserError(
      "TOO_MANY_RANKS",
      `${ranks} ranks cannot share a step of ${unitWords(units, unitBlocks)}`,
      `take at most ${units}: ${usefulRanks(units).slice(-5).join(", ")}`,
    );
  }
  const { nodes, longest } = shareUnits(units, ranks);
  const mostNodes = Math.max(...nodes.map(({ length }) => length));
  const gradientBytes = 4 * parameterCount(model);
  const bytes = (mostNodes + 1) * gradientBytes * (ranks - 1) / ranks;
  const stepFlops = flopsPerToken(model, "full") * batchSequences * model.sequenceLength;
  const computing = gpuPrice(stepFlops * longest / units, price).gpuDays * 86_400;
  return {
    units,
    longest,
    efficiency: sharingEfficiency(units, ranks),
    nodes: mostNodes,
    bytes,
    computing,
    talking: bytes / bytesPerSecond,
  };
}

/** @throws {UserError} `UNKNOWN_LINK` with the nearest match */
export function linkNamed(name: string): { readonly bytesPerSecond: number; readonly what: string } {
  const link = Object.hasOwn(LINKS, name) ? LINKS[name] : undefined;
  if (link !== undefined) return link;
  throw new UserError("UNKNOWN_LINK", `Unknown link "${name}"`, suggest(name, Object.keys(LINKS)));
}

/** Numbers of ranks near the one asked for that waste least: up to four on each side, and the number itself. */
function recommended(units: number, ranks: number): number[] {
  const useful = usefulRanks(units);
  const below = useful.filter((count) => count < ranks).slice(-4);
  const above = useful.filter((count) => count > ranks).slice(0, 4);
  return [...below, ranks, ...above];
}

/** So many units in words. */
export function unitWords(units: number, unitBlocks: number): string {
  return unitBlocks === 1 ? counted(units, "gradient block") : `${counted(units, "pair")} of gradient blocks`;
}

/**
 * The plan's different steps, priced, as lines of text.
 *
 * @param unitBlocks gradient blocks of a unit, as the engine has it
 */
export function formatRanks(
  plan: Plan,
  unitBlocks: number,
  ranks: number,
  link: string,
  price: PriceOptions,
): string {
  const { bytesPerSecond, what } = linkNamed(link);
  const steps = new Map(plan.runs.map(({ specification }) => {
    const { model, batchSequences, gradientBlockSequences } = specification;
    return [JSON.stringify([model, batchSequences, gradientBlockSequences]), specification];
  }));
  return [...steps.values()].map((specification) => {
    const found = priceRanks(specification, unitBlocks, ranks, bytesPerSecond, price);
    const { units, longest, efficiency, nodes, bytes, computing, talking } = found;
    const near = recommended(units, ranks).map((count) => `${count} ${percent(sharingEfficiency(units, count))}`);
    return [
      `${ranks} ranks share a step of ${specification.batchSequences} sequences in ${unitWords(units, unitBlocks)}:`,
      `  the busiest has ${longest} of them in ${nodes} ${nodes === 1 ? "node" : "nodes"} at most, efficiency ${
        percent(efficiency)
      }`,
      `  and sends ${compactNumber(bytes)}B a step: ${seconds(talking)} at ${what}, beside ${seconds(computing)} of ` +
      `computing on ${price.gpu}, ${percent(talking / computing)}, if nothing overlaps`,
      `  efficiencies near it: ${near.join(", ")}`,
    ].join("\n");
  }).join("\n");
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function seconds(time: number): string {
  return time < 1 ? `${(1000 * time).toPrecision(3)} ms` : `${time.toPrecision(3)} s`;
}
