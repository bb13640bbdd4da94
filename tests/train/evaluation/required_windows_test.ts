import assert from "node:assert/strict";
import { ARITHMETIC_VERSION } from "../../../src/engine/ordered/arithmetic.ts";
import { buildPlan } from "../../../src/experiment/plan/plan.ts";
import { digestsOfCorpora } from "../../../src/experiment/arm/mixes.ts";
import { requireWindows } from "../../../src/train/evaluation/required_windows.ts";
import { MECHANISMS } from "../../reproduce/mechanisms.ts";
import { fakeEngine, fakePlan } from "../fake_training.ts";

Deno.test("requireWindows() asks each corpus for the last window of each order before anything is trained", async () => {
  const { corpora } = await fakePlan(fakeEngine());
  const plan = await buildPlan({
    ...MECHANISMS,
    scale: "smoke",
    seeds: 1,
    engine: { level: "machine_to_machine", arithmetic: ARITHMETIC_VERSION },
    corpusDigests: digestsOfCorpora(corpora),
  });
  const asked: [name: string, seed: number, index: number][] = [];
  const watched = (name: "upstream" | "downstream") => ({
    ...corpora[name],
    batch: (step: number, sequences: number, seed: number) => {
      asked.push([name, seed, step]);
      return corpora[name].batch(step, sequences, seed);
    },
  });
  const both = { ...corpora, upstream: watched("upstream"), downstream: watched("downstream") };
  await requireWindows(plan.runs, both);
  // 128 steps of 4 windows of the long pre-training; 11 steps continue, a quarter of whose windows are replayed, or more
  // on the way down from half; in another order 11 steps.
  assert.deepEqual(asked.sort(), [
    ["downstream", 1235, 43],
    ["downstream", 1238, 43],
    ["upstream", 1234, 511],
    ["upstream", 1235, 10],
  ]);
  const short = {
    ...both,
    upstream: {
      ...both.upstream,
      batch: (step: number) => Promise.reject(new Error(`no window ${step}`)),
    },
  };
  await assert.rejects(requireWindows(plan.runs, short), /no window 511/);
});
