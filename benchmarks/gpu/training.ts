/** Steps of a training on an engine, and one digest of what they leave. */
import { createHash } from "node:crypto";
import type { Engine, Session } from "../../src/engine/engine.ts";
import { fillWeights, type GpuTask } from "./task.ts";

/** How far a training goes. */
export interface Stretch {
  /** steps that were done before */
  readonly from: number;
  readonly to: number;
  /** a folder with the state to go on from */
  readonly resume?: string;
  /** a folder to leave the state in */
  readonly save?: string;
}

/** What a training left. */
export interface Trained {
  /** SHA-256 over weights, moments and whatever else the engine keeps */
  readonly digest: string;
  readonly losses: readonly number[];
}

/** The vectors of a state by name, engines' own included. */
type Vectors = Readonly<Record<string, Float32Array | Uint8Array>>;

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

async function vectorsOf(session: Session): Promise<Vectors> {
  return { ...await session.readState() };
}

/** Opens a session whose weights are the task's, or those of a saved state. */
export async function openTraining(engine: Engine, task: GpuTask, resume?: string): Promise<Session> {
  const { model, optimizer, batchSequences, microBatchSequences } = task;
  const session = await engine.open({ model, optimizer, batchSequences, gradientBlockSequences: microBatchSequences });
  await session.writeState(async (state) => {
    if (resume === undefined) return fillWeights(task, state.weights);
    for (const [name, vector] of Object.entries({ ...state } satisfies Vectors)) {
      bytesOf(vector).set(await Deno.readFile(`${resume}/${name}`));
    }
  });
  return session;
}

/** Trains a stretch. */
export async function train(engine: Engine, task: GpuTask, { from, to, resume, save }: Stretch): Promise<Trained> {
  const session = await openTraining(engine, task, resume);
  try {
    const losses: number[] = [];
    for (let step = from; step < to; step++) {
      const tokens = task.batches[step % task.batches.length];
      if (tokens === undefined) throw new Error("The task has no batches");
      losses.push((await session.step(tokens, task.learningRate, step)).loss);
    }
    const vectors = await vectorsOf(session);
    const hash = createHash("sha256");
    for (const name of Object.keys(vectors).sort()) {
      const vector = vectors[name];
      if (vector === undefined) continue;
      hash.update(name).update(bytesOf(vector));
      if (save !== undefined) await Deno.writeFile(`${save}/${name}`, bytesOf(vector));
    }
    return { digest: hash.digest("hex"), losses };
  } finally {
    session.close();
  }
}
