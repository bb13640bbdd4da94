import { deepEqual, equal, ok } from "node:assert/strict";
import { sha256 } from "../../src/digest/sha256.ts";
import type { Corpus } from "../../src/data/corpus.ts";
import { Mixture, replayDue } from "../../src/data/mixture.ts";

/** A corpus whose window k holds k and its own number. */
function numbered(number: number): Corpus {
  const counts = { train: 1, validation: 1 };
  return {
    name: number === 0 ? "downstream" : "upstream",
    digest: sha256(String(number)),
    summary: { documents: counts, tokens: counts, bytes: counts, windows: counts, domains: {} },
    batch: (step, sequences, seed) => {
      const tokens = Uint16Array.from({ length: 3 * sequences }, (_, i) => {
        return [number, step * sequences + Math.floor(i / 3), seed][i % 3] ?? 0;
      });
      return Promise.resolve({ tokens, sequences, digest: sha256(new Uint8Array(tokens.buffer)) });
    },
    validationWindows: () => Promise.reject(new Error("not needed")),
    wholeValidation: () => Promise.reject(new Error("not needed")),
    close: () => {},
  };
}

/** Corpus and index of each window of some steps. */
async function windowsOf(mixture: Mixture, steps: number, seed = 7): Promise<[corpus: number, index: number][]> {
  const windows: [number, number][] = [];
  for (let step = 0; step < steps; step++) {
    const { tokens, sequences, digest } = await mixture.batch(step, seed);
    equal(digest, sha256(new Uint8Array(tokens.buffer)));
    for (let i = 0; i < sequences; i++) {
      windows.push([tokens[3 * i] ?? -1, tokens[3 * i + 1] ?? -1]);
      equal(tokens[3 * i + 2], seed);
    }
  }
  return windows;
}

Deno.test("Mixture.batch() replays what GPT-NeoX's rule gives when worked out by hand, both corpora in their order", async () => {
  // 25 %: before sample i ≥ 1, upstream is due i/4 − taken, downstream 3i/4 − taken. Sample 0: 1/4 against 3/4, so
  // downstream; 1: 1/4 against −1/4, upstream; 2: −1/2 against 1/2; 3: −1/4 against 1/4; 4: 0 against 0, the first.
  const windows = await windowsOf(new Mixture({ percent: 25 }, numbered(0), numbered(1), 4), 3);
  deepEqual(windows.map(([corpus]) => corpus), [0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0]);
  for (const corpus of [0, 1]) {
    const indices = windows.filter(([own]) => own === corpus).map(([, index]) => index);
    deepEqual(indices, indices.map((_, k) => k));
  }
});

Deno.test("Mixture.batch() is the same whatever was asked before", async () => {
  const replay = { percent: 5, from: { percent: 50, steps: 20.5 } };
  const make = () => new Mixture(replay, numbered(0), numbered(1), 16);
  const whole = make();
  const digests: string[] = [];
  for (let step = 0; step < 60; step++) digests.push((await whole.batch(step, 1)).digest);
  for (const step of [59, 3, 20, 21, 0]) {
    equal((await whole.batch(step, 1)).digest, digests[step]);
    equal((await make().batch(step, 1)).digest, digests[step]);
  }
});

Deno.test("replayDue() sums the shares of a mixture that comes down along a line, and never strays from them", async () => {
  const replay = { percent: 5, from: { percent: 50, steps: 25 } };
  // Over the ramp of 100 windows the mean share is 27.5 %; afterwards it is 5 %.
  equal(replayDue(replay, 4, 100), 27.5);
  equal(replayDue(replay, 4, 300), 37.5);
  const windows = await windowsOf(new Mixture(replay, numbered(0), numbered(1), 4), 100);
  let replayed = 0;
  for (const [i, [corpus]] of windows.entries()) {
    replayed += corpus;
    ok(Math.abs(replayed - replayDue(replay, 4, i + 1)) <= 1, `window ${i}`);
  }
  equal(replayed, 43); // 27.5 and 5 % of the 300 windows after the ramp are 42.5
});
