/** A training session of the exact engine: shared memory, worker threads, and the state between steps. */
import type { Session, SessionOptions, StepResult, TrainingState } from "../engine.ts";
import type { DividedStep } from "../divided_step.ts";
import { countChunks } from "../ordered/chunks.ts";
import { countWindows, requireBatch, requireWindow, SessionCalls } from "../session_calls.ts";
import { rotaryHalf, writeRotaryTables } from "../ordered/rotary_tables.ts";
import { bufferOf, type KernelCode, type SessionMemory, sharesMemory, takeMemory } from "./kernel_code.ts";
import { ExactDividedStep } from "./divided_step.ts";
import { type Layout, planLayout } from "./layout.ts";
import { CallingThread, type EngineThread, WorkerThread } from "./engine_thread.ts";
import { type Command, type CommandResult, CONTROL_BYTES } from "./protocol.ts";

/** Windows that one evaluation command takes. */
export const EVALUATION_WINDOWS = 64;

/** Choices that change no bit. */
export interface ThreadOptions {
  /** worker threads, at least 1 */
  readonly threads: number;
  /** attention probabilities kept from the forward pass rather than computed again; default by their size */
  readonly keepProbabilities?: boolean;
}

/** Kernels, and the bytes that a session with them may take at most. */
export interface SessionCode {
  readonly code: KernelCode;
  readonly memoryLimit: number;
}

/** See {@linkcode Session}. */
export class ExactSession implements Session {
  readonly #state: TrainingState;
  readonly #layout: Layout;
  readonly #options: SessionOptions;
  readonly #memory: SessionMemory;
  readonly #buffer: ArrayBufferLike;
  readonly #tokens: Uint16Array;
  #workers: EngineThread[] = [];
  #pending: PromiseWithResolvers<CommandResult> | undefined;
  readonly #calls = new SessionCalls();
  readonly divided?: DividedStep;

  private constructor(
    { code, memoryLimit }: SessionCode,
    options: SessionOptions,
    { threads, keepProbabilities }: ThreadOptions,
  ) {
    this.#options = options;
    this.#layout = planLayout(options, threads, EVALUATION_WINDOWS, keepProbabilities, memoryLimit);
    this.#memory = takeMemory(code, this.#layout.bytes);
    this.#buffer = bufferOf(this.#memory);
    const { parameters, weights, firstMoments, secondMoments, cosines, sines, tokens } = this.#layout;
    const moments = options.inferenceOnly === true ? 0 : parameters;
    const floats = (address: number, length: number) => new Float32Array(this.#buffer, address, length);
    this.#state = {
      weights: floats(weights, parameters),
      firstMoments: floats(firstMoments, moments),
      secondMoments: floats(secondMoments, moments),
    };
    const tableSize = options.model.sequenceLength * rotaryHalf(options.model);
    writeRotaryTables(options.model, floats(cosines, tableSize), floats(sines, tableSize));
    const tokenCount = this.#layout.tokenWindows * (options.model.sequenceLength + 1);
    this.#tokens = new Uint16Array(this.#buffer, tokens, tokenCount);
    if (options.inferenceOnly !== true) this.divided = this.#divide();
  }

  #divide(): DividedStep {
    const { blockGradients, parameters, windowLosses, chunkSums } = this.#layout;
    const floats = (address: number, length: number) => new Float32Array(this.#buffer, address, length);
    return new ExactDividedStep(this.#options, {
      tokens: this.#tokens,
      losses: floats(windowLosses, this.#options.batchSequences),
      squares: floats(chunkSums, countChunks(this.#options.model)),
      sum: floats(blockGradients[0] as number, parameters),
      weights: this.#state.weights,
      run: (load, command) =>
        this.#calls.exclusively(() => {
          load();
          return this.#run(command);
        }),
      alone: (call) => this.#calls.exclusively(() => Promise.resolve(call())),
    });
  }

  /** Takes the memory and starts the threads. */
  static async open(
    code: SessionCode,
    options: SessionOptions,
    threadOptions: ThreadOptions,
  ): Promise<ExactSession> {
    const session = new ExactSession(code, options, threadOptions);
    try {
      await session.#startWorkers(code, threadOptions.threads);
    } catch (error) {
      session.close();
      throw error;
    }
    return session;
  }

