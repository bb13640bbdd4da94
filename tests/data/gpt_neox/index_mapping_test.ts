import fc from "fast-check";
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { buildIndexMapping, epochsNeeded, type OrderSpecification } from "../../../src/data/gpt_neox/index_mapping.ts";
import { RandomState } from "../../../src/data/gpt_neox/mt19937.ts";
import { piecesOf } from "../../../src/data/gpt_neox/ordered_dataset.ts";
import { userError } from "../user_error.ts";
import { KNOWN_ANSWERS } from "./known_answers.ts";

/** Documents of up to nine tokens, some of them empty, and what else makes an order. */
const SPECIFICATION = fc.record({
  sizes: fc.array(fc.nat(9), { minLength: 1, maxLength: 20 }).map((sizes) => Int32Array.from(sizes)),
  samples: fc.nat(60),
  sequenceLength: fc.integer({ min: 1, max: 12 }),
  seed: fc.nat(0xffffffff),
  cut: fc.tuple(fc.nat(19), fc.nat(19)),
}).map(({ cut: [a, b], ...rest }): OrderSpecification => {
  const count = rest.sizes.length;
  const [first, last] = [a % count, b % count].sort((x, y) => x - y);
  return { ...rest, documents: { first: first ?? 0, end: (last ?? 0) + 1 } };
}).filter(({ sizes, documents: { first, end } }) => sizes.subarray(first, end).some((size) => size > 0));

/** A token as its document and its place there. */
type Token = readonly [document: number, offset: number];

/**
 * The samples in their order as PAPER.md §6 words it: documents shuffled, the stream cut into windows of T + 1 tokens
 * at stride T, windows shuffled. Every token is an object here.
 */
function naiveSamples({ sizes, documents, samples, sequenceLength, seed }: OrderSpecification): Token[][] {
  const epoch = Array.from({ length: documents.end - documents.first }, (_, i) => documents.first + i);
  const stream: number[] = [];
  const enough = () => {
    const tokens = stream.reduce((sum, document) => sum + (sizes[document] ?? 0), 0);
    return stream.length > 0 && Math.floor((tokens - 1) / sequenceLength) >= samples;
  };
  while (!enough()) stream.push(...epoch);
  const random = new RandomState(seed);
  const shuffled = Int32Array.from(stream);
  random.shuffle(shuffled);
  const tokens = [...shuffled].flatMap((document) =>
    Array.from({ length: sizes[document] ?? 0 }, (_, offset): Token => [document, offset])
  );
  const windows: Token[][] = [];
  for (let start = 0; start + sequenceLength < tokens.length; start += sequenceLength) {
    windows.push(tokens.slice(start, start + sequenceLength + 1));
  }
  const order = Int32Array.from(windows, (_, i) => i);
  random.shuffle(order);
  return Array.from(order, (window) => windows[window] ?? []);
}

Deno.test("an order gives the windows that the rules give when every token is written out", () => {
  fc.assert(
    fc.property(SPECIFICATION, (specification) => {
      const mapping = buildIndexMapping(specification);
      const samples = naiveSamples(specification);
      equal(mapping.shuffleIndex.length, samples.length);
      for (const [i, sample] of samples.entries()) {
        const tokens = piecesOf(mapping, specification, i).flatMap(({ document, offset, length }) =>
          Array.from({ length }, (_, j) => [document, offset + j])
        );
        deepEqual(tokens, sample);
      }
    }),
    { numRuns: 300 },
  );
});

Deno.test("epochsNeeded() is the first number of epochs whose windows are enough", () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1, max: 50 }), fc.nat(400), (t, T, n) => {
    const epochs = epochsNeeded(t, T, n);
    ok(Math.floor((epochs * t - 1) / T) >= n);
    ok(epochs === 1 || Math.floor(((epochs - 1) * t - 1) / T) < n);
  }));
  // Pythia: the deduplicated Pile, of 207 billion tokens, twice; the standard one once.
  equal(epochsNeeded(207_000_000_000, 2048, 147_164_160), 2);
  equal(epochsNeeded(334_000_000_000, 2048, 147_164_160), 1);
});

Deno.test("buildIndexMapping() finds the epochs and the first samples that numpy found", () => {
  for (const { sizes, first, end, epochs, firstSamples, ...rest } of KNOWN_ANSWERS.orders) {
    const mapping = buildIndexMapping({ ...rest, sizes: Int32Array.from(sizes), documents: { first, end } });
    equal(mapping.epochs, epochs);
    const starts = Array.from(mapping.shuffleIndex.subarray(0, 5), (window) => [
      mapping.sampleIndex[2 * window],
      mapping.sampleIndex[2 * window + 1],
    ]);
    deepEqual(starts, firstSamples);
  }
});

Deno.test("a small order by hand", () => {
  // Documents 0, 1, 2 of 2, 3, 1 tokens, two epochs. numpy's RandomState(1234).shuffle of [0 1 2 0 1 2] gives
  // [2 1 2 0 1 0]: twelve tokens 2a 1a 1b 1c 2a 0a 0b 1a 1b 1c 0a 0b, in two windows of five at stride four.
  const specification = {
    sizes: Int32Array.of(2, 3, 1),
    documents: { first: 0, end: 3 },
    samples: 2,
    sequenceLength: 4,
    seed: 1234,
  };
  const mapping = buildIndexMapping(specification);
  equal(mapping.epochs, 2);
  deepEqual([...mapping.documentIndex], [2, 1, 2, 0, 1, 0]);
  deepEqual([...mapping.sampleIndex], [0, 0, 2, 0, 4, 1]);
  deepEqual([...mapping.shuffleIndex], [0, 1]);
  deepEqual(piecesOf(mapping, specification, 1), [
    { document: 2, offset: 0, length: 1 },
    { document: 0, offset: 0, length: 2 },
    { document: 1, offset: 0, length: 2 },
  ]);
  throws(() => piecesOf(mapping, specification, 2), RangeError);
});

Deno.test("buildIndexMapping() refuses documents without tokens, and orders that do not fit 32 bits", () => {
  const rest = { sequenceLength: 4, seed: 1234 };
  const empty = { sizes: Int32Array.of(5, 0, 0), documents: { first: 1, end: 3 }, samples: 1, ...rest };
  throws(() => buildIndexMapping(empty), userError("CORPUS_TOO_SHORT", "Documents 1 to 2"));
  const long = { sizes: Int32Array.of(2 ** 31 - 1), documents: { first: 0, end: 1 }, samples: 2 ** 30, ...rest };
  throws(() => buildIndexMapping(long), userError("INDEX_TOO_LARGE", "3 epochs", "2^30 − 2 windows"));
  const many = { sizes: Int32Array.of(1), documents: { first: 0, end: 1 }, samples: 2 ** 29, ...rest };
  throws(() => buildIndexMapping(many), userError("INDEX_TOO_LARGE", "2^31 − 1 documents"));
});
