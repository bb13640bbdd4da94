/** TensorFlow.js on its WASM backend: autodiff by `variableGrads`, AdamW as PyTorch orders it. */
import { type ParameterShape, parameterShapes } from "../../src/model/parameters.ts";
import { batchOf, type TrainingTask } from "../training_task.ts";
import type { Peer, Unavailable } from "./peer.ts";
import { loadTensorFlow, type Tensor, type TensorFlow, type Variable } from "./tensorflow_api.ts";
import { type ProjectionGradient, TensorFlowModel } from "./tensorflow_model.ts";

const EMBEDDING = "gpt_neox.embed_in.weight";

function nameOf(version: string, projectionGradient: ProjectionGradient): string {
  const gradient = projectionGradient === "autodiff" ? "" : ", gradients of projections by hand";
  return `TensorFlow.js ${version}, WASM${gradient}`;
}

/** A tensor in training. */
interface Trained {
  readonly value: Variable;
  readonly firstMoment: Variable;
  readonly secondMoment: Variable;
  readonly decayed: boolean;
}

class Trainer {
  readonly #tf: TensorFlow;
  readonly #task: TrainingTask;
  readonly #model: TensorFlowModel;
  readonly #trained: ReadonlyMap<string, Trained>;
  #step = 0;

  constructor(tf: TensorFlow, task: TrainingTask, projectionGradient: ProjectionGradient) {
    this.#tf = tf;
    this.#task = task;
    this.#model = new TensorFlowModel(tf, task.model, projectionGradient);
    // Names of variables are global in TensorFlow.js, and two trainers may live at a time.
    const variable = (initial: Tensor, trainable: boolean, name: string) =>
      tf.variable(initial, trainable, `${projectionGradient}/${name}`);
    this.#trained = new Map(
      parameterShapes(task.model).map((parameter) => {
        const { name, decayed } = parameter;
        const initial = this.#initialValue(parameter);
        return [name, {
          value: variable(initial, true, name),
          firstMoment: variable(tf.zeros(initial.shape), false, `${name}/first`),
          secondMoment: variable(tf.zeros(initial.shape), false, `${name}/second`),
          decayed,
        }];
      }),
    );
  }

  /** The task's weights; those of projections as (in, out). */
  #initialValue({ name, shape, offset, size }: ParameterShape): Tensor {
    const tf = this.#tf;
    const value = tf.tensor(this.#task.weights.slice(offset, offset + size), [...shape], "float32");
    return shape.length === 2 && name !== EMBEDDING ? tf.transpose(value, [1, 0]) : value;
  }

  dispose(): void {
    for (const { value, firstMoment, secondMoment } of this.#trained.values()) {
      for (const variable of [value, firstMoment, secondMoment]) variable.dispose();
    }
  }

  train(steps: number): number[] {
    return Array.from({ length: steps }, () => this.#tf.tidy(() => this.#trainStep()));
  }

  #trainStep(): number {
    const tf = this.#tf;
    const { inputs, targets } = this.#tokens();
    const parameters = new Map([...this.#trained].map(([name, { value }]) => [name, value]));
    const trained = [...this.#trained.values()].map(({ value }) => value);
    const { value, grads } = tf.variableGrads(() => this.#model.loss(parameters, inputs, targets), trained);
    this.#update(grads);
    this.#step++;
    return value.dataSync()[0] ?? NaN;
  }

  /** Inputs [:, :-1] and targets [:, 1:] of the step's windows, int32 (B · T). */
  #tokens(): { inputs: Tensor; targets: Tensor } {
    const { sequenceLength } = this.#task.model;
    const windows = batchOf(this.#task, this.#step);
    const take = (shift: 0 | 1) => {
      const tokens = windows.filter((_, i) => {
        const position = i % (sequenceLength + 1) - shift;
        return position >= 0 && position < sequenceLength;
      });
      return this.#tf.tensor(Int32Array.from(tokens), [tokens.length], "int32");
    };
    return { inputs: take(0), targets: take(1) };
  }

  /** Clipping by the global norm, then AdamW with decoupled decay. */
  #update(gradients: Readonly<Record<string, Tensor>>): void {
    const tf = this.#tf;
    const { optimizer, learningRate } = this.#task;
    const { beta1, beta2, epsilon, weightDecay, gradientClip } = optimizer;
    const squares = Object.values(gradients).map((gradient) => tf.sum(tf.square(gradient)));
    const norm = Math.sqrt(tf.addN(squares).dataSync()[0] ?? NaN);
    const clip = Math.min(1, gradientClip / (norm + 1e-6));
    const t = this.#step + 1;
    const stepSize = learningRate / (1 - beta1 ** t);
    const rootCorrection = Math.sqrt(1 - beta2 ** t);
    for (const [name, { value, firstMoment, secondMoment, decayed }] of this.#trained) {
      const gradient = gradients[value.name];
      if (gradient === undefined) throw new Error(`No gradient of "${name}"`);
      const g = tf.mul(gradient, clip);
      const m = tf.add(tf.mul(firstMoment, beta1), tf.mul(g, 1 - beta1));
      const v = tf.add(tf.mul(secondMoment, beta2), tf.mul(tf.square(g), 1 - beta2));
      const change = tf.div(m, tf.add(tf.div(tf.sqrt(v), rootCorrection), tf.scalar(epsilon)));
      const kept = tf.mul(value, decayed ? 1 - learningRate * weightDecay : 1);
      firstMoment.assign(m);
      secondMoment.assign(v);
      value.assign(tf.sub(kept, tf.mul(change, stepSize)));
    }
  }
}

/** Starts the peer; unavailable where the packages can neither be found nor downloaded. */
export async function openTensorFlow(
  task: TrainingTask,
  projectionGradient: ProjectionGradient,
): Promise<Peer | Unavailable> {
  let tf: TensorFlow;
  try {
    tf = await loadTensorFlow();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { name: nameOf("4", projectionGradient), reason };
  }
  const trainer = new Trainer(tf, task, projectionGradient);
  return {
    name: nameOf(tf.version_core, projectionGradient),
    threads: 1,
    train(steps) {
      const start = performance.now();
      const losses = trainer.train(steps);
      return Promise.resolve({ seconds: (performance.now() - start) / 1000, losses });
    },
    close() {
      trainer.dispose();
      return Promise.resolve();
    },
  };
}
