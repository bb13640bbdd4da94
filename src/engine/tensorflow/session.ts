/** A training session of the TensorFlow engine. */
import { parameterCount } from "../../model/config.ts";
import type { Session, SessionOptions, StepResult, TrainingState } from "../engine.ts";
import { tokenWeight } from "../ordered/batch_loss.ts";
import { updateScalars } from "../ordered/update_scalars.ts";
import { countWindows, requireBatch, requireWindow, SessionCalls } from "../session_calls.ts";
import { sumOfSquares, updateTensor } from "./adamw.ts";
import type { Tensor, TensorFlow } from "./api.ts";
import type { Backend } from "./backend.ts";
import type { MemoryPlan } from "./memory.ts";
import { TensorFlowModel } from "./model.ts";
import { operationsOn } from "./operations.ts";
import { copyOut, newTrainingState, TensorFlowState } from "./state.ts";
import { inTurn } from "./turns.ts";

/** Gradient of a batch, in the order of `parameterShapes`; to be disposed of. */
interface MeanGradient {
  readonly loss: number;
  readonly norm: number;
  readonly gradients: readonly Tensor[];
}

/** Loss and gradient of a part of a batch, summed over parts; to be disposed of. */
interface Sums {
  readonly loss: Tensor;
  readonly gradients: readonly Tensor[];
}

/** See {@linkcode Session}. */
export class TensorFlowSession implements Session {
  readonly #backend: Backend;
  readonly #tf: TensorFlow;
  readonly #options: SessionOptions;
  readonly #memory: MemoryPlan;
  readonly #model: TensorFlowModel;
  readonly #state: TensorFlowState;
  readonly #calls = new SessionCalls();

  private constructor(backend: Backend, options: SessionOptions, memory: MemoryPlan) {
    const { tf, registered } = backend;
    this.#backend = backend;
    this.#tf = tf;
    this.#options = options;
    this.#memory = memory;
    this.#model = new TensorFlowModel(tf, options.model, operationsOn(registered, tf));
    this.#state = new TensorFlowState(tf, options.model);
  }

  /** Takes memory for weights and moments, which are zero. */
  static open(backend: Backend, options: SessionOptions, memory: MemoryPlan): Promise<TensorFlowSession> {
    return inTurn(backend, () => Promise.resolve(new TensorFlowSession(backend, options, memory)));
  }

  get memoryBytes(): number {
    return this.#memory.bytes;
  }

  readState(): Promise<TrainingState> {
    return this.#call(() => this.#state.read());
  }

