/** A step shared by ranks that are sessions of one process: what transports carry is handed over as it is. */
import assert from "node:assert/strict";
import type { DividedStep, Slice } from "../../../src/engine/divided_step.ts";
import type { Session, StepResult } from "../../../src/engine/engine.ts";
import { addSums, combineNodes, shareUnits, type TreeNode } from "../../../src/engine/ordered/nodes.ts";

/** The pieces of a session that has them. */
export function dividedOf(session: Session): DividedStep {
  assert.ok(session.divided !== undefined);
  return session.divided;
}

/** Cuts of the chunks at uneven places, so that some rank may own nothing. */
export function slicesOf(chunks: number, ranks: number): Slice[] {
  const cut = (rank: number) => Math.floor(chunks * (rank / ranks) ** 2);
  return Array.from({ length: ranks }, (_, rank) => ({ first: cut(rank), end: cut(rank + 1) }));
}

/** One step of ranks with equal weights; every rank ends with all weights, and with its slice of the moments. */
export async function stepTogether(
  sessions: readonly Session[],
  tokens: Uint16Array,
  windowTokens: number,
  learningRate: number,
  step: number,
): Promise<StepResult> {
  const ranks = sessions.map(dividedOf);
  const [{ units, unitSequences, chunkOffsets } = dividedOf(sessions[0]!)] = ranks;
  const slices = slicesOf(chunkOffsets.length - 1, ranks.length);
  const losses = new Float32Array(tokens.length / windowTokens);
  const sums: [TreeNode, Float32Array[]][] = [];
  const { nodes } = shareUnits(units, ranks.length);
  for (const [rank, divided] of ranks.entries()) {
    for (const node of nodes[rank]!) {
      const [first, last] = [node.from, node.to].map((unit) => Math.min(unit * unitSequences, losses.length));
      const part = await divided.partial(tokens.slice(first! * windowTokens, last! * windowTokens), node);
      losses.set(part, first);
      const parts: Float32Array[] = [];
      for (const slice of slices) parts.push(await divided.readSum(slice));
      sums.push([node, parts]);
    }
  }
  const squares = new Float32Array(chunkOffsets.length - 1);
  for (const [rank, divided] of ranks.entries()) {
    const slice = slices[rank]!;
    await divided.writeSum(slice, combineNodes(units, sums.map(([node, parts]) => [node, parts[rank]!]), addSums));
    squares.set(await divided.squares(slice), slice.first);
  }
  const results: StepResult[] = [];
  for (const [rank, divided] of ranks.entries()) {
    results.push(await divided.update(slices[rank]!, { squares, losses, learningRate, step }));
  }
  for (const [owner, slice] of slices.entries()) {
    const weights = await ranks[owner]!.readWeights(slice);
    for (const [rank, divided] of ranks.entries()) if (rank !== owner) await divided.writeWeights(slice, weights);
  }
  for (const result of results) assert.deepEqual(result, results[0]);
  return results[0]!;
}
