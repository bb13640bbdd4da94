/** Memory of the exact engine: no two regions overlap, whatever the model. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { SessionOptions } from "../../src/engine/engine.ts";
import { type Layout, planLayout } from "../../src/engine/exact/layout.ts";
import { chunksOf } from "../../src/engine/ordered/chunks.ts";
import { parameterCount } from "../../src/model/config.ts";
import { OPTIMIZER, smallTraining } from "./fixture.ts";

interface Region {
  readonly name: string;
  readonly address: number;
  readonly bytes: number;
}

/** Every region of a layout with the bytes that the shapes in `Layout`'s documentation say. */
function regionsOf(layout: Layout, { model }: SessionOptions): Region[] {
  const { hiddenSize: h, intermediateSize: m, vocabularySize: V, sequenceLength: T, heads } = model;
  const half = model.rotaryFraction * (h / heads) / 2;
  const parameters = parameterCount(model);
  const chunks = chunksOf(model).length;
  const regions: Region[] = [];
  const add = (name: string, address: number, elements: number, size = 4) =>
    regions.push({ name, address, bytes: elements * size });
  add("weights", layout.weights, parameters);
  add("first moments", layout.firstMoments, parameters);
  add("second moments", layout.secondMoments, parameters);
  layout.blockGradients.forEach((address, i) => add(`block gradient ${i}`, address, parameters));
  layout.levelGradients.forEach((address, i) => add(`level gradient ${i}`, address, parameters));
  add("cosines", layout.cosines, T * half);
  add("sines", layout.sines, T * half);
  add("tokens", layout.tokens, layout.tokenWindows * (T + 1), 2);
  add("window losses", layout.windowLosses, layout.tokenWindows);
  add("chunk sums", layout.chunkSums, chunks);
  layout.arenas.forEach((arena, thread) => {
    const sizes = {
      residual: T * h,
      finalNormalized: T * h,
      finalRstds: T,
      headInput: T * h,
      logits: T * V,
      losses: T,
      residualGradient: T * h,
      workA: T * h,
      workB: T * h,
      workC: T * h,
      queryKeyValueGradient: T * 3 * h,
      activationGradient: T * m,
      scoreGradient: T * T,
      panel: 512 * 8 + 258 * 512,
    };
    for (const [name, elements] of Object.entries(sizes)) {
      add(`${name} of thread ${thread}`, arena[name as keyof typeof sizes], elements);
    }
    arena.layers.forEach((layer, index) => {
      const sizes = {
        normalized: T * h,
        rstds: T,
        attentionInput: T * h,
        mlpInput: T * h,
        queryKeyValue: T * 3 * h,
        attentionOutput: T * h,
        activation: T * m,
        activationDerivative: T * m,
      };
      for (const [name, elements] of Object.entries(sizes)) {
        add(`${name} of layer ${index}, thread ${thread}`, layer[name as keyof typeof sizes], elements);
      }
      const kept = layout.keepProbabilities;
      // Probabilities that are computed again share one place in all layers of a thread.
      if (kept || index === 0) {
        add(`probabilities of layer ${index}, thread ${thread}`, layer.probabilities, (kept ? heads : 1) * T * T);
      } else assert.equal(layer.probabilities, arena.layers[0]?.probabilities);
    });
  });
  return regions;
}

const eighth = (most: number) => fc.integer({ min: 1, max: most }).map((n) => 8 * n);