  writeState(fill: (state: TrainingState) => void | Promise<void>): Promise<void> {
    return this.#calls.exclusively(async () => {
      const state = newTrainingState(this.#options.model);
      await fill(state);
      await this.#inTurn(() => Promise.resolve(this.#state.write(state)));
    });
  }

  step(tokens: Uint16Array, learningRate: number, step: number): Promise<StepResult> {
    return this.#call(async () => {
      const { loss, norm, gradients } = await this.#meanGradient(tokens);
      try {
        const isFinite = Number.isFinite(loss) && Number.isFinite(norm);
        if (isFinite) {
          const scalars = updateScalars(this.#options.optimizer, learningRate, step, norm);
          this.#state.parameters.forEach((parameter, i) => {
            updateTensor(this.#tf, parameter, at(gradients, i), scalars);
          });
        }
        return { loss, gradientNorm: norm, outcome: isFinite ? "updated" : "diverged" };
      } finally {
        dispose(gradients);
      }
    });
  }

  gradient(tokens: Uint16Array): Promise<{ loss: number; gradient: Float32Array }> {
    return this.#call(async () => {
      const { model } = this.#options;
      const { loss, gradients } = await this.#meanGradient(tokens);
      try {
        const gradient = new Float32Array(parameterCount(model));
        const placed = this.#state.parameters.map(({ shape }, i) => ({
          tensor: at(gradients, i),
          offset: shape.offset,
        }));
        await copyOut(placed, gradient);
        return { loss, gradient };
      } finally {
        dispose(gradients);
      }
    });
  }

  evaluate(tokens: Uint16Array): Promise<Float32Array> {
    return this.#call(async () => {
      const { model } = this.#options;
      const tf = this.#tf;
      const total = countWindows(tokens, model);
      const losses = new Float32Array(total);
      for (let first = 0; first < total; first += this.#memory.sequences) {
        const windows = Math.min(this.#memory.sequences, total - first);
        const sums = tf.tidy(() => {
          const { inputs, targets } = this.#windows(tokens, first, windows);
          const perToken = this.#model.losses(this.#state.weights, inputs, targets);
          return tf.sum(tf.reshape(perToken, [windows, model.sequenceLength]), 1);
        });
        try {
          losses.set(await sums.data(), first);
        } finally {
          sums.dispose();
        }
      }
      return losses;
    });
  }

  logits(tokens: Uint16Array): Promise<Float32Array> {
    return this.#call(async () => {
      requireWindow(tokens, this.#options.model);
      const tf = this.#tf;
      const logits = tf.tidy(() => this.#model.logits(this.#state.weights, this.#ids(tokens)));
      try {
        return Float32Array.from(await logits.data());
      } finally {
        logits.dispose();
      }
    });
  }

  close(): void {
    if (this.#calls.failure !== undefined) return;
    this.#calls.end(new Error("The session is closed"));
    // What runs still needs its tensors: they are given back when it is done.
    this.#inTurn(() => {
      this.#model.dispose();
      this.#state.dispose();
      return Promise.resolve();
    }).catch(() => {});
  }

  /** A call of the session: none other runs meanwhile, and its backend is the active one. */
  #call<T>(call: () => Promise<T>): Promise<T> {
    return this.#calls.exclusively(() => this.#inTurn(call));
  }

  #inTurn<T>(call: () => Promise<T>): Promise<T> {
    return inTurn(this.#backend, call);
  }

  /** Loss, mean gradient and its norm: micro-batch by micro-batch, so that memory does not grow with the batch. */
  async #meanGradient(tokens: Uint16Array): Promise<MeanGradient> {
    const { model, batchSequences } = this.#options;
    const tf = this.#tf;
    requireBatch(tokens, model, batchSequences);
    let sums: Sums | undefined;
    for (let first = 0; first < batchSequences; first += this.#memory.sequences) {
      const sequences = Math.min(this.#memory.sequences, batchSequences - first);
      const part = this.#gradientOf(tokens, first, sequences);
      sums = sums === undefined ? part : this.#add(sums, part);
    }
    if (sums === undefined) throw new RangeError("A batch has at least one sequence");
    const { loss, gradients } = sums;
    const numbers = tf.tidy(() => tf.stack([loss, tf.sqrt(sumOfSquares(tf, gradients))]));
    loss.dispose();
    try {
      const [value = NaN, norm = NaN] = await numbers.data();
      return { loss: value, norm, gradients };
    } catch (error) {
      dispose(gradients);
      throw error;
    } finally {
      numbers.dispose();
    }
  }

  /** Share of some sequences in the batch's mean loss and gradient. */
  #gradientOf(tokens: Uint16Array, first: number, sequences: number): Sums {
    const tf = this.#tf;
    const { parameters, weights } = this.#state;
    const tensors = tf.tidy(() => {
      // Made out here: what is made within the function is gone when its gradient is computed.
      const { inputs, targets } = this.#windows(tokens, first, sequences);
      const { value, grads } = tf.variableGrads(
        () => tf.mul(tf.sum(this.#model.losses(weights, inputs, targets)), tokenWeight(this.#options)),
        parameters.map(({ weight }) => weight),
      );
      const gradients = parameters.map(({ shape, weight }) => {
        const gradient = grads[weight.name];
        if (gradient === undefined) throw new Error(`TensorFlow.js gave no gradient of "${shape.name}"`);
        return gradient;
      });
      return [value, ...gradients];
    });
    return { loss: at(tensors, 0), gradients: tensors.slice(1) };
  }

  #add(a: Sums, b: Sums): Sums {
    const tf = this.#tf;
    const [left, right] = [[a.loss, ...a.gradients], [b.loss, ...b.gradients]];
    const sums = left.map((tensor, i) => tf.add(tensor, at(right, i)));
    dispose([...left, ...right]);
    return { loss: at(sums, 0), gradients: sums.slice(1) };
  }

  /** Inputs [:, :-1] and targets [:, 1:] of some windows, int32 (windows · T). */
  #windows(tokens: Uint16Array, first: number, windows: number): { inputs: Tensor; targets: Tensor } {
    const { sequenceLength } = this.#options.model;
    const take = (shift: 0 | 1) => {
      const ids = new Uint16Array(windows * sequenceLength);
      for (let window = 0; window < windows; window++) {
        const from = (first + window) * (sequenceLength + 1) + shift;
        ids.set(tokens.subarray(from, from + sequenceLength), window * sequenceLength);
      }
      return this.#ids(ids);
    };
    return { inputs: take(0), targets: take(1) };
  }

  #ids(tokens: Uint16Array): Tensor {
    return this.#tf.tensor(Int32Array.from(tokens), [tokens.length], "int32");
  }
}

function at(tensors: readonly Tensor[], index: number): Tensor {
  const tensor = tensors[index];
  if (tensor === undefined) throw new RangeError(`No tensor ${index}`);
  return tensor;
}

function dispose(tensors: readonly Tensor[]): void {
  for (const tensor of tensors) tensor.dispose();
}
