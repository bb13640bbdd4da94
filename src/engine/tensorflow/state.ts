/** Weights and moments as TensorFlow.js variables, and the flat vectors that checkpoints hold. */
import type { ModelConfig } from "../../model/config.ts";
import { parameterCount } from "../../model/config.ts";
import { type ParameterShape, parameterShapes } from "../../model/parameters.ts";
import type { TrainingState } from "../engine.ts";
import type { Tensor, TensorFlow, Variable } from "./api.ts";
import type { TrainedTensor } from "./adamw.ts";
import type { Parameters } from "./model.ts";

/** A tensor of the model in training. */
export interface TrainedParameter extends TrainedTensor {
  readonly shape: ParameterShape;
}

/** Three vectors of f32, as {@linkcode TrainingState} wants them, that are nobody else's. */
export function newTrainingState(model: ModelConfig): TrainingState {
  const vector = () => new Float32Array(parameterCount(model));
  return { weights: vector(), firstMoments: vector(), secondMoments: vector() };
}

/** The state of a session, all zero at first. */
export class TensorFlowState {
  /** in the order of `parameterShapes` */
  readonly parameters: readonly TrainedParameter[];
  /** the weights by name */
  readonly weights: Parameters;
  readonly #tf: TensorFlow;
  readonly #model: ModelConfig;

  constructor(tf: TensorFlow, model: ModelConfig) {
    this.#tf = tf;
    this.#model = model;
    this.parameters = parameterShapes(model).map((shape) => {
      const variable = (trainable: boolean) => {
        const zeros = tf.zeros(shape.shape);
        const made = tf.variable(zeros, trainable);
        zeros.dispose();
        return made;
      };
      return {
        shape,
        weight: variable(true),
        firstMoment: variable(false),
        secondMoment: variable(false),
        decayed: shape.decayed,
      };
    });
    this.weights = new Map(this.parameters.map(({ shape, weight }) => [shape.name, weight]));
  }

  /** Copies the state out. */
  async read(): Promise<TrainingState> {
    const state = newTrainingState(this.#model);
    const { weights, firstMoments, secondMoments } = state;
    await copyOut(this.#all((parameter) => parameter.weight), weights);
    await copyOut(this.#all((parameter) => parameter.firstMoment), firstMoments);
    await copyOut(this.#all((parameter) => parameter.secondMoment), secondMoments);
    return state;
  }

  /** Copies a state in. */
  write({ weights, firstMoments, secondMoments }: TrainingState): void {
    for (const { shape, weight, firstMoment, secondMoment } of this.parameters) {
      const assign = (variable: Variable, vector: Float32Array) => {
        const values = vector.slice(shape.offset, shape.offset + shape.size);
        const tensor = this.#tf.tensor(values, shape.shape, "float32");
        variable.assign(tensor);
        tensor.dispose();
      };
      assign(weight, weights);
      assign(firstMoment, firstMoments);
      assign(secondMoment, secondMoments);
    }
  }

  #all(take: (parameter: TrainedParameter) => Tensor): Placed[] {
    return this.parameters.map((parameter) => ({ tensor: take(parameter), offset: parameter.shape.offset }));
  }

  /** Gives the memory back. */
  dispose(): void {
    for (const { weight, firstMoment, secondMoment } of this.parameters) {
      for (const variable of [weight, firstMoment, secondMoment]) variable.dispose();
    }
  }
}

/** A tensor with its place in a flat vector. */
export interface Placed {
  readonly tensor: Tensor;
  readonly offset: number;
}

/** Copies tensors to their places. */
export async function copyOut(tensors: readonly Placed[], vector: Float32Array): Promise<void> {
  for (const { tensor, offset } of tensors) vector.set(await tensor.data(), offset);
}
