/** What sharing a step among ranks gives, and what its messages cost, before anything is started. */
import { joinSiblings, shareUnits, sharingEfficiency, type TreeNode, usefulRanks } from "../engine/ordered/nodes.ts";
import { gpuPrice, type PriceOptions } from "../experiment/plan/price.ts";
import type { Plan } from "../experiment/plan/plan.ts";
import type { RunSpecification } from "../experiment/run/run.ts";
import { suggest, UserError } from "../errors.ts";
import { Hosts } from "./hosts.ts";
import { flopsPerToken, parameterCount } from "../model/config.ts";
import { compactNumber, counted } from "../text/numbers.ts";

const NVLINK = { bytesPerSecond: 450e9, what: "NVLink 4, 450 GB/s each way" };

/** Bytes a second that a rank sends and receives at a time, by the names that `--link` takes. */
export const LINKS: Readonly<Record<string, { readonly bytesPerSecond: number; readonly what: string }>> = {
  nvlink4: NVLINK,
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
  /** most nodes that one host's are put together to */
  readonly hostNodes: number;
  /** bytes that the busiest rank sends to other hosts a step */
  readonly bytes: number;
  /** bytes that the busiest rank sends to ranks of its own host a step */
  readonly localBytes: number;
  /** seconds that the busiest rank computes */
  readonly computing: number;
  /** seconds that its messages take at the links' speeds, without latency and without overlap */
  readonly talking: number;
}

/** Ranks, hosts and what is between them. */
export interface RankLayout {
  readonly ranks: number;
  /** ranks of a host, r; those of a host are joined by NVLink 4. Default: 1, all ranks by the link */
  readonly perHost?: number;
  /** between hosts */
  readonly bytesPerSecond: number;
}

/**
 * Prices a step. Within a host each rank sends its nodes' sums, f32, to the ranks of their columns, and its column of the
 * weights to all: (K + 1) · 4P · (r − 1) / r bytes for K nodes. Between H hosts it sends its column of what the host's
 * nodes are put together to, M nodes, and its slice of the weights: (M + 1) · 4P / r · (H − 1) / H.
 *
 * @param unitBlocks gradient blocks of a unit, as the engine has it
 * @throws {UserError} `TOO_MANY_RANKS`; `BAD_NUMBER` where the ranks are no whole number of hosts
 */
export function priceRanks(
  { model, batchSequences, gradientBlockSequences }: RunSpecification,
  unitBlocks: number,
  { ranks, perHost = 1, bytesPerSecond }: RankLayout,
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
  if (ranks % perHost !== 0) {
    throw new UserError(
      "BAD_NUMBER",
      `${ranks} ranks are no whole number of nodes with ${perHost} each`,
      "give --ranks a multiple of --ranks-per-node",
    );
  }
  const { nodes, longest } = shareUnits(units, ranks);
  const hosts = new Hosts(ranks, perHost);
  const hostNodes = Math.max(...Array.from({ length: hosts.count }, (_, host) => {
    const own = hosts.ranksOf(host).flatMap((rank) => nodes[rank] ?? []);
    return joinSiblings(units, own.map((node): [TreeNode, undefined] => [node, undefined]), () => undefined).length;
  }));
  const mostNodes = Math.max(...nodes.map(({ length }) => length));
  const gradientBytes = 4 * parameterCount(model);
  const bytes = (hostNodes + 1) * gradientBytes / perHost * (hosts.count - 1) / hosts.count;
  const localBytes = (mostNodes + 1) * gradientBytes * (perHost - 1) / perHost;
  const stepFlops = flopsPerToken(model, "full") * batchSequences * model.sequenceLength;
  const computing = gpuPrice(stepFlops * longest / units, price).gpuDays * 86_400;
  return {
    units,
    longest,
    efficiency: sharingEfficiency(units, ranks),
    nodes: mostNodes,
    hostNodes,
    bytes,
    localBytes,
    computing,
    talking: bytes / bytesPerSecond + localBytes / NVLINK.bytesPerSecond,
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
  { ranks, perHost = 1, link }: Omit<RankLayout, "bytesPerSecond"> & { readonly link: string },
  price: PriceOptions,
): string {
  const { bytesPerSecond, what } = linkNamed(link);
  const steps = new Map(plan.runs.map(({ specification }) => {
    const { model, batchSequences, gradientBlockSequences } = specification;
    return [JSON.stringify([model, batchSequences, gradientBlockSequences]), specification];
  }));
  return [...steps.values()].map((specification) => {
    const found = priceRanks(specification, unitBlocks, { ranks, perHost, bytesPerSecond }, price);
    const { units, longest, efficiency, nodes, hostNodes, bytes, localBytes, computing, talking } = found;
    const near = recommended(units, ranks).map((count) => `${count} ${percent(sharingEfficiency(units, count))}`);
    return [
      `${ranks} ranks share a step of ${specification.batchSequences} sequences in ${unitWords(units, unitBlocks)}:`,
      `  the busiest has ${longest} of them in ${nodes} ${nodes === 1 ? "node" : "nodes"} at most, efficiency ${
        percent(efficiency)
      }`,
      ...(perHost === 1 ? [] : [
        `  and sends ${
          compactNumber(localBytes)
        }B a step within its node of ${perHost}, whose sums become ${hostNodes} at most`,
      ]),
      `  and sends ${compactNumber(bytes)}B a step${perHost === 1 ? "" : " to other nodes"}: ${
        seconds(talking)
      } at ${what}${perHost === 1 ? "" : `, and ${NVLINK.what} within a node`}, beside ${
        seconds(computing)
      } of computing on ${price.gpu}, ${percent(talking / computing)}, if nothing overlaps`,
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
