/** A training session of the CUDA engine's ordered mode: the arithmetic, and so the bits, of the exact engine. */
import { parameterCount } from "../../../model/config.ts";
import type { DividedStep, Slice } from "../../divided_step.ts";
import type { Session, SessionOptions, StepResult, TrainingState } from "../../engine.ts";
import { batchLoss, tokenWeight } from "../../ordered/batch_loss.ts";
import { chunksOf } from "../../ordered/chunks.ts";
import { rotaryTables } from "../../ordered/rotary_tables.ts";
import { joinBlocks, joinMicroBatch } from "../../ordered/tree.ts";
import { updateScalars } from "../../ordered/update_scalars.ts";
import { countWindows, requireBatch, requireWindow, SessionCalls } from "../../session_calls.ts";
import { DeviceDividedStep } from "../divided_step.ts";
import type { Device } from "../driver/device.ts";
import { slice, type View } from "../driver/view.ts";
import { floatsOf } from "../views.ts";
import { type Buffers, freeBuffers, takeBuffers } from "./buffers.ts";
import { indexTokens } from "./embedding_index.ts";
import type { OrderedKernels } from "./kernels.ts";
import { type OrderedMemory, planOrderedMemory } from "./memory.ts";
import { OrderedPass } from "./pass.ts";

/** See {@linkcode Session}. */
export class OrderedSession implements Session {
  readonly divided?: DividedStep;
  readonly #device: Device;
  readonly #kernels: OrderedKernels;
  readonly #options: SessionOptions;
  readonly #memory: OrderedMemory;
  readonly #buffers: Buffers;
  readonly #pass: OrderedPass;
  readonly #parameters: number;
  readonly #chunkCount: number;
  readonly #calls = new SessionCalls();

