/** The end of a step on the device: norm, overflow, loss scale, clipping, AdamW. */
import { type ModelConfig, parameterCount } from "../../../model/config.ts";
import type { OptimizerSpecification } from "../../../experiment/run/run.ts";
import type { Slice } from "../../divided_step.ts";
import { chunksOf } from "../../ordered/chunks.ts";
import { updateScalars } from "../../ordered/update_scalars.ts";
import type { Device } from "../driver/device.ts";
import { slice as part, type View } from "../driver/view.ts";
import { FLOAT_BYTES, floatsOf, HALF_BYTES, need } from "../views.ts";
import type { MixedKernels } from "./kernels.ts";
import { type LossScaling, TRAINING_STATE_BYTES } from "./training_state.ts";

/** `Chunk` of update.cu */
const CHUNK_BYTES = 12;
/** `UpdateScalars` of training_state.cuh */
export const SCALARS_BYTES = 32;
/** CHUNK_THREADS of update.cu, and threads of the block that ends the sum. */
const THREADS = 256;
const FINISH_THREADS = 1024;

/** What an update works on; flat vectors in the order of `parameterShapes`. */
export interface UpdateViews {
  readonly weights: View;
  readonly firstMoments: View;
  readonly secondMoments: View;
  /** the weights as matmuls read them, 16-bit */
  readonly roundedWeights: View;
  /** `chunkTable` */
  readonly chunks: View;
  /** work area, f32 (chunks) */
  readonly chunkSums: View;
  /** TRAINING_STATE_BYTES */
  readonly state: View;
  /** SCALARS_BYTES */
  readonly scalars: View;
}

/** The chunks of a model as `update.cu` reads them. */
export function chunkTable(model: ModelConfig): Uint32Array<ArrayBuffer> {
  return Uint32Array.from(chunksOf(model).flatMap(({ offset, size, decayed }) => [offset, size, Number(decayed)]));
}

/** A step's scalars as `adamw` reads them; clipping is decided on the device. */
export function scalarWords(
  optimizer: OptimizerSpecification,
  learningRate: number,
  step: number,
): Float32Array<ArrayBuffer> {
  const { beta1, oneMinusBeta1, beta2, oneMinusBeta2, stepSize, rootCorrection2, epsilon, decay } = updateScalars(
    optimizer,
    learningRate,
    step,
    0,
  );
  return Float32Array.of(beta1, oneMinusBeta1, beta2, oneMinusBeta2, stepSize, rootCorrection2, epsilon, decay);
}

/** Launches for one model. */
export class Update {
  readonly #device: Device;
  readonly #kernels: MixedKernels;
  readonly #scaling: LossScaling;
  readonly #parameters: number;
  readonly #chunks: number;

  constructor(device: Device, kernels: MixedKernels, model: ModelConfig, scaling: LossScaling) {
    this.#device = device;
    this.#kernels = kernels;
    this.#scaling = scaling;
    this.#parameters = parameterCount(model);
    this.#chunks = chunksOf(model).length;
  }

  #elements(): { grid: number; block: number } {
    return { grid: Math.ceil(this.#parameters / (4 * THREADS)), block: THREADS };
  }

  /** The 16-bit copy of the weights anew. */
  roundWeights({ weights, roundedWeights }: Pick<UpdateViews, "weights" | "roundedWeights">): void {
    this.#device.launch(
      this.#kernels.round_weights,
      this.#elements(),
      need(weights, this.#parameters, FLOAT_BYTES),
      need(roundedWeights, this.#parameters, HALF_BYTES),
      this.#parameters,
    );
  }

  /** target += source, both flat gradients. */
  addGradient(target: View, source: View): void {
    const size = this.#parameters;
    const floats = (view: View) => need(view, size, FLOAT_BYTES);
    this.#device.launch(this.#kernels.add_gradient, this.#elements(), floats(target), floats(source), size);
  }

  /** Every chunk. */
  get whole(): Slice {
    return { first: 0, end: this.#chunks };
  }

  #chunksOf({ chunks }: Pick<UpdateViews, "chunks">, { first, end }: Slice): View {
    return part(chunks, first * CHUNK_BYTES, (end - first) * CHUNK_BYTES);
  }

  /**
   * Σ g² of a slice's chunks.
   *
   * @param gradient sum over gradient blocks of each one's mean gradient, times the loss scale
   */
  squares(gradient: View, { first, end }: Slice, views: Pick<UpdateViews, "chunks" | "chunkSums">): void {
    this.#device.launch(
      this.#kernels.sum_squares,
      { grid: end - first, block: THREADS },
      need(gradient, this.#parameters, FLOAT_BYTES),
      this.#chunksOf(views, { first, end }),
      floatsOf(views.chunkSums, first, end - first),
    );
  }

  /** Decides by all chunks' Σ g² what becomes of the step. */
  decide(gradientBlocks: number, gradientClip: number, views: Pick<UpdateViews, "chunkSums" | "state">): void {
    const { window, hysteresis, minimum } = this.#scaling;
    this.#device.launch(
      this.#kernels.finish_gradient,
      { grid: 1, block: FINISH_THREADS },
      need(views.chunkSums, this.#chunks, FLOAT_BYTES),
      this.#chunks,
      need(views.state, 1, TRAINING_STATE_BYTES),
      gradientBlocks,
      gradientClip,
      window,
      hysteresis,
      minimum,
    );
  }

  /** Updates a slice, unless it was decided otherwise. */
  apply(gradient: View, { first, end }: Slice, views: UpdateViews): void {
    const floats = (view: View) => need(view, this.#parameters, FLOAT_BYTES);
    this.#device.launch(
      this.#kernels.adamw,
      { grid: end - first, block: THREADS },
      floats(views.weights),
      floats(views.firstMoments),
      floats(views.secondMoments),
      need(views.roundedWeights, this.#parameters, HALF_BYTES),
      floats(gradient),
      this.#chunksOf(views, { first, end }),
      need(views.state, 1, TRAINING_STATE_BYTES),
      need(views.scalars, 1, SCALARS_BYTES),
    );
  }
}