  async #startWorkers({ code, memoryLimit }: SessionCode, threads: number): Promise<void> {
    const isShared = sharesMemory(code);
    const control = isShared ? new SharedArrayBuffer(CONTROL_BYTES) : new ArrayBuffer(CONTROL_BYTES);
    const failure = Promise.withResolvers<never>();
    const fail = (error: Error) => {
      this.#calls.end(error);
      failure.reject(error);
      this.#pending?.reject(error);
    };
    const { model, optimizer, penalty, batchSequences, gradientBlockSequences, inferenceOnly = false } = this.#options;
    this.#workers = Array.from({ length: threads }, () => isShared ? new WorkerThread(fail) : new CallingThread(fail));
    const started = Promise.all(this.#workers.map((worker, thread) => {
      const ready = Promise.withResolvers<void>();
      worker.onMessage(() => ready.resolve());
      worker.post({
        code,
        memory: this.#memory,
        memoryLimit,
        control,
        model,
        optimizer,
        penalty,
        batchSequences,
        gradientBlockSequences,
        microBatchBlocks: this.#layout.microBatchBlocks,
        inferenceOnly,
        evaluationWindows: EVALUATION_WINDOWS,
        keepProbabilities: this.#layout.keepProbabilities,
        threads,
        thread,
      });
      return ready.promise;
    }));
    await Promise.race([started, failure.promise]);
    for (const worker of this.#workers) {
      worker.onMessage((message) => {
        if (message.kind === "done") this.#pending?.resolve(message);
      });
    }
  }

  get memoryBytes(): number {
    return this.#layout.bytes;
  }

  async #run(command: Command): Promise<CommandResult> {
    if (this.#calls.failure !== undefined) throw this.#calls.failure;
    this.#pending = Promise.withResolvers<CommandResult>();
    try {
      for (const worker of this.#workers) worker.post(command);
      return await this.#pending.promise;
    } finally {
      this.#pending = undefined;
    }
  }

  #loadBatch(tokens: Uint16Array): void {
    if (this.#options.inferenceOnly === true) throw new Error("The session was opened for inference only");
    requireBatch(tokens, this.#options.model, this.#options.batchSequences);
    this.#tokens.set(tokens);
  }

  readState(): Promise<TrainingState> {
    return this.#calls.exclusively(() => Promise.resolve(this.#state));
  }

  writeState(fill: (state: TrainingState) => void | Promise<void>): Promise<void> {
    return this.#calls.exclusively(async () => {
      const { weights, firstMoments, secondMoments } = this.#state;
      for (const vector of [weights, firstMoments, secondMoments]) vector.fill(0);
      await fill(this.#state);
    });
  }

  step(tokens: Uint16Array, learningRate: number, step: number): Promise<StepResult> {
    return this.#calls.exclusively(async () => {
      this.#loadBatch(tokens);
      const { loss, gradientNorm, updated } = await this.#run({ kind: "step", learningRate, step });
      return { loss, gradientNorm, outcome: updated ? "updated" : "diverged" };
    });
  }

  gradient(tokens: Uint16Array): Promise<{ loss: number; gradient: Float32Array }> {
    return this.#calls.exclusively(async () => {
      this.#loadBatch(tokens);
      const { loss } = await this.#run({ kind: "gradient" });
      const address = this.#layout.blockGradients[0] as number;
      return { loss, gradient: new Float32Array(this.#buffer, address, this.#layout.parameters).slice() };
    });
  }

  anchor(importance: Float32Array | undefined): Promise<void> {
    return this.#calls.exclusively(() => {
      const { penalty, inferenceOnly = false } = this.#options;
      if (penalty === undefined || inferenceOnly) throw new Error("The session was opened without a penalty");
      const { parameters, anchor, importance: address } = this.#layout;
      if (penalty.kind === "ewc") {
        if (importance?.length !== parameters) {
          throw new RangeError(`EWC needs the importance of ${parameters} parameters`);
        }
        new Float32Array(this.#buffer, address, parameters).set(importance);
      }
      new Float32Array(this.#buffer, anchor, parameters).set(this.#state.weights);
      return Promise.resolve();
    });
  }

  evaluate(tokens: Uint16Array): Promise<Float32Array> {
    return this.#calls.exclusively(async () => {
      const { model } = this.#options;
      const width = model.sequenceLength + 1;
      const total = countWindows(tokens, model);
      const losses = new Float32Array(total);
      const shared = new Float32Array(this.#buffer, this.#layout.windowLosses, this.#layout.tokenWindows);
      for (let first = 0; first < total; first += this.#layout.tokenWindows) {
        const windows = Math.min(this.#layout.tokenWindows, total - first);
        this.#tokens.set(tokens.subarray(first * width, (first + windows) * width));
        await this.#run({ kind: "evaluate", windows });
        losses.set(shared.subarray(0, windows), first);
      }
      return losses;
    });
  }

  logits(tokens: Uint16Array): Promise<Float32Array> {
    return this.#calls.exclusively(async () => {
      const { sequenceLength, vocabularySize } = this.#options.model;
      requireWindow(tokens, this.#options.model);
      this.#tokens.set(tokens);
      await this.#run({ kind: "logits" });
      const arena = this.#layout.arenas[0];
      if (arena === undefined) throw new Error("The session has no threads");
      return new Float32Array(this.#buffer, arena.logits, sequenceLength * vocabularySize).slice();
    });
  }

  close(): void {
    for (const worker of this.#workers) worker.terminate();
    this.#workers = [];
    const reason = new Error("The session is closed");
    this.#calls.end(reason);
    this.#pending?.reject(reason);
  }
}
