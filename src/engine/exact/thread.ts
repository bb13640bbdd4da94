/** One thread of the exact engine: takes gradient blocks, chunks and windows until none is left. Web-standard APIs only. */
import { batchLoss, tokenWeight } from "../ordered/batch_loss.ts";
import { type Chunk, chunksOf } from "../ordered/chunks.ts";
import { addPenalty, type PenaltyVectors } from "../ordered/penalty.ts";
import { joinBlocks, joinMicroBatch, treeSum } from "../ordered/tree.ts";
import type { Slice } from "../divided_step.ts";
import type { SessionPenalty } from "../engine.ts";
import { type UpdateScalars, updateScalars } from "../ordered/update_scalars.ts";
import { bufferOf } from "./kernel_code.ts";
import type { Kernels } from "./kernels.ts";
import { type Layout, planLayout } from "./layout.ts";
import { type Command, type CommandResult, Team, type WorkerStart } from "./protocol.ts";
import { SequencePass } from "./sequence_pass.ts";

const FLOAT = 4;

/** What a command answers that computes no step. */
const NOTHING = { loss: 0, gradientNorm: 0, updated: false } as const;

/** What a thread does with commands, whether it runs in a worker or where the session does. */
export class Thread {
  readonly #start: WorkerStart;
  readonly #kernels: Kernels;
  readonly #layout: Layout;
  readonly #team: Team;
  readonly #pass: SequencePass;
  readonly #chunks: Chunk[];
  readonly #windowLosses: Float32Array;
  readonly #chunkSums: Float32Array;
  readonly #penaltyVectors: PenaltyVectors;

  constructor(start: WorkerStart, kernels: Kernels) {
    this.#start = start;
    this.#kernels = kernels;
    const { threads, evaluationWindows, keepProbabilities, memoryLimit } = start;
    this.#layout = planLayout(start, threads, evaluationWindows, keepProbabilities, memoryLimit);
    this.#team = new Team(start.control, start.threads);
    const arena = this.#layout.arenas[start.thread];
    if (arena === undefined) throw new Error(`No arena for thread ${start.thread}`);
    this.#pass = new SequencePass(kernels, start.model, this.#layout, arena);
    this.#chunks = chunksOf(start.model);
    const buffer = bufferOf(start.memory);
    this.#windowLosses = new Float32Array(buffer, this.#layout.windowLosses, this.#layout.tokenWindows);
    this.#chunkSums = new Float32Array(buffer, this.#layout.chunkSums, this.#chunks.length);
    const { parameters, weights, anchor, importance } = this.#layout;
    const floats = (address: number, length: number) => new Float32Array(buffer, address, length);
    const { penalty, inferenceOnly } = start;
    const penalised = penalty === undefined || inferenceOnly ? 0 : parameters;
    this.#penaltyVectors = {
      gradient: floats(this.#gradientAddress(0), penalised),
      weights: floats(weights, penalised),
      anchor: floats(anchor, penalised),
      importance: floats(importance, penalty?.kind === "ewc" ? penalised : 0),
    };
  }

  /** Runs a command to its end; the result is given by the last thread to arrive. */
  run(command: Command): CommandResult | undefined {
    const result = this.#carryOut(command);
    return this.#team.barrier() ? { kind: "done", ...result } : undefined;
  }

  #carryOut(command: Command): Omit<CommandResult, "kind"> {
    switch (command.kind) {
      case "evaluate":
        this.#evaluate(command.windows);
        return NOTHING;
      case "logits":
        if (this.#start.thread === 0) this.#pass.forward(this.#windowAddress(0));
        return NOTHING;
      case "partial":
        this.#sumBlocks(command.blocks);
        return NOTHING;
      case "squares":
        this.#takeChunks(command.slice, (index) => this.#finishChunk(index, this.#start.penalty));
        return NOTHING;
      case "update":
        return this.#update(command.slice, command);
      case "gradient":
        this.#sumBlocks(this.#blocks, (index) => this.#finishChunk(index, undefined));
        return { ...this.#lossAndNorm(), updated: false };
      case "step":
        this.#sumBlocks(this.#blocks, (index) => this.#finishChunk(index, this.#start.penalty));
        return this.#update({ first: 0, end: this.#chunks.length }, command);
    }
  }

  get #blocks(): number {
    return this.#start.batchSequences / this.#start.gradientBlockSequences;
  }

