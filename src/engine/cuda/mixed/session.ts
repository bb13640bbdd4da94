/** A training session of the CUDA engine's mixed mode: 16-bit matmuls on tensor cores, everything that lasts in f32. */
import { parameterCount } from "../../../model/config.ts";
import type { DividedStep, Slice } from "../../divided_step.ts";
import type { Session, SessionOptions, StepResult, TrainingState } from "../../engine.ts";
import { batchLoss } from "../../ordered/batch_loss.ts";
import { rotaryTables } from "../../ordered/rotary_tables.ts";
import { countWindows, requireBatch, requireWindow, SessionCalls } from "../../session_calls.ts";
import { DeviceDividedStep } from "../divided_step.ts";
import type { CublasLt } from "../driver/cublaslt.ts";
import type { Device } from "../driver/device.ts";
import { slice, type View } from "../driver/view.ts";
import { BackwardPass } from "./backward.ts";
import { type Buffers, freeBuffers, requireMemory, takeBuffers } from "./buffers.ts";
import { forward, headForward, losses } from "./forward.ts";
import type { Matmuls, MatmulShape } from "./matmul.ts";
import { GradientTree } from "./gradient_tree.ts";
import type { MixedKernels } from "./kernels.ts";
import { LibraryMatmuls } from "./library_matmuls.ts";
import { type MixedMemory, type MixedMemoryOptions, planMixedMemory } from "./memory.ts";
import { decodeHalves } from "./number16.ts";
import { OwnMatmuls } from "./own_matmuls.ts";
import { PassContext } from "./pass.ts";
import { PassInputs } from "./pass_input.ts";
import { MIXED_UNIT_BLOCKS, type MixedPrecision } from "./precision.ts";
import { allShapes, passShapes } from "./matmul_shapes.ts";
import { floatsOf } from "../views.ts";
import {
  decodeLossScale,
  decodeTrainingState,
  encodeLossScale,
  encodeTrainingState,
  type FinishedStep,
  initialLossScale,
  type LossScaling,
  lossScalingOf,
  TRAINING_STATE_BYTES,
} from "./training_state.ts";
import { chunkTable, scalarWords, Update } from "./update.ts";

function anyOf([first]: readonly View[]): View {
  if (first === undefined) throw new Error("No memory for a gradient");
  return first;
}

/** What a session is made of. */
export interface MixedSessionParts {
  readonly device: Device;
  /** compiled for the model's head and the precision */
  readonly kernels: MixedKernels;
  readonly precision: MixedPrecision;
  /** absent: the project's own matmuls */
  readonly library?: CublasLt;
  readonly memory?: Omit<MixedMemoryOptions, "matmuls">;
  /** what the bits of the kernels depend on */
  readonly conditions?: Readonly<Record<string, string>>;
}

/** See {@linkcode Session}. */
export class MixedSession implements Session {
  readonly divided?: DividedStep;
  /** what the bits depend on besides the engine's own conditions: kernels, and how each matmul is computed */
  readonly conditions: Readonly<Record<string, string>>;
  readonly #device: Device;
  readonly #options: SessionOptions;
  readonly #precision: MixedPrecision;
  readonly #scaling: LossScaling;
  readonly #memory: MixedMemory;
  readonly #buffers: Buffers;
  readonly #inputs: PassInputs;
  readonly #matmuls: Matmuls;
  readonly #pass: PassContext;
  readonly #update: Update;
  readonly #parameters: number;
  readonly #calls = new SessionCalls();
  /** where the sum over gradient blocks of the last batch stands */
  #sum: View;

