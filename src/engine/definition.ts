/** What the catalogue knows of an engine before it is started. To add one: its folder, with one of these, and one line. */
import type { RunSpecification } from "../experiment/run/run.ts";
import type { Options, Values } from "../options.ts";
import type { Engine, SessionOptions } from "./engine.ts";
import type { Finding } from "./examination.ts";
import type { KernelCache } from "./kernel_cache.ts";

/** Part of every run's key: how strictly the engine's bits are promised, and by which arithmetic it computes them. */
export type EngineIdentity = RunSpecification["engine"];

/** What whoever starts an engine gives it. */
export interface EngineHost {
  /** compiled kernels, from one run to the next */
  readonly cache: KernelCache;
  /** number among the ranks of this node, from 0: which of its devices is this rank's; absent without ranks */
  readonly localRank?: number;
  /** Tells the person who started it what it found, in lines. */
  tell(text: string): void;
}

/** What the doctor gives an engine to examine itself with. */
export interface DoctorHost extends EngineHost {
  /** Trains a few steps of the default scale; tells how fast, in a phrase. */
  measure(engine: Engine): Promise<string>;
}

/** One engine that `--engine` may name. */
export interface EngineDefinition<V = unknown> {
  readonly identity: EngineIdentity;
  /**
   * Task of deno.json whose permissions the engine needs, `reproduce` if those of any task do; a test holds the two
   * together.
   */
  readonly task: string;
  /** whether it computes penalties (`Engine.penalties`) */
  readonly penalties?: true;
  /** how ranks share a step of its sessions (`Session.divided`); absent where they cannot */
  readonly ranks?: {
    /** the task of deno.json that ranks are started with */
    readonly task: string;
    /** gradient blocks of a unit */
    readonly unitBlocks: number;
  };
  /** a priced plan shows its memory too, as that of a rented GPU */
  readonly isForRentedGpus?: true;
  /**
   * What the largest of some sessions takes, in a sentence; or why one of them cannot be held.
   *
   * @param sessions those of a plan's runs
   */
  memory(sessions: readonly SessionOptions[], values: V): Promise<string>;
  /**
   * Starts it.
   *
   * @throws {UserError} naming what is missing on this machine, or the option whose value it does not take
   */
  start(values: V, host: EngineHost): Promise<Engine>;
  /**
   * A line for those who trained more slowly than this machine could, with the same bits; undefined where there is
   * nothing to gain.
   *
   * @param task of deno.json that has the permission for what is faster
   */
  speedHint?(values: V, task: string): Promise<string | undefined>;
}

/** Engines that share a folder and options. */
export interface EngineFamily<
  O extends Options = Options,
  Name extends string = string,
  D extends Options = Options,
> {
  /** options of every command that starts an engine, besides `--engine` */
  readonly options: O;
  /** by the names that `--engine` has for them */
  readonly engines: Readonly<Record<Name, EngineDefinition<Values<O>>>>;
  readonly doctor: {
    /** options of `doctor` */
    readonly options: D;
    /** What this machine has of what the engines need; nothing where an option has to ask for it. */
    examine(values: Values<D>, host: DoctorHost): Promise<readonly Finding[]>;
  };
}

/** A family with the types of its options and names. */
export function engineFamily<const O extends Options, const Name extends string, const D extends Options>(
  family: EngineFamily<O, Name, D>,
): EngineFamily<O, Name, D> {
  return family;
}

/**
 * The largest of all sessions' needs, in bytes, put in words; or why one cannot be held.
 *
 * @param bytesOf throws a RangeError with the reason
 */
export function largestNeed(
  sessions: readonly SessionOptions[],
  bytesOf: (options: SessionOptions) => number,
  inWords: (bytes: number) => string,
): string {
  try {
    return inWords(Math.max(...sessions.map(bytesOf)));
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}
