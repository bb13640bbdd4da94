/** A training session of the exact engine: shared memory, worker threads, and the state between steps. */
import type { Session, SessionOptions, StepResult, TrainingState } from "../engine.ts";
import { rotaryHalf, writeRotaryTables } from "../ordered/rotary_tables.ts";
import { type Layout, planLayout } from "./layout.ts";
import { type Command, type CommandResult, CONTROL_BYTES, type WorkerMessage, type WorkerStart } from "./protocol.ts";

/** Windows that one evaluation command takes. */
export const EVALUATION_WINDOWS = 64;

const PAGE_BYTES = 65536;

/** Choices that change no bit. */
export interface ThreadOptions {
  /** worker threads, at least 1 */
  readonly threads: number;
  /** attention probabilities kept from the forward pass rather than computed again; default by their size */
  readonly keepProbabilities?: boolean;
}

class EngineThread {
  readonly #worker: Worker;
  #receive: (message: WorkerMessage) => void = () => {};

  constructor(onFailure: (error: Error) => void) {
    this.#worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    this.#worker.onmessage = ({ data }: MessageEvent<WorkerMessage>) => {
      if (data.kind === "error") onFailure(new Error(`A thread of the exact engine failed: ${data.message}`));
      else this.#receive(data);
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      onFailure(new Error(`A thread of the exact engine failed: ${event.message}`));
    };
  }

  onMessage(receive: (message: WorkerMessage) => void): void {
    this.#receive = receive;
  }

  post(message: WorkerStart | Command): void {
    this.#worker.postMessage(message);
  }

  terminate(): void {
    this.#worker.terminate();
  }
}

/** See {@linkcode Session}. */
export class ExactSession implements Session {
  readonly #state: TrainingState;
  readonly #layout: Layout;
  readonly #options: SessionOptions;
  readonly #memory: WebAssembly.Memory;
  readonly #tokens: Uint16Array;
  #workers: EngineThread[] = [];
  #pending: PromiseWithResolvers<CommandResult> | undefined;
  #busy = false;
  #failure: Error | undefined;

  private constructor(options: SessionOptions, { threads, keepProbabilities }: ThreadOptions) {
    this.#options = options;
    this.#layout = planLayout(options, threads, EVALUATION_WINDOWS, keepProbabilities);
    const pages = this.#layout.bytes / PAGE_BYTES;
    this.#memory = new WebAssembly.Memory({ initial: pages, maximum: 65536, shared: true });
    const { parameters, weights, firstMoments, secondMoments, cosines, sines, tokens } = this.#layout;
    const floats = (address: number, length: number) => new Float32Array(this.#memory.buffer, address, length);
    this.#state = {
      weights: floats(weights, parameters),
      firstMoments: floats(firstMoments, parameters),
      secondMoments: floats(secondMoments, parameters),
    };
    const tableSize = options.model.sequenceLength * rotaryHalf(options.model);
    writeRotaryTables(options.model, floats(cosines, tableSize), floats(sines, tableSize));
    const tokenCount = this.#layout.tokenWindows * (options.model.sequenceLength + 1);
    this.#tokens = new Uint16Array(this.#memory.buffer, tokens, tokenCount);
  }

  /** Takes the memory and starts the threads. */
  static async open(
    module: WebAssembly.Module,
    options: SessionOptions,
    threadOptions: ThreadOptions,
  ): Promise<ExactSession> {
    const session = new ExactSession(options, threadOptions);
    try {
      await session.#startWorkers(module, threadOptions.threads);
    } catch (error) {
      session.close();
      throw error;
    }
    return session;
  }

