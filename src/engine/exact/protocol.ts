/** What the session tells its worker threads, and how they wait for each other. */
import type { ModelConfig } from "../../model/config.ts";
import type { Slice } from "../divided_step.ts";
import type { SessionPenalty } from "../engine.ts";
import type { OptimizerSpecification } from "../../experiment/run/run.ts";
import type { KernelCode, SessionMemory } from "./kernel_code.ts";

/** Work that all threads share. */
export type Command =
  | { readonly kind: "evaluate"; readonly windows: number }
  | { readonly kind: "logits" }
  | { readonly kind: "gradient" }
  | { readonly kind: "partial"; readonly blocks: number }
  | { readonly kind: "squares"; readonly slice: Slice }
  | { readonly kind: "update"; readonly slice: Slice; readonly learningRate: number; readonly step: number }
  | { readonly kind: "step"; readonly learningRate: number; readonly step: number };

/** First message to a worker. */
export interface WorkerStart {
  readonly code: KernelCode;
  readonly memory: SessionMemory;
  readonly memoryLimit: number;
  readonly control: ArrayBufferLike;
  readonly model: ModelConfig;
  readonly optimizer: OptimizerSpecification;
  readonly penalty: SessionPenalty | undefined;
  readonly batchSequences: number;
  readonly gradientBlockSequences: number;
  readonly microBatchBlocks: number;
  readonly inferenceOnly: boolean;
  readonly evaluationWindows: number;
  readonly keepProbabilities: boolean;
  readonly threads: number;
  readonly thread: number;
}

/** Answer of the last thread to finish a command. */
export interface CommandResult {
  readonly kind: "done";
  readonly loss: number;
  readonly gradientNorm: number;
  readonly updated: boolean;
}

/** Answer of a thread that is ready, or that failed. */
export type WorkerMessage =
  | { readonly kind: "ready" }
  | { readonly kind: "error"; readonly message: string }
  | CommandResult;

/** Words of the control block. */
const TICKET = 0;
const ARRIVED = 1;
const GENERATION = 2;

/** Bytes of the control block. */
export const CONTROL_BYTES = 64;

/** Threads in lock step over a shared control block: a barrier, and tickets for units of work. */
export class Team {
  readonly #words: Int32Array;
  readonly #threads: number;

  constructor(control: ArrayBufferLike, threads: number) {
    this.#words = new Int32Array(control);
    this.#threads = threads;
  }

  /** Waits for all threads; the last to arrive resets the tickets. Returns true in that one. */
  barrier(): boolean {
    const words = this.#words;
    const generation = Atomics.load(words, GENERATION);
    if (Atomics.add(words, ARRIVED, 1) === this.#threads - 1) {
      Atomics.store(words, ARRIVED, 0);
      Atomics.store(words, TICKET, 0);
      Atomics.add(words, GENERATION, 1);
      Atomics.notify(words, GENERATION);
      return true;
    }
    while (Atomics.load(words, GENERATION) === generation) Atomics.wait(words, GENERATION, generation);
    return false;
  }

  /** The next unit of work that no thread has taken since the last barrier. Which thread takes it changes no bit. */
  ticket(): number {
    return Atomics.add(this.#words, TICKET, 1);
  }
}
