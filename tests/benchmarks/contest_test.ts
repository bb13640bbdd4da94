import assert from "node:assert/strict";
import { compareLosses, type Measurement, medianRatio, runContest } from "../../benchmarks/contest.ts";
import type { Peer } from "../../benchmarks/peers/peer.ts";

/** A trainer whose step takes the given seconds, call by call, and whose losses are its step numbers. */
function scriptedPeer(name: string, secondsPerStep: readonly number[]): Peer & { readonly calls: number[] } {
  const calls: number[] = [];
  let step = 0;
  return {
    name,
    threads: 1,
    calls,
    train(steps) {
      const seconds = steps * (secondsPerStep[calls.length] ?? NaN);
      calls.push(steps);
      return Promise.resolve({ seconds, losses: Array.from({ length: steps }, () => step++) });
    },
    close: () => Promise.resolve(),
  };
}

function measurement(tokensPerSecond: number[], losses: number[] = []): Measurement {
  return { peer: scriptedPeer("any", []), tokensPerSecond, losses };
}

Deno.test("runContest() takes turns round after round, and times none of the warm-up", async () => {
  const a = scriptedPeer("a", [99, 1, 2]);
  const b = scriptedPeer("b", [99, 10, 5]);
  const turns: string[] = [];
  const measured = await runContest(
    [{ peer: a, stepsPerRound: 3 }, { peer: b, stepsPerRound: 1 }],
    2,
    100,
    ({ name }, round) => turns.push(`${name}${round}`),
  );
  assert.deepEqual(turns, ["a-1", "b-1", "a0", "b0", "a1", "b1"]);
  assert.deepEqual([a.calls, b.calls], [[1, 3, 3], [1, 1, 1]]);
  assert.deepEqual(measured.map(({ tokensPerSecond }) => tokensPerSecond), [[100, 50], [10, 20]]);
  assert.deepEqual(measured.map(({ losses }) => losses), [[0, 1, 2, 3, 4, 5, 6], [0, 1, 2]]);
});

Deno.test("medianRatio() is the median of the rounds' ratios, not the ratio of the medians", () => {
  // The second round was slow for both, the third for the other only.
  const ours = measurement([100, 10, 100]);
  const other = measurement([10, 1, 2]);
  assert.equal(medianRatio(ours, other), 10);
});

Deno.test("compareLosses() finds the largest relative difference over the steps that all took", () => {
  const ours = measurement([], [4, 2, 1, 7]);
  assert.deepEqual(compareLosses([ours, measurement([], [4, 2.5, 1])]), { steps: 3, worst: 0.25 });
  assert.deepEqual(compareLosses([ours, ours, measurement([], [5])]), { steps: 1, worst: 0.25 });
});

Deno.test("compareLosses() never takes a NaN for agreement", () => {
  const ours = measurement([], [4, 2]);
  assert.equal(compareLosses([ours, measurement([], [4, NaN])]).worst, Infinity);
  assert.equal(compareLosses([measurement([], [NaN]), measurement([], [NaN])]).worst, Infinity);
});
