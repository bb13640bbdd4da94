/** A session and corpora that compute next to nothing, for tests of what happens around the steps. */
import { type Digest, sha256 } from "../../src/digest/sha256.ts";
import type { Batch, Corpus } from "../../src/data/corpus.ts";
import type { Engine, Session } from "../../src/engine/engine.ts";
import { buildPlan, type Plan, type PlanOptions } from "../../src/experiment/plan/plan.ts";
import type { CorpusName } from "../../src/experiment/run/run.ts";
import { parameterCount } from "../../src/model/config.ts";
import type { Corpora } from "../../src/train/evaluation/evaluation.ts";
import { FIXTURE_CATALOGUE } from "../experiment/plan/plan_fixture.ts";

const DIGESTS: Readonly<Record<CorpusName, Digest>> = {
  upstream: sha256("upstream"),
  downstream: sha256("downstream"),
};

/** An engine whose loss is a function of state and step; `lossAt` may replace it by something that is no number. */
export function fakeEngine(
  lossAt: (step: number, learningRate: number) => number | undefined = () => undefined,
): Engine {
  return {
    name: "fake",
    level: "machine_to_machine",
    arithmetic: "fake/1",
    description: {},
    memoryBytes: () => 0,
    peakBytes: () => 0,
    open: ({ model }) => {
      const size = parameterCount(model);
      const state = {
        weights: new Float32Array(size),
        firstMoments: new Float32Array(size),
        secondMoments: new Float32Array(size),
      };
      const session: Session = {
        memoryBytes: 0,
        readState: () => Promise.resolve(state),
        writeState: async (fill) => {
          for (const vector of Object.values(state)) vector.fill(0);
          await fill(state);
        },
        step: (tokens, learningRate, step) => {
          const loss = lossAt(step, learningRate) ?? Math.fround(6 - 0.01 * step + (tokens[0] ?? 0) / 1024);
          const updated = Number.isFinite(loss);
          if (updated) {
            state.weights[step % size] = (state.weights[step % size] ?? 0) + learningRate * (tokens[1] ?? 0);
            state.firstMoments[0] = step + 1;
          }
          return Promise.resolve({ loss, gradientNorm: 1, outcome: updated ? "updated" : "diverged" });
        },
        evaluate: (tokens) => {
          const windows = tokens.length / (model.sequenceLength + 1);
          return Promise.resolve(new Float32Array(windows).fill(5 + (state.weights[0] ?? 0)));
        },
        logits: () => Promise.reject(new Error("not needed")),
        gradient: () => Promise.reject(new Error("not needed")),
        close: () => {},
      };
      return Promise.resolve(session);
    },
  };
}

function fakeCorpus(name: CorpusName, sequenceLength: number): Corpus {
  const windows = (count: number, first: number): Batch => {
    const tokens = Uint16Array.from({ length: count * (sequenceLength + 1) }, (_, i) => (first * 31 + i) % 256);
    return { tokens, sequences: count, digest: sha256(new Uint8Array(tokens.buffer)) };
  };
  const counts = { train: 1000, validation: 100 };
  return {
    name,
    digest: DIGESTS[name],
    summary: { documents: counts, tokens: counts, bytes: counts, windows: counts, domains: {} },
    batch: (step, sequences, seed) => Promise.resolve(windows(sequences, step + seed)),
    validationWindows: (count) =>
      Promise.resolve({
        ...windows(count, 0),
        domains: new Array<string>(count).fill("default"),
        documents: Array.from({ length: count }, (_, i) => Math.floor(i / 2)),
      }),
    wholeValidation: (most) => {
      const count = Math.min(most, counts.validation);
      const documents = Array.from({ length: count }, (_, i) => Math.floor(i / 3));
      return Promise.resolve({ ...windows(count, 0), domains: documents.map(() => "default"), documents });
    },
    close: () => {},
  };
}

/** The smoke plan on fake data. */
export async function fakePlan(
  engine: Pick<Engine, "level" | "arithmetic">,
  only: readonly string[] = [],
  overrides: NonNullable<PlanOptions["overrides"]> = {},
): Promise<{ plan: Plan; corpora: Corpora }> {
  const { level, arithmetic } = engine;
  const plan = await buildPlan({
    ...FIXTURE_CATALOGUE,
    scale: "smoke",
    only,
    seeds: 1,
    engine: { level, arithmetic },
    corpusDigests: DIGESTS,
    overrides,
  });
  const { sequenceLength } = plan.scale.model.config;
  const corpora = {
    upstream: fakeCorpus("upstream", sequenceLength),
    downstream: fakeCorpus("downstream", sequenceLength),
  };
  return { plan, corpora };
}
