/** What every engine offers: it holds weights and optimizer state, takes batches and rates, gives losses and norms. */
import type { DeterminismLevel, OptimizerSpecification } from "../experiment/run/run.ts";
import type { PenaltySpecification } from "../experiment/run/penalty.ts";
import type { ModelConfig } from "../model/config.ts";
import type { DividedStep } from "./divided_step.ts";

/** A penalty on the distance from anchored weights. */
export interface SessionPenalty {
  /** each parameter alike, or by its importance */
  readonly kind: PenaltySpecification["kind"];
  /** factor of the whole penalty */
  readonly strength: number;
}

/** What an engine needs to know before it takes memory. */
export interface SessionOptions {
  /** shape that memory is laid out for */
  readonly model: ModelConfig;
  /** fixed for the session */
  readonly optimizer: OptimizerSpecification;
  /** added to the gradient of each step, before its norm; only where `Engine.penalties` */
  readonly penalty?: SessionPenalty;
  /** sequences of an optimizer step, B */
  readonly batchSequences: number;
  /** sequences of a gradient block; divides `batchSequences` */
  readonly gradientBlockSequences: number;
  /** gradient blocks held at a time, a power of two; any value gives the same bits. Default: at least the threads */
  readonly microBatchBlocks?: number;
  /** only `evaluate` and `logits` will be called: an engine may then hold no moments and gradients */
  readonly inferenceOnly?: boolean;
}

/**
 * What became of a step: `skipped` if a 16-bit gradient overflowed, which a dynamic loss scale will see to, and
 * `diverged` if loss or norm is no finite number for good. Only `updated` changed the weights.
 */
export type UpdateOutcome = "updated" | "skipped" | "diverged";

/** Result of one optimizer step. */
export interface StepResult {
  /** mean cross-entropy of the batch before the update, nats a token, f32 */
  readonly loss: number;
  /** L2 norm of the gradient before clipping, f32 */
  readonly gradientNorm: number;
  /** whether the weights changed, and if not, why */
  readonly outcome: UpdateOutcome;
}

/** The three vectors a checkpoint holds, each flat in the order of `parameterShapes`. */
export interface TrainingState {
  /** θ, f32 */
  readonly weights: Float32Array;
  /** Adam's m, f32 */
  readonly firstMoments: Float32Array;
  /** Adam's v, f32 */
  readonly secondMoments: Float32Array;
  /** what the engine keeps besides, in a form of its own: a dynamic loss scale; absent if there is nothing */
  readonly engineState?: Uint8Array<ArrayBuffer>;
}

/** A model in training on one engine. Calls must not overlap. */
export interface Session {
  /** bytes that weights, moments, gradients and activations take */
  readonly memoryBytes: number;
  /** what this session's bits depend on besides `Engine.conditions`: how matmuls of its shapes are computed */
  readonly conditions?: Readonly<Record<string, string>>;
  /** The state as of now, to be read before the next call: an engine in main memory hands out what it works on. */
  readState(): Promise<TrainingState>;
  /**
   * Replaces the state by what `fill` leaves in what it is given: vectors of zeros, and the engine's own state as a new
   * training has it. If it throws, the state is undefined until the next call of this.
   */
  writeState(fill: (state: TrainingState) => void | Promise<void>): Promise<void>;
  /**
   * One optimizer step.
   *
   * @param tokens shape (batchSequences, sequenceLength + 1)
   * @param learningRate f32
   * @param step updates made before this one, for Adam's bias correction; skipped steps do not count
   */
  step(tokens: Uint16Array, learningRate: number, step: number): Promise<StepResult>;
  /** Sum of the cross-entropy over each window's tokens, f32: tokens (windows, sequenceLength + 1) → (windows). */
  evaluate(tokens: Uint16Array): Promise<Float32Array>;
  /** Logits of one window: tokens (sequenceLength) → (sequenceLength, vocabularySize), row-major. */
  logits(tokens: Uint16Array): Promise<Float32Array>;
  /** Loss and the mean gradient of a batch without an update; flat in the order of `parameterShapes`. */
  gradient(tokens: Uint16Array): Promise<{ loss: number; gradient: Float32Array }>;
  /**
   * Takes the weights as they are now for those that the session's penalty pulls towards, until the next call. Before the
   * first one a step is undefined. Absent where the session has no penalty.
   *
   * @param importance of each parameter, flat in the order of `parameterShapes`; only for `ewc`
   */
  anchor?(importance: Float32Array | undefined): Promise<void>;
  /** A step in pieces, for several ranks. Absent where the engine shares no step, or the session is for inference. */
  readonly divided?: DividedStep;
  /** Stops threads and gives the memory back. */
  close(): void;
}

/** An engine by its name, with what it promises. */
export interface EngineDescription {
  /** short, for tables and the manifest: `exact` */
  readonly name: string;
  /** how strictly its bits are promised */
  readonly level: DeterminismLevel;
  /** version of docs/arithmetic.md it computes by, or its own name and version below `machine_to_machine` */
  readonly arithmetic: string;
  /** whether its sessions compute penalties; others must not be opened with one */
  readonly penalties?: boolean;
  /** what the manifest says of it: threads, kernels' digest, instructions used */
  readonly description: Readonly<Record<string, string>>;
  /**
   * What the bits depend on besides everything a run's key covers, below `machine_to_machine`: device, driver, libraries.
   * A run resumes only where they are the same.
   */
  readonly conditions?: Readonly<Record<string, string>>;
  /** what a manifest's environment says of hardware and libraries beyond Deno's own; default: no GPU */
  readonly machine?: { readonly gpu: string; readonly libraries: Readonly<Record<string, string>> };
}

/** An engine that is started. */
export interface Engine extends EngineDescription {
  /** a device that it has to itself, by a name that no other in the world has; no manifest says it */
  readonly deviceId?: string;
  /**
   * Bytes a session would take, without taking them. Cheap for any options: they may come from a hostile manifest.
   *
   * @throws {RangeError} if a shape does not suit the engine, or is larger than it can hold
   */
  memoryBytes(options: SessionOptions): number;
  /** Resident bytes of the whole process at its peak with such a session, predicted to within 15 % or 64 MiB. */
  peakBytes(options: SessionOptions): number;
  /** Takes the memory and starts the threads; weights and moments are zero. */
  open(options: SessionOptions): Promise<Session>;
  /** Gives back what the engine holds beyond its sessions: a GPU. */
  close?(): void;
}