  /**
   * Takes the memory on the device; weights and moments are zero.
   *
   * @throws {UserError} `OUT_OF_DEVICE_MEMORY` with the gradient block that would fit
   */
  constructor(
    { device, kernels, precision, library, memory = {}, conditions = {} }: MixedSessionParts,
    options: SessionOptions,
  ) {
    const { model, gradientBlockSequences } = options;
    const memoryOptions: MixedMemoryOptions = { ...memory, matmuls: library === undefined ? "own" : "cuBLASLt" };
    this.#device = device;
    this.#options = options;
    this.#precision = precision;
    this.#scaling = lossScalingOf(precision);
    this.#memory = planMixedMemory(options, memoryOptions);
    this.#parameters = parameterCount(model);
    requireMemory(this.#memory, device.freeMemory(), options, memoryOptions);
    this.#buffers = takeBuffers(device, this.#memory, options);
    const { regions } = this.#buffers;
    try {
      this.#inputs = new PassInputs(device, regions.passInput, model, gradientBlockSequences);
      this.#matmuls = library === undefined
        ? new OwnMatmuls(device, kernels, regions.matmulWorkspace)
        : new LibraryMatmuls(device, library, regions.matmulWorkspace, precision, this.#shapes());
    } catch (error) {
      freeBuffers(device, this.#buffers);
      throw error;
    }
    this.conditions = { ...conditions, ...this.#matmuls.algorithms };
    this.#pass = new PassContext(device, kernels, this.#matmuls, model, this.#memory, this.#buffers);
    this.#update = new Update(device, kernels, model, this.#scaling);
    this.#sum = anyOf(this.#buffers.gradients);
    this.#uploadTables();
    const { weights, firstMoments, secondMoments, roundedWeights } = regions;
    for (const vector of [weights, firstMoments, secondMoments, roundedWeights]) device.fill32(vector, 0);
    if (options.inferenceOnly !== true) this.divided = this.#pieces();
  }

  #pieces(): DividedStep {
    const { regions } = this.#buffers;
    return new DeviceDividedStep({
      device: this.#device,
      options: this.#options,
      calls: this.#calls,
      unitBlocks: MIXED_UNIT_BLOCKS,
      weights: regions.weights,
      chunkSums: regions.chunkSums,
      sum: () => this.#sum,
      sumGradients: async (tokens) => {
        await this.#sumGradients(tokens);
        return await this.#readLosses(countWindows(tokens, this.#options.model));
      },
      squares: (slice) => this.#update.squares(this.#sum, slice, regions),
      update: async (slice, { losses, learningRate, step }) => {
        this.#loadScalars(learningRate, step);
        this.#finish(slice);
        const { outcome, gradientNorm } = await this.#readTrainingState();
        return { loss: batchLoss(this.#options, losses), gradientNorm, outcome };
      },
      weightsChanged: () => this.#update.roundWeights(regions),
    });
  }

  #loadScalars(learningRate: number, step: number): void {
    const words = scalarWords(this.#options.optimizer, learningRate, step);
    this.#device.upload(this.#buffers.regions.updateScalars, words);
  }

  /** Decides what becomes of the step by all chunks' Σ g², and updates a slice unless it is skipped. */
  #finish(slice: Slice): void {
    const { regions } = this.#buffers;
    const { optimizer, batchSequences, gradientBlockSequences } = this.#options;
    const views = { ...regions, state: regions.trainingState, scalars: regions.updateScalars };
    this.#update.decide(batchSequences / gradientBlockSequences, optimizer.gradientClip, views);
    if (slice.end > slice.first) this.#update.apply(this.#sum, slice, views);
  }

  /** Shapes of all matmuls that a pass asks for. */
  #shapes(): MatmulShape[] {
    const logitRows = this.#memory.logitRanges.map(({ count }) => count);
    return allShapes(passShapes(this.#options.model, this.#memory.rows), logitRows);
  }

  /** Rotary tables, chunks, and the loss scale of a new training. */
  #uploadTables(): void {
    const { model } = this.#options;
    const { cosines, sines, chunks, trainingState } = this.#buffers.regions;
    const tables = rotaryTables(model);
    this.#device.upload(cosines, tables.cosines);
    this.#device.upload(sines, tables.sines);
    this.#device.upload(chunks, chunkTable(model));
    this.#device.upload(trainingState, encodeTrainingState(initialLossScale(this.#scaling)));
  }

  get memoryBytes(): number {
    return this.#memory.bytes;
  }

  readState(): Promise<Required<TrainingState>> {
    return this.#calls.exclusively(async () => {
      const { regions } = this.#buffers;
      const state = this.#newState();
      await this.#device.download(regions.weights, state.weights);
      await this.#device.download(regions.firstMoments, state.firstMoments);
      await this.#device.download(regions.secondMoments, state.secondMoments);
      const { lossScale } = await this.#readTrainingState();
      state.engineState.set(encodeLossScale(lossScale));
      return state;
    });
  }

  writeState(fill: (state: Required<TrainingState>) => void | Promise<void>): Promise<void> {
    return this.#calls.exclusively(async () => {
      const { regions } = this.#buffers;
      const state = this.#newState();
      await fill(state);
      const lossScale = decodeLossScale(state.engineState);
      this.#device.upload(regions.weights, state.weights);
      this.#device.upload(regions.firstMoments, state.firstMoments);
      this.#device.upload(regions.secondMoments, state.secondMoments);
      this.#device.upload(regions.trainingState, encodeTrainingState(lossScale));
      this.#update.roundWeights(regions);
    });
  }

