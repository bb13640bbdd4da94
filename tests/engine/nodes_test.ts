import assert from "node:assert/strict";
import {
  addSums,
  combineNodes,
  isTreeNode,
  joinSiblings,
  shareUnits,
  sharingEfficiency,
  type TreeNode,
  unitsOf,
  usefulRanks,
} from "../../src/engine/ordered/nodes.ts";
import { treeSum } from "../../src/engine/ordered/tree.ts";

/** The tree as brackets, so that no two orders of adding give the same. */
const bracketed = (left: string, right: string) => `(${left} ${right})`;

/** By levels from below, as docs/arithmetic.md defines it. */
function wholeTree(units: number): string {
  let level = Array.from({ length: units }, (_, unit) => `${unit}`);
  while (level.length > 1) {
    level = Array.from({ length: Math.ceil(level.length / 2) }, (_, i) => {
      const [left = "", right] = level.slice(2 * i, 2 * i + 2);
      return right === undefined ? left : bracketed(left, right);
    });
  }
  return level[0] ?? "";
}

/** A node's own tree, over its units alone. */
function treeOf({ from, to }: TreeNode): string {
  return wholeTree(to - from).replaceAll(/\d+/g, (unit) => `${Number(unit) + from}`);
}

Deno.test("shareUnits(): all batches to 512 units and ranks to 96 add up to the whole tree", () => {
  for (let units = 1; units <= 512; units++) {
    // The brackets of all batches are long: every rank count for some, a few for the others.
    const tree = wholeTree(units);
    for (let ranks = 1; ranks <= Math.min(96, units); ranks++) {
      const { nodes, longest } = shareUnits(units, ranks);
      assert.equal(nodes.length, ranks);
      assert.equal(longest, Math.ceil(units / ranks));
      for (const own of nodes) {
        assert.ok(own.reduce((sum, node) => sum + unitsOf(node), 0) <= longest);
        for (const node of own) {
          assert.ok(isTreeNode(node, units), `[${node.from}, ${node.to}) of ${units}`);
        }
      }
      const ends = nodes.flat().sort((a, b) => a.from - b.from).map(({ from, to }) => [from, to]);
      assert.ok(ends.every(([from], i) => from === (ends[i - 1]?.[1] ?? 0)), `${units} units, ${ranks} ranks`);
      assert.equal(ends.at(-1)?.[1], units);
      if (units % 7 === 3 || ranks === 8) {
        const values = nodes.flat().map((node) => [node, treeOf(node)] as const);
        assert.equal(combineNodes(units, values, bracketed), tree);
      }
    }
  }
});

Deno.test("joinSiblings(): what the ranks of a host have becomes as few nodes as can be, and all hosts' the whole tree", () => {
  for (let units = 1; units <= 160; units++) {
    const tree = wholeTree(units);
    for (const perHost of [1, 2, 3, 4, 8]) {
      for (let ranks = perHost; ranks <= Math.min(32, units); ranks += perHost) {
        const { nodes } = shareUnits(units, ranks);
        const crossing = Array.from({ length: ranks / perHost }, (_, host) => {
          const own = nodes.slice(host * perHost, (host + 1) * perHost).flat();
          const joined = joinSiblings(units, own.map((node) => [node, treeOf(node)] as const), bracketed);
          for (const [node, value] of joined) {
            assert.ok(isTreeNode(node, units));
            assert.equal(value, treeOf(node));
          }
          const ends = joined.map(([{ from, to }]) => [from, to] as const);
          // No two of them are halves of a node.
          for (const [i, [from, to]] of ends.entries()) {
            const next = ends[i + 1];
            if (next?.[0] === to) assert.ok(!isTreeNode({ from, to: next[1] }, units), `${ends.join(" ")} of ${units}`);
          }
          assert.equal(
            joined.reduce((sum, [node]) => sum + unitsOf(node), 0),
            own.reduce((n, node) => n + unitsOf(node), 0),
          );
          return joined;
        });
        assert.equal(combineNodes(units, crossing.flat(), bracketed), tree, `${units} units, ${ranks} by ${perHost}`);
      }
    }
  }
});

