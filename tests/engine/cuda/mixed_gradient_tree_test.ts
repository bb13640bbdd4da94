/** The tree over gradient blocks as the mixed mode builds it, on names instead of gradients. */
import assert from "node:assert/strict";
import type { View } from "../../../src/engine/cuda/driver/view.ts";
import { GradientTree } from "../../../src/engine/cuda/mixed/gradient_tree.ts";
import { planMixedMemory } from "../../../src/engine/cuda/mixed/memory.ts";
import { optionsOf } from "./mixed_session_fixture.ts";

function vector(i: number): View {
  return { address: BigInt(256 * i), bytes: 256, what: `vector ${i}`, allocation: { live: true } };
}

/** What is added to what, as a set: addition commutes. */
function sum(...parts: readonly string[]): string {
  return `(${[...parts].sort().join(" + ")})`;
}

/** The pairwise tree of docs/arithmetic.md §2. */
function tree(parts: readonly string[]): string {
  if (parts.length === 1) return parts[0]!;
  const next: string[] = [];
  for (let i = 0; i < parts.length; i += 2) {
    next.push(parts[i + 1] === undefined ? parts[i]! : sum(parts[i]!, parts[i + 1]!));
  }
  return tree(next);
}

Deno.test("GradientTree gives the pairwise tree for any number of blocks, within the vectors that are planned", () => {
  for (let blocks = 1; blocks <= 200; blocks++) {
    const contents = new Map<bigint, string>();
    const read = ({ address }: View) => contents.get(address) ?? assert.fail("read before it was written");
    const { gradientVectors } = planMixedMemory(optionsOf(blocks, 1));
    const vectors = Array.from({ length: gradientVectors }, (_, i) => vector(i));
    const gradients = new GradientTree(blocks, vectors, (target, source) => {
      assert.notEqual(target.address, source.address);
      contents.set(target.address, sum(read(target), read(source)));
      contents.delete(source.address);
    });
    for (let block = 0; block < blocks; block++) {
      const { gradient, accumulate } = gradients.target(block);
      assert.equal(accumulate, block % 2 === 1);
      contents.set(gradient.address, accumulate ? sum(read(gradient), String(block)) : String(block));
      gradients.finish(block);
    }
    assert.equal(read(gradients.sum), tree(Array.from({ length: blocks }, (_, block) => String(block))));
  }
});