  #newState() {
    const vector = () => new Float32Array(this.#parameters);
    return {
      weights: vector(),
      firstMoments: vector(),
      secondMoments: vector(),
      engineState: encodeLossScale(initialLossScale(this.#scaling)),
    };
  }

  async #readTrainingState(): Promise<FinishedStep> {
    const bytes = new Uint8Array(TRAINING_STATE_BYTES);
    await this.#device.download(this.#buffers.regions.trainingState, bytes);
    return decodeTrainingState(bytes);
  }

  step(tokens: Uint16Array, learningRate: number, step: number): Promise<StepResult> {
    return this.#calls.exclusively(async () => {
      const { model, batchSequences } = this.#options;
      requireBatch(tokens, model, batchSequences);
      this.#loadScalars(learningRate, step);
      await this.#sumGradients(tokens);
      this.#update.squares(this.#sum, this.#update.whole, this.#buffers.regions);
      this.#finish(this.#update.whole);
      const loss = await this.#readLoss();
      const { outcome, gradientNorm } = await this.#readTrainingState();
      return { loss, gradientNorm, outcome };
    });
  }

  gradient(tokens: Uint16Array): Promise<{ loss: number; gradient: Float32Array }> {
    return this.#calls.exclusively(async () => {
      const { model, batchSequences, gradientBlockSequences } = this.#options;
      requireBatch(tokens, model, batchSequences);
      await this.#sumGradients(tokens);
      const gradient = new Float32Array(this.#parameters);
      await this.#device.download(this.#sum, gradient);
      const { lossScale } = await this.#readTrainingState();
      const factor = 1 / (lossScale.scale * (batchSequences / gradientBlockSequences));
      return { loss: await this.#readLoss(), gradient: gradient.map((value) => value * factor) };
    });
  }

  /** Sum over gradient blocks of each one's mean gradient, times the loss scale; losses of all sequences. */
  async #sumGradients(tokens: Uint16Array): Promise<void> {
    const { model, gradientBlockSequences: sequences } = this.#options;
    const { sequenceLosses } = this.#buffers.regions;
    const width = model.sequenceLength + 1;
    const blocks = countWindows(tokens, model) / sequences;
    const add = (target: View, source: View) => this.#update.addGradient(target, source);
    const tree = new GradientTree(blocks, this.#buffers.gradients, add);
    for (let block = 0; block < blocks; block++) {
      const first = block * sequences;
      const input = await this.#inputs.load(tokens.subarray(first * width, (first + sequences) * width), true);
      forward(this.#pass, input.tokens, true);
      const sums = floatsOf(sequenceLosses, first, sequences);
      new BackwardPass(this.#pass, tree.target(block)).run(input, 1 / this.#memory.rows, sums);
      tree.finish(block);
    }
    this.#sum = tree.sum;
  }

  /** Mean loss of the last batch. */
  async #readLoss(): Promise<number> {
    return batchLoss(this.#options, await this.#readLosses(this.#options.batchSequences));
  }

  /** Summed cross-entropy of the first sequences of what was trained on last. */
  async #readLosses(sequences: number): Promise<Float32Array> {
    const sums = new Float32Array(sequences);
    await this.#device.download(floatsOf(this.#buffers.regions.sequenceLosses, 0, sequences), sums);
    return sums;
  }

  /** Always in whole passes, so that a window's loss does not depend on the others. */
  evaluate(tokens: Uint16Array): Promise<Float32Array> {
    return this.#calls.exclusively(async () => {
      const { model, gradientBlockSequences: sequences } = this.#options;
      const sums = floatsOf(this.#buffers.regions.sequenceLosses, 0, sequences);
      const width = model.sequenceLength + 1;
      const total = countWindows(tokens, model);
      const result = new Float32Array(total);
      const part = new Float32Array(sequences);
      for (let first = 0; first < total; first += sequences) {
        const windows = Math.min(sequences, total - first);
        const input = await this.#inputs.load(tokens.subarray(first * width, (first + windows) * width), false);
        forward(this.#pass, input.tokens, false);
        losses(this.#pass, input.tokens, sums);
        await this.#device.download(sums, part);
        result.set(part.subarray(0, windows), first);
      }
      return result;
    });
  }

  logits(tokens: Uint16Array): Promise<Float32Array> {
    return this.#calls.exclusively(async () => {
      const { model } = this.#options;
      requireWindow(tokens, model);
      const input = await this.#inputs.load(tokens, false);
      forward(this.#pass, input.tokens, false);
      const result = new Float32Array(tokens.length * model.vocabularySize);
      for (const range of this.#memory.logitRanges) {
        const count = Math.min(range.count, tokens.length - range.first);
        if (count <= 0) break;
        const { logits } = headForward(this.#pass, range);
        const bits = new Uint16Array(count * model.vocabularySize);
        await this.#device.download(slice(logits, 0, bits.byteLength), bits);
        result.set(decodeHalves(bits, this.#precision), range.first * model.vocabularySize);
      }
      return result;
    });
  }

  close(): void {
    if (this.#calls.failure !== undefined) return;
    this.#calls.end(new Error("The session is closed"));
    this.#matmuls.close();
    this.#inputs.close();
    freeBuffers(this.#device, this.#buffers);
  }
}