/** The fewest nodes of any sharing with the least longest share, by trying all. */
function fewestNodes(units: number, ranks: number): number {
  const capacity = Math.ceil(units / ranks);
  const place = (sizes: readonly number[], loads: readonly number[]): boolean => {
    const [size, ...rest] = sizes;
    if (size === undefined) return true;
    return loads.some((load, rank) =>
      load + size <= capacity && loads.indexOf(load) === rank &&
      place(rest, loads.map((other, i) => i === rank ? other + size : other))
    );
  };
  // All ways to cut the tree into nodes.
  const cuts = (from: number, to: number): number[][] => {
    const whole = [[to - from]];
    if (to - from === 1) return whole;
    let width = 1;
    while (2 * width < to - from) width *= 2;
    return [
      ...whole,
      ...cuts(from, from + width).flatMap((left) => cuts(from + width, to).map((r) => [...left, ...r])),
    ];
  };
  const fitting = cuts(0, units).filter((sizes) =>
    place(sizes.toSorted((a, b) => b - a), Array.from({ length: ranks }, () => 0))
  );
  return Math.min(...fitting.map((sizes) => sizes.length));
}

Deno.test("shareUnits() takes no more nodes than the best of all sharings, for small batches", () => {
  for (let units = 1; units <= 12; units++) {
    for (let ranks = 1; ranks <= Math.min(6, units); ranks++) {
      const { nodes } = shareUnits(units, ranks);
      assert.equal(nodes.flat().length, fewestNodes(units, ranks), `${units} units, ${ranks} ranks`);
    }
  }
});

Deno.test("a sum over intervals that are no nodes is another one", () => {
  // Three equal shares of 276 blocks are [0, 92), [92, 184), [184, 276): none but the first begins where a node does.
  assert.ok(!isTreeNode({ from: 0, to: 92 }, 276));
  const differs = (seed: number) => {
    const values = Float32Array.from({ length: 276 }, (_, i) => ((i + seed) ** 2 * 7919 % 1009) / 1009 - 0.5);
    const thirds = [0, 92, 184].map((from) => treeSum(values.subarray(from, from + 92)));
    return treeSum(thirds) !== treeSum(values);
  };
  assert.ok(Array.from({ length: 50 }, (_, seed) => seed).filter(differs).length > 10);
});

Deno.test("the paper's batch of 276 blocks: efficiency, and numbers of ranks worth having", () => {
  const efficiencies = [8, 23, 46, 64, 69].map((ranks) => Number((100 * sharingEfficiency(276, ranks)).toFixed(1)));
  assert.deepEqual(efficiencies, [98.6, 100, 100, 86.3, 100]);
  assert.deepEqual(usefulRanks(276, 24), [
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    10,
    11,
    12,
    13,
    14,
    15,
    16,
    17,
    18,
    19,
    20,
    22,
    23,
  ]);
  assert.deepEqual(usefulRanks(276).slice(-5), [56, 69, 92, 138, 276]);
});

Deno.test("combineNodes() and shareUnits() refuse what does not add up", () => {
  assert.throws(() => combineNodes(3, [[{ from: 0, to: 2 }, "a"]], bracketed), /Nobody computed unit 2 of 3/);
  assert.throws(() => shareUnits(4, 5), /5 ranks are more than the 4 units of a step/);
  for (const [units, ranks] of [[0, 1], [4, 0], [4, 1.5]] as const) {
    assert.throws(() => shareUnits(units, ranks), RangeError);
  }
  assert.throws(() => addSums(new Float32Array(2), new Float32Array(3)), /2 and 3 elements/);
});

Deno.test("addSums() rounds each sum once", () => {
  const sums = addSums(Float32Array.of(16777216, -0, 1e38), Float32Array.of(1, -0, 3e38));
  assert.deepEqual([...sums], [16777216, -0, Infinity]);
});