  /**
   * Takes the memory on the device; weights and moments are zero.
   *
   * @throws {UserError} `OUT_OF_DEVICE_MEMORY`
   */
  constructor(device: Device, kernels: OrderedKernels, options: SessionOptions) {
    const { model } = options;
    this.#device = device;
    this.#kernels = kernels;
    this.#options = options;
    this.#memory = planOrderedMemory(options);
    this.#buffers = takeBuffers(device, this.#memory, model.layers);
    this.#pass = new OrderedPass(kernels, model, this.#buffers, this.#memory);
    this.#parameters = parameterCount(model);
    this.#chunkCount = this.#uploadTables();
    const { weights, firstMoments, secondMoments } = this.#buffers.regions;
    for (const vector of [weights, firstMoments, secondMoments]) kernels.fillZero(vector, this.#parameters);
    if (options.inferenceOnly !== true) this.divided = this.#pieces();
  }

  #pieces(): DividedStep {
    const { weights, chunkSums } = this.#buffers.regions;
    return new DeviceDividedStep({
      device: this.#device,
      options: this.#options,
      calls: this.#calls,
      unitBlocks: 1,
      weights,
      chunkSums,
      sum: () => this.#sum(),
      sumGradients: (tokens) => this.#sumGradients(tokens),
      squares: (slice) => this.#squares(slice),
      update: async (slice, { losses, learningRate, step }) =>
        this.#finish(slice, { loss: batchLoss(this.#options, losses), gradientNorm: await this.#norm() }, {
          learningRate,
          step,
        }),
      weightsChanged: () => {},
    });
  }

  /** Every chunk. */
  #whole(): Slice {
    return { first: 0, end: this.#chunkCount };
  }

  /** Where the sum over gradient blocks stands: in the first block's place. */
  #sum(): View {
    return floatsOf(this.#buffers.regions.gradients, 0, this.#parameters);
  }

  /** Rotary tables, and chunks with their decay; returns the number of chunks. */
  #uploadTables(): number {
    const { model } = this.#options;
    const { cosines, sines, chunkRanges, chunkDecayed } = this.#buffers.regions;
    const tables = rotaryTables(model);
    this.#upload(cosines, tables.cosines);
    this.#upload(sines, tables.sines);
    const chunks = chunksOf(model);
    this.#upload(chunkRanges, Uint32Array.from(chunks.flatMap(({ offset, size }) => [offset, size])));
    this.#upload(chunkDecayed, Uint8Array.from(chunks, ({ decayed }) => Number(decayed)));
    return chunks.length;
  }

  /** Copies to the beginning of a region. */
  #upload(target: View, source: ArrayBufferView<ArrayBuffer>): void {
    this.#device.upload(slice(target, 0, source.byteLength), source);
  }

  get memoryBytes(): number {
    return this.#memory.bytes;
  }

  readState(): Promise<TrainingState> {
    return this.#calls.exclusively(async () => {
      const { regions } = this.#buffers;
      const state = this.#newState();
      await this.#device.download(regions.weights, state.weights);
      await this.#device.download(regions.firstMoments, state.firstMoments);
      await this.#device.download(regions.secondMoments, state.secondMoments);
      return state;
    });
  }

  writeState(fill: (state: TrainingState) => void | Promise<void>): Promise<void> {
    return this.#calls.exclusively(async () => {
      const { regions } = this.#buffers;
      const state = this.#newState();
      await fill(state);
      this.#upload(regions.weights, state.weights);
      this.#upload(regions.firstMoments, state.firstMoments);
      this.#upload(regions.secondMoments, state.secondMoments);
    });
  }

  #newState() {
    const vector = () => new Float32Array(this.#parameters);
    return { weights: vector(), firstMoments: vector(), secondMoments: vector() };
  }

  step(tokens: Uint16Array, learningRate: number, step: number): Promise<StepResult> {
    return this.#calls.exclusively(async () => {
      const found = await this.#meanGradient(tokens);
      return this.#finish(this.#whole(), found, { learningRate, step });
    });
  }

  /** The update of a slice, if there is one. */
  #finish(
    slice: Slice,
    { loss, gradientNorm }: { readonly loss: number; readonly gradientNorm: number },
    { learningRate, step }: { readonly learningRate: number; readonly step: number },
  ): StepResult {
    const updated = Number.isFinite(loss) && Number.isFinite(gradientNorm);
    if (updated && slice.end > slice.first) this.#update(slice, learningRate, step, gradientNorm);
    return { loss, gradientNorm, outcome: updated ? "updated" : "diverged" };
  }

  gradient(tokens: Uint16Array): Promise<{ loss: number; gradient: Float32Array }> {
    return this.#calls.exclusively(async () => {
      const { loss } = await this.#meanGradient(tokens);
      const gradient = new Float32Array(this.#parameters);
      await this.#device.download(this.#sum(), gradient);
      return { loss, gradient };
    });
  }

  /** The step's mean gradient into the first block's, with its norm, and the loss. */
  async #meanGradient(tokens: Uint16Array): Promise<{ loss: number; gradientNorm: number }> {
    const { model, batchSequences } = this.#options;
    requireBatch(tokens, model, batchSequences);
    const losses = await this.#sumGradients(tokens);
    this.#squares(this.#whole());
    return { loss: batchLoss(this.#options, losses), gradientNorm: await this.#norm() };
  }

  /** Sum of the blocks' gradients, which are shares of the batch's mean, into the first block's; losses by sequence. */
  async #sumGradients(tokens: Uint16Array): Promise<Float32Array> {
    const { model, gradientBlockSequences } = this.#options;
    const { microBatchBlocks } = this.#memory;
    const { sequenceLosses, gradients } = this.#buffers.regions;
    const losses = new Float32Array(countWindows(tokens, model));
    const blocks = losses.length / gradientBlockSequences;
    const groups = Math.ceil(blocks / microBatchBlocks);
    const weight = tokenWeight(this.#options);
    for (let group = 0; group < groups; group++) {
      const first = group * microBatchBlocks;
      const count = Math.min(microBatchBlocks, blocks - first);
      const sequences = count * gradientBlockSequences;
      const firstSequence = first * gradientBlockSequences;
      const index = this.#loadTokens(tokens, firstSequence, sequences);
      this.#pass.forward(sequences, true);
      this.#pass.loss(sequences, weight, floatsOf(sequenceLosses, firstSequence, sequences));
      this.#pass.backward({ gradients, blocks: count, sequencesPerBlock: gradientBlockSequences, index });
      this.#joinGroup(group, count, group === groups - 1);
    }
    await this.#device.download(floatsOf(sequenceLosses, 0, losses.length), losses);
    return losses;
  }

  /** Σ g² of a slice's chunks. */
  #squares({ first, end }: Slice): void {
    const { chunkSums } = this.#buffers.regions;
    const count = end - first;
    this.#kernels.chunkSquares(this.#sum(), this.#ranges({ first, end }), floatsOf(chunkSums, first, count), count);
  }

  /** Offsets and sizes of a slice's chunks. */
  #ranges({ first, end }: Slice): View {
    return floatsOf(this.#buffers.regions.chunkRanges, 2 * first, 2 * (end - first));
  }

  /** L2 norm, from all chunks' Σ g²; these are lost. */
  async #norm(): Promise<number> {
    const { chunkSums } = this.#buffers.regions;
    this.#kernels.treeSum(chunkSums, this.#chunkCount);
    const squares = new Float32Array(1);
    await this.#device.download(floatsOf(chunkSums, 0, 1), squares);
    return Math.fround(Math.sqrt(squares[0] ?? NaN));
  }

  /** Copies a micro-batch's tokens to the device, with their rows by gradient block and token. */
  #loadTokens(tokens: Uint16Array, firstSequence: number, sequences: number) {
    const { model, gradientBlockSequences } = this.#options;
    const { regions } = this.#buffers;
    const width = model.sequenceLength + 1;
    const part = tokens.slice(firstSequence * width, (firstSequence + sequences) * width);
    const { ids, starts, rows } = indexTokens(part, model.sequenceLength, gradientBlockSequences);
    this.#upload(regions.tokens, part);
    this.#upload(regions.embeddingIds, ids);
    this.#upload(regions.embeddingStarts, starts);
    this.#upload(regions.embeddingRows, rows);
    return {
      ids: regions.embeddingIds,
      starts: regions.embeddingStarts,
      rows: regions.embeddingRows,
      count: ids.length,
    };
  }

  /** The pairwise tree over gradient blocks: within the micro-batch, then with the sums of earlier micro-batches. */
  #joinGroup(group: number, count: number, isLast: boolean): void {
    const { gradients, levelGradients } = this.#buffers.regions;
    const size = this.#parameters;
    const block = (i: number) => floatsOf(gradients, i * size, size);
    const waiting = (level: number) => floatsOf(levelGradients, level * size, size);
    joinBlocks(count, (i, twin) => this.#kernels.addInto(block(i), block(twin), size));
    joinMicroBatch(
      { index: group, isLast, levels: this.#memory.levels },
      (level) => this.#kernels.addInto(block(0), waiting(level), size),
      (level) => this.#device.copy(waiting(level), block(0)),
    );
  }

  #update({ first, end }: Slice, learningRate: number, step: number, gradientNorm: number): void {
    const { regions } = this.#buffers;
    const count = end - first;
    const chunks = { ranges: this.#ranges({ first, end }), decayed: slice(regions.chunkDecayed, first, count), count };
    const scalars = updateScalars(this.#options.optimizer, learningRate, step, gradientNorm);
    this.#kernels.adamw(regions, this.#sum(), chunks, scalars);
  }

  evaluate(tokens: Uint16Array): Promise<Float32Array> {
    return this.#calls.exclusively(async () => {
      const { model } = this.#options;
      const { regions } = this.#buffers;
      const { microBatchSequences } = this.#memory;
      const width = model.sequenceLength + 1;
      const total = countWindows(tokens, model);
      const losses = new Float32Array(total);
      for (let first = 0; first < total; first += microBatchSequences) {
        const windows = Math.min(microBatchSequences, total - first);
        this.#upload(regions.tokens, tokens.slice(first * width, (first + windows) * width));
        this.#pass.forward(windows, false);
        this.#pass.loss(windows, 0, floatsOf(regions.sequenceLosses, 0, windows));
        await this.#device.download(
          floatsOf(regions.sequenceLosses, 0, windows),
          losses.subarray(first, first + windows),
        );
      }
      return losses;
    });
  }

  logits(tokens: Uint16Array): Promise<Float32Array> {
    return this.#calls.exclusively(async () => {
      const { model } = this.#options;
      const { regions } = this.#buffers;
      requireWindow(tokens, model);
      const window = new Uint16Array(tokens.length + 1);
      window.set(tokens);
      this.#upload(regions.tokens, window);
      this.#pass.forward(1, false);
      const logits = new Float32Array(tokens.length * model.vocabularySize);
      await this.#device.download(floatsOf(regions.logits, 0, logits.length), logits);
      return logits;
    });
  }

  close(): void {
    if (this.#calls.failure !== undefined) return;
    this.#calls.end(new Error("The session is closed"));
    freeBuffers(this.#device, this.#buffers);
  }
}
