import assert from "node:assert/strict";
import { UserError } from "../../src/errors.ts";
import { loadScale } from "../../src/experiment/catalogue.ts";
import type { RunSpecification } from "../../src/experiment/run/run.ts";
import { linkNamed, priceRanks } from "../../src/ranks/price_ranks.ts";

const scale = await loadScale("paper");
const step = {
  model: scale.model.config,
  batchSequences: 1104,
  gradientBlockSequences: scale.gradientBlockSequences,
} as RunSpecification;
const price = { gpu: "h200", utilization: 0.45, dollarsPerHour: 3.5 };
const cost = (ranks: number, link: string, perHost?: number) =>
  priceRanks(step, 1, { ranks, perHost, bytesPerSecond: linkNamed(link).bytesPerSecond }, price);

Deno.test("the paper's step by ranks: shares, nodes, bytes and times", () => {
  const one = cost(1, "nvlink4");
  assert.deepEqual([one.units, one.longest, one.nodes, one.bytes, one.talking], [276, 276, 1, 0, 0]);
  // 405,334,016 parameters: 1.62 GB of gradient, and a step of 14 to 15 s on one H200.
  assert.ok(one.computing > 13 && one.computing < 15, `${one.computing}`);
  const eight = cost(8, "nvlink4");
  assert.equal(eight.efficiency.toFixed(3), "0.986");
  assert.equal(eight.bytes, (eight.nodes + 1) * 4 * 405_334_016 * 7 / 8);
  assert.ok(eight.talking / eight.computing < 0.01, "within a hundredth on NVLink");
  assert.equal(cost(69, "400g").nodes, 1);
  assert.ok(cost(64, "400g").talking > cost(69, "400g").talking, "64 ranks cannot have one node each");
});

Deno.test("ranks of a node put their sums together before they cross to others", () => {
  const gradient = 4 * 405_334_016;
  const { hostNodes, nodes, bytes, localBytes, talking, computing } = cost(64, "400g", 8);
  assert.deepEqual([hostNodes, nodes], [2, 2]);
  assert.equal(bytes, 3 * gradient / 8 * 7 / 8);
  assert.equal(localBytes, 3 * gradient * 7 / 8);
  assert.ok(talking / computing < 0.1 && talking < cost(64, "400g").talking / 4, `${talking / computing}`);
  // One node: nothing crosses; a rank a node: nothing stays.
  assert.equal(cost(8, "400g", 8).bytes, 0);
  assert.equal(cost(8, "400g", 1).localBytes, 0);
  assert.throws(() => cost(10, "400g", 8), { code: "BAD_NUMBER", message: /no whole number of nodes with 8 each/ });
});

Deno.test("engines whose units are pairs of gradient blocks share fewer", () => {
  const { units, longest, efficiency } = priceRanks(step, 2, { ranks: 8, bytesPerSecond: 1 }, price);
  assert.deepEqual([units, longest, efficiency.toFixed(3)], [138, 18, "0.958"]);
  assert.equal(priceRanks(step, 2, { ranks: 69, bytesPerSecond: 1 }, price).efficiency, 1);
  assert.throws(() => priceRanks(step, 2, { ranks: 139, bytesPerSecond: 1 }, price), {
    code: "TOO_MANY_RANKS",
    message: /138 pairs of gradient/,
  });
});

Deno.test("more ranks than gradient blocks, and links that nobody knows, are refused with what there is", () => {
  const refused = (code: string, words: RegExp) => (error: unknown) =>
    error instanceof UserError && error.code === code && words.test(error.message);
  assert.throws(() => cost(277, "nvlink4"), refused("TOO_MANY_RANKS", /277 ranks .* 276 gradient blocks/));
  assert.throws(() => cost(2, "nvlink"), refused("UNKNOWN_LINK", /nvlink4/));
});