  #windowAddress(window: number): number {
    return this.#layout.tokens + window * (this.#start.model.sequenceLength + 1) * 2;
  }

  #evaluate(windows: number): void {
    for (let window = this.#team.ticket(); window < windows; window = this.#team.ticket()) {
      this.#windowLosses[window] = this.#pass.evaluate(this.#windowAddress(window));
    }
  }

  /** Chunks of a slice that no other thread takes. */
  #takeChunks({ first, end }: Slice, take: (index: number) => void): void {
    for (let i = first + this.#team.ticket(); i < end; i = first + this.#team.ticket()) take(i);
  }

  /**
   * Σ of the gradients of the first blocks in memory, by the pairwise tree, into the first block's buffer.
   *
   * @param finish called for every chunk of the sum while it is in the cache
   */
  #sumBlocks(blocks: number, finish?: (index: number) => void): void {
    const { microBatchBlocks } = this.#layout;
    const all = { first: 0, end: this.#chunks.length };
    const groups = Math.ceil(blocks / microBatchBlocks);
    for (let group = 0; group < groups; group++) {
      const first = group * microBatchBlocks;
      const count = Math.min(microBatchBlocks, blocks - first);
      const isLast = group === groups - 1;
      for (let i = this.#team.ticket(); i < count; i = this.#team.ticket()) this.#computeBlock(first + i, i);
      this.#team.barrier();
      this.#takeChunks(all, (index) => {
        this.#reduceChunk(index, count, group, isLast);
        if (isLast) finish?.(index);
      });
      this.#team.barrier();
    }
  }

  /** One gradient block: its windows one after the other, each continuing the chains of the block's gradient. */
  #computeBlock(block: number, slot: number): void {
    const { gradientBlockSequences } = this.#start;
    const gradient = this.#gradientAddress(slot);
    const weight = tokenWeight(this.#start);
    const first = block * gradientBlockSequences;
    for (let window = first; window < first + gradientBlockSequences; window++) {
      this.#windowLosses[window] = this.#pass.train(this.#windowAddress(window), gradient, window === first, weight);
    }
  }

  #gradientAddress(slot: number): number {
    const address = this.#layout.blockGradients[slot];
    if (address === undefined) throw new RangeError(`No gradient buffer ${slot}`);
    return address;
  }

  /**
   * The pairwise tree over blocks, for one chunk: within the micro-batch, then with the sums of earlier micro-batches
   * that wait for a twin of the same size, like carries of a binary counter.
   */
  #reduceChunk(index: number, count: number, group: number, isLast: boolean): void {
    const chunk = this.#chunks[index] as Chunk;
    const at = (address: number) => address + chunk.offset * FLOAT;
    const { size } = chunk;
    const block = (i: number) => at(this.#gradientAddress(i));
    joinBlocks(count, (i, twin) => this.#kernels.add(block(i), block(twin), size));
    const sum = block(0);
    const levels = this.#layout.levelGradients;
    const waiting = (level: number) => at(levels[level] as number);
    joinMicroBatch(
      { index: group, isLast, levels: levels.length },
      (level) => this.#kernels.add(sum, waiting(level), size),
      (level) => {
        this.#kernels.fill(waiting(level), size, 0);
        this.#kernels.add(waiting(level), sum, size);
      },
    );
  }

  /** A penalty's gradient on top of a chunk of the batch's, and its sum of squares. */
  #finishChunk(index: number, penalty: SessionPenalty | undefined): void {
    const { offset, size } = this.#chunks[index] as Chunk;
    if (penalty !== undefined) addPenalty(penalty, this.#penaltyVectors, offset, size);
    this.#chunkSums[index] = this.#kernels.sumOfSquares(this.#gradientAddress(0) + offset * FLOAT, size);
  }

  #lossAndNorm(): { readonly loss: number; readonly gradientNorm: number } {
    return {
      loss: batchLoss(this.#start, this.#windowLosses),
      gradientNorm: Math.fround(Math.sqrt(treeSum(this.#chunkSums))),
    };
  }

  /** AdamW on a slice, if loss and norm are finite. */
  #update(
    slice: Slice,
    { learningRate, step }: { readonly learningRate: number; readonly step: number },
  ): Omit<CommandResult, "kind"> {
    const { loss, gradientNorm } = this.#lossAndNorm();
    const updated = Number.isFinite(loss) && Number.isFinite(gradientNorm);
    if (updated) this.#updateChunks(slice, updateScalars(this.#start.optimizer, learningRate, step, gradientNorm));
    return { loss, gradientNorm, updated };
  }

  #updateChunks(slice: Slice, s: UpdateScalars): void {
    const gradient = this.#gradientAddress(0);
    const { weights, firstMoments, secondMoments } = this.#layout;
    this.#takeChunks(slice, (i) => {
      const { offset, size, decayed } = this.#chunks[i] as Chunk;
      const bytes = offset * FLOAT;
      this.#kernels.adamw(
        weights + bytes,
        firstMoments + bytes,
        secondMoments + bytes,
        gradient + bytes,
        size,
        s.clip,
        s.beta1,
        s.oneMinusBeta1,
        s.beta2,
        s.oneMinusBeta2,
        s.stepSize,
        s.rootCorrection2,
        s.epsilon,
        decayed ? s.decay : 1,
      );
    });
  }
}
