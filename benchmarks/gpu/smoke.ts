/** The smoke scale on any engine, with journal and checkpoints as a real run has them. */
import { openCorpora } from "../../src/data/corpora.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { buildPlan } from "../../src/experiment/plan/plan.ts";
import { trainPlan } from "../../src/train/train_plan.ts";
import { digestOf } from "../../tests/reproduce/smoke.ts";

/** Trains what is not trained yet in the folder; one digest over keys, journals and states of all runs. */
export async function trainSmoke(engine: Engine, folder: string, onRun: () => void = () => {}): Promise<string> {
  const { level, arithmetic } = engine;
  const choice = { scale: "smoke", seeds: 1, engine: { level, arithmetic } };
  const { sequenceLength } = (await buildPlan(choice)).scale.model.config;
  const corpora = await openCorpora({ source: { kind: "npm" }, sequenceLength });
  const { upstream, downstream } = corpora;
  try {
    const corpusDigests = { upstream: upstream.digest, downstream: downstream.digest };
    const { runs } = await buildPlan({ ...choice, corpusDigests });
    return digestOf({ results: await trainPlan({ runs, engine, corpora, output: folder, onRun }) });
  } finally {
    upstream.close();
    downstream.close();
  }
}
