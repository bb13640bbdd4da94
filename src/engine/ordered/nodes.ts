/**
 * Nodes of the pairwise tree over a step's units (docs/arithmetic.md §6): what ranks can compute apart and add up to the
 * same bits. A sum of any other interval has other roundings than the tree's.
 */

/** A node by the units below it: [from, to) = [j · 2^l, min((j + 1) · 2^l, N)). */
export interface TreeNode {
  /** its first unit */
  readonly from: number;
  /** after its last */
  readonly to: number;
}

/** The least power of two that is not below a count. */
function powerOfTwoFrom(count: number): number {
  let width = 1;
  while (width < count) width *= 2;
  return width;
}

/** Whether an interval is a node of the tree over so many units. */
export function isTreeNode({ from, to }: TreeNode, units: number): boolean {
  if (![from, to].every(Number.isInteger) || from < 0 || to <= from || to > units) return false;
  const width = powerOfTwoFrom(to - from);
  return from % width === 0 && to === Math.min(from + width, units);
}

/** Both nodes below one of several units; the left one has a power of two. */
function halves({ from, to }: TreeNode): [left: TreeNode, right: TreeNode] {
  const middle = from + powerOfTwoFrom(to - from) / 2;
  return [{ from, to: middle }, { from: middle, to }];
}

/** Units below a node. */
export function unitsOf({ from, to }: TreeNode): number {
  return to - from;
}

/** The first of the ranks with the least to do. */
function leastLoaded(loads: readonly number[]): number {
  let least = 0;
  for (let rank = 1; rank < loads.length; rank++) {
    if ((loads[rank] as number) < (loads[least] as number)) least = rank;
  }
  return least;
}

/** Who computes what of a step. */
export interface Sharing {
  /** of each rank the nodes that it computes, by their first unit; none where the others suffice */
  readonly nodes: readonly (readonly TreeNode[])[];
  /** units of the busiest rank: the step takes as long as these */
  readonly longest: number;
}

/**
 * Shares a step's units out. The longest share is the least possible, ⌈N / ranks⌉, and within that the nodes are few,
 * since a rank sends a sum for each: the largest nodes are given away first, each to the rank with the least to do, and
 * one that nobody has room for is split.
 *
 * @param units N, at least 1
 * @param ranks at most N
 * @throws {RangeError} if there are more ranks than units, or counts are no positive integers
 */
export function shareUnits(units: number, ranks: number): Sharing {
  if (![units, ranks].every((count) => Number.isInteger(count) && count > 0)) {
    throw new RangeError(`${units} units cannot be shared by ${ranks} ranks`);
  }
  if (ranks > units) throw new RangeError(`${ranks} ranks are more than the ${units} units of a step`);
  const longest = Math.ceil(units / ranks);
  const nodes: TreeNode[][] = Array.from({ length: ranks }, () => []);
  const loads = nodes.map(() => 0);
  const give = (node: TreeNode): boolean => {
    const rank = leastLoaded(loads);
    const load = (loads[rank] ?? 0) + unitsOf(node);
    if (load > longest) return false;
    nodes[rank]?.push(node);
    loads[rank] = load;
    return true;
  };
  // Level by level: nodes of a power of two, and the one that the end of the batch may have cut off.
  let whole: TreeNode[] = [];
  let last: TreeNode | undefined = { from: 0, to: units };
  for (let width = powerOfTwoFrom(units); width >= 1; width /= 2) {
    const next = whole.flatMap((node) => give(node) ? [] : halves(node));
    if (last !== undefined && unitsOf(last) > width / 2) {
      if (give(last)) last = undefined;
      else {
        const [left, right] = halves(last);
        next.push(left);
        last = right;
      }
    }
    whole = next;
  }
  for (const own of nodes) own.sort((a, b) => a.from - b.from);
  return { nodes, longest };
}

/** Work done ÷ work that as many ranks could do in the time of the busiest: N / (ranks · longest share). */
export function sharingEfficiency(units: number, ranks: number): number {
  return units / (ranks * Math.ceil(units / ranks));
}

/**
 * Numbers of ranks worth having: each is the least for its longest share, so that with one rank fewer a step takes
 * longer.
 *
 * @param most ranks at most; default: as many as there are units
 */
export function usefulRanks(units: number, most: number = units): number[] {
  const counts: number[] = [];
  for (let ranks = 1; ranks <= Math.min(units, most); ranks++) {
    if (ranks === 1 || Math.ceil(units / ranks) < Math.ceil(units / (ranks - 1))) counts.push(ranks);
  }
  return counts;
}

/**
 * Nodes as large as can be made of some: two that are the halves of another become that, and so on.
 *
 * @param values by node; they cover no unit twice
 * @param add makes left + right; may change and return `left`
 * @returns what is left, by first unit
 */
export function joinSiblings<T>(
  units: number,
  values: readonly (readonly [node: TreeNode, value: T])[],
  add: (left: T, right: T) => T,
): (readonly [node: TreeNode, value: T])[] {
  const sorted = values.toSorted(([a], [b]) => a.from - b.from);
  const within = ({ from, to }: TreeNode) => sorted.filter(([node]) => from <= node.from && node.to <= to);
  const join = (node: TreeNode): (readonly [node: TreeNode, value: T])[] => {
    const inside = within(node);
    const [first] = inside;
    if (first === undefined || (first[0].from === node.from && first[0].to === node.to)) return inside;
    const [left, right] = halves(node).map(join) as [typeof inside, typeof inside];
    const [low, high] = [left[0], right[0]];
    const isWhole = low !== undefined && high !== undefined && unitsOf(low[0]) + unitsOf(high[0]) === unitsOf(node);
    return isWhole ? [[node, add(low[1], high[1])]] : [...left, ...right];
  };
  return join({ from: 0, to: units });
}

/**
 * The tree's value from those of some of its nodes. What is not given is left + right, down to what is.
 *
 * @param values by node; together they cover every unit once
 * @param add makes left + right; may change and return `left`
 * @throws {RangeError} if a unit is covered by no node
 */
export function combineNodes<T>(
  units: number,
  values: readonly (readonly [node: TreeNode, value: T])[],
  add: (left: T, right: T) => T,
): T {
  const known = new Map(values.map(([{ from, to }, value]) => [`${from} ${to}`, value]));
  const valueOf = (node: TreeNode): T => {
    const value = known.get(`${node.from} ${node.to}`);
    if (value !== undefined) return value;
    if (unitsOf(node) === 1) throw new RangeError(`Nobody computed unit ${node.from} of ${units}`);
    const [left, right] = halves(node);
    const leftValue = valueOf(left);
    return add(leftValue, valueOf(right));
  };
  return valueOf({ from: 0, to: units });
}

/** left = left + right, each sum rounded to f32. */
export function addSums(left: Float32Array, right: Float32Array): Float32Array {
  if (left.length !== right.length) throw new RangeError(`Sums of ${left.length} and ${right.length} elements`);
  for (let i = 0; i < left.length; i++) left[i] = (left[i] as number) + (right[i] as number);
  return left;
}