  async #startWorkers(module: WebAssembly.Module, threads: number): Promise<void> {
    const control = new SharedArrayBuffer(CONTROL_BYTES);
    const failure = Promise.withResolvers<never>();
    const fail = (error: Error) => {
      this.#failure ??= error;
      failure.reject(error);
      this.#pending?.reject(error);
    };
    const { model, optimizer, batchSequences, gradientBlockSequences } = this.#options;
    this.#workers = Array.from({ length: threads }, () => new EngineThread(fail));
    const started = Promise.all(this.#workers.map((worker, thread) => {
      const ready = Promise.withResolvers<void>();
      worker.onMessage(() => ready.resolve());
      worker.post({
        module,
        memory: this.#memory,
        control,
        model,
        optimizer,
        batchSequences,
        gradientBlockSequences,
        microBatchBlocks: this.#layout.microBatchBlocks,
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

  /** Refuses an overlapping call before it touches the memory that the running one reads. */
  async #exclusively<T>(call: () => Promise<T>): Promise<T> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#busy) throw new Error("Calls of a session must not overlap");
    this.#busy = true;
    try {
      return await call();
    } finally {
      this.#busy = false;
    }
  }

  async #run(command: Command): Promise<CommandResult> {
    if (this.#failure !== undefined) throw this.#failure;
    this.#pending = Promise.withResolvers<CommandResult>();
    try {
      for (const worker of this.#workers) worker.post(command);
      return await this.#pending.promise;
    } finally {
      this.#pending = undefined;
    }
  }

  #loadBatch(tokens: Uint16Array): void {
    const { batchSequences, model } = this.#options;
    const expected = batchSequences * (model.sequenceLength + 1);
    if (tokens.length !== expected) throw new RangeError(`A batch has ${expected} tokens, not ${tokens.length}`);
    this.#loadTokens(tokens);
  }

  #loadTokens(tokens: Uint16Array): void {
    const { vocabularySize } = this.#options.model;
    for (const token of tokens) {
      if (token >= vocabularySize) {
        throw new RangeError(`Token ${token} is outside the vocabulary of ${vocabularySize}`);
      }
    }
    this.#tokens.set(tokens);
  }

  readState(): Promise<TrainingState> {
    return this.#exclusively(() => Promise.resolve(this.#state));
  }

  writeState(fill: (state: TrainingState) => void | Promise<void>): Promise<void> {
    return this.#exclusively(async () => {
      for (const vector of Object.values(this.#state)) vector.fill(0);
      await fill(this.#state);
    });
  }

  step(tokens: Uint16Array, learningRate: number, step: number): Promise<StepResult> {
    return this.#exclusively(async () => {
      this.#loadBatch(tokens);
      const { loss, gradientNorm, updated } = await this.#run({ kind: "step", learningRate, step });
      return { loss, gradientNorm, updated };
    });
  }

  gradient(tokens: Uint16Array): Promise<{ loss: number; gradient: Float32Array }> {
    return this.#exclusively(async () => {
      this.#loadBatch(tokens);
      const { loss } = await this.#run({ kind: "gradient" });
      const address = this.#layout.blockGradients[0] as number;
      return { loss, gradient: new Float32Array(this.#memory.buffer, address, this.#layout.parameters).slice() };
    });
  }

  evaluate(tokens: Uint16Array): Promise<Float32Array> {
    return this.#exclusively(async () => {
      const width = this.#options.model.sequenceLength + 1;
      const total = tokens.length / width;
      if (!Number.isInteger(total)) throw new RangeError(`${tokens.length} tokens are not whole windows of ${width}`);
      const losses = new Float32Array(total);
      const shared = new Float32Array(this.#memory.buffer, this.#layout.windowLosses, this.#layout.tokenWindows);
      for (let first = 0; first < total; first += this.#layout.tokenWindows) {
        const windows = Math.min(this.#layout.tokenWindows, total - first);
        this.#loadTokens(tokens.subarray(first * width, (first + windows) * width));
        await this.#run({ kind: "evaluate", windows });
        losses.set(shared.subarray(0, windows), first);
      }
      return losses;
    });
  }

  logits(tokens: Uint16Array): Promise<Float32Array> {
    return this.#exclusively(async () => {
      const { sequenceLength, vocabularySize } = this.#options.model;
      if (tokens.length !== sequenceLength) {
        throw new RangeError(`A window has ${sequenceLength} tokens, not ${tokens.length}`);
      }
      this.#loadTokens(tokens);
      await this.#run({ kind: "logits" });
      const arena = this.#layout.arenas[0];
      if (arena === undefined) throw new Error("The session has no threads");
      return new Float32Array(this.#memory.buffer, arena.logits, sequenceLength * vocabularySize).slice();
    });
  }

  close(): void {
    for (const worker of this.#workers) worker.terminate();
    this.#workers = [];
    this.#failure = new Error("The session is closed");
    this.#pending?.reject(this.#failure);
  }
}