const options: fc.Arbitrary<{ session: SessionOptions; threads: number; keep: boolean }> = fc.record({
  head: eighth(4),
  heads: fc.integer({ min: 1, max: 5 }),
  layers: fc.integer({ min: 1, max: 4 }),
  intermediateSize: eighth(20),
  vocabularySize: eighth(200),
  sequenceLength: eighth(20),
  rotaryFraction: fc.constantFrom(0.25, 0.5, 1),
  blocks: fc.integer({ min: 1, max: 20 }),
  gradientBlockSequences: fc.integer({ min: 1, max: 4 }),
  microBatchBlocks: fc.option(fc.integer({ min: 1, max: 40 }), { nil: undefined }),
  threads: fc.integer({ min: 1, max: 6 }),
  keep: fc.boolean(),
}).map(({ head, heads, blocks, gradientBlockSequences, microBatchBlocks, threads, keep, ...shape }) => ({
  session: {
    model: { ...shape, heads, hiddenSize: head * heads, rotaryBase: 10000, layerNormEpsilon: 1e-5 },
    optimizer: OPTIMIZER,
    batchSequences: blocks * gradientBlockSequences,
    gradientBlockSequences,
    microBatchBlocks,
  },
  threads,
  keep,
}));

Deno.test("planLayout() puts no two regions on top of each other, and all inside the memory", () => {
  fc.assert(
    fc.property(options, ({ session, threads, keep }) => {
      const layout = planLayout(session, threads, 16, keep);
      assert.equal(layout.arenas.length, threads);
      assert(layout.tokenWindows >= session.batchSequences && layout.tokenWindows >= 16);
      assert.equal(layout.bytes % 65536, 0);
      let end = 65536; // the first page holds the compiler's constants
      for (const { name, address, bytes } of regionsOf(layout, session).sort((a, b) => a.address - b.address)) {
        assert(address >= end, `${name} starts at ${address}, but what lies before it ends at ${end}`);
        assert.equal(address % 16, 0, `${name} is not aligned`);
        end = address + bytes;
      }
      assert(end <= layout.bytes, `the last region ends at ${end} of ${layout.bytes}`);
      assert(layout.bytes - end < 65536 + 4096, `${layout.bytes - end} bytes are used by nothing`);
    }),
    { numRuns: 300 },
  );
});

Deno.test("planLayout() holds a power of two of gradient blocks, at most as many as a step needs", () => {
  const held = (blocks: number, threads: number, microBatchBlocks?: number) =>
    planLayout(
      { ...smallTraining({}, blocks), microBatchBlocks },
      threads,
      1,
    ).microBatchBlocks;
  assert.deepEqual([held(8, 1), held(8, 2), held(8, 3), held(3, 4), held(1, 4)], [1, 2, 4, 4, 1]);
  assert.deepEqual([held(8, 1, 2), held(8, 1, 3), held(8, 1, 64), held(5, 1, 64)], [2, 4, 8, 8]);
});

Deno.test("planLayout() computes probabilities again where they would take more than 64 MiB a layer", () => {
  const kept = (sequenceLength: number, heads: number) =>
    planLayout(smallTraining({ sequenceLength, heads, hiddenSize: 8 * heads, layers: 1 }), 1, 1).keepProbabilities;
  assert.deepEqual([kept(2048, 4), kept(2048, 5), kept(4096, 1), kept(4104, 1)], [true, false, true, false]);
});

Deno.test("planLayout() refuses what no memory can hold without listing it, and says how much it would be", () => {
  const needed = (changes: Partial<SessionOptions["model"]>, threads = 1): number => {
    const training = smallTraining({ ...changes }, 1);
    try {
      planLayout(training, threads, 1);
    } catch (error) {
      assert(error instanceof RangeError, String(error));
      const [, gibibytes] = /needs (\S+) GiB for this model on \d+ threads?, but WebAssembly addresses 4 GiB/
        .exec(error.message) ?? [];
      return Number(gibibytes);
    }
    throw new Error("it was laid out");
  };
  const layers = needed({ layers: 1e7 });
  assert(layers > 4 && layers < 1e6, `${layers}`);
  assert(Math.abs(needed({ layers: 1e9 }) / layers - 100) < 0.1);
  assert(needed({ layers: 2 ** 53 - 1 }) > 1e8 * layers);
  assert(needed({ layers: 1e7 }, 64) > 10 * layers);
  assert(needed({ hiddenSize: 1_000_000, heads: 125_000 }) > 10_000);
  assert(needed({ sequenceLength: 2 ** 50 }) > 1e20);
});
