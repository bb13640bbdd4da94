/**
 * One optimizer step by several ranks. Each sums the nodes of the gradient's tree that are its share; each owner of a
 * slice receives that slice of all nodes, adds them as the tree does, and updates its weights and moments; then all have
 * all weights. Every sum is made by our own code, in an order that does not know the ranks.
 */
import type { Session, SessionOptions, StepResult } from "../engine/engine.ts";
import type { DividedStep } from "../engine/divided_step.ts";
import { addSums, combineNodes, shareUnits, type TreeNode } from "../engine/ordered/nodes.ts";
import { UserError } from "../errors.ts";
import { type OwnedSlice, slicesOf } from "./slices.ts";
import type { Part, Transport } from "./transport.ts";

/** The bytes of numbers, not copied. */
export function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Uint16Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** What a step needs beside the tokens; the same in every rank. */
export interface StepOptions {
  readonly learningRate: number;
  readonly step: number;
}

/** The error of an engine whose steps are for one rank alone. */
export function notShareable(engine: string): UserError {
  return new UserError(
    "NOT_SHAREABLE",
    `The engine "${engine}" cannot share its steps with other ranks`,
    "use --engine exact, or start a single process",
  );
}

/**
 * The pieces that a session's steps have.
 *
 * @throws {UserError} `NOT_SHAREABLE`
 */
export function requireDivided({ divided }: Session, engine: string): DividedStep {
  if (divided === undefined) throw notShareable(engine);
  return divided;
}

/** A node that a rank sums, and this rank's slice of that sum. */
interface NodeSum {
  readonly rank: number;
  readonly node: TreeNode;
  readonly sum: Float32Array;
}

/** One rank's part in the steps of a session that all ranks have open. */
export class SharedStep {
  readonly #transport: Transport;
  readonly #divided: DividedStep;
  readonly #batchSequences: number;
  /** tokens of a sequence with its last target */
  readonly #width: number;
  /** nodes by rank */
  readonly #nodes: readonly (readonly TreeNode[])[];
  /** what each rank owns */
  readonly slices: readonly OwnedSlice[];
  readonly #sums: readonly NodeSum[];

  /** @throws {UserError} `TOO_MANY_RANKS` if there are more ranks than units of a step */
  constructor(
    transport: Transport,
    divided: DividedStep,
    { model, batchSequences }: Pick<SessionOptions, "model" | "batchSequences">,
  ) {
    if (transport.size > divided.units) {
      throw new UserError(
        "TOO_MANY_RANKS",
        `${transport.size} ranks cannot share a step of ${divided.units} units`,
        `start at most ${divided.units} ranks`,
      );
    }
    this.#transport = transport;
    this.#divided = divided;
    this.#batchSequences = batchSequences;
    this.#width = model.sequenceLength + 1;
    this.#nodes = shareUnits(divided.units, transport.size).nodes;
    this.slices = slicesOf(divided, transport.size);
    const { elements } = this.#own;
    this.#sums = this.#nodes.flatMap((nodes, rank) =>
      nodes.map((node) => ({ rank, node, sum: new Float32Array(elements) }))
    );
  }

  /** What a rank owns. */
  sliceOf(rank: number): OwnedSlice {
    const slice = this.slices[rank];
    if (slice === undefined) throw new RangeError(`No rank ${rank}`);
    return slice;
  }

  get #own(): OwnedSlice {
    return this.sliceOf(this.#transport.rank);
  }

  /** Sequences of a node in the batch: first to before the last. */
  #sequencesOf({ from, to }: TreeNode): readonly [first: number, end: number] {
    const { unitSequences } = this.#divided;
    return [from * unitSequences, Math.min(to * unitSequences, this.#batchSequences)];
  }

  /** A batch's tokens as a rank needs them: the sequences of its nodes, one node after another. */
  tokensOf(rank: number, batch: Uint16Array): Uint16Array {
    const pieces = (this.#nodes[rank] ?? []).map((node) => {
      const [first, end] = this.#sequencesOf(node);
      return batch.subarray(first * this.#width, end * this.#width);
    });
    const tokens = new Uint16Array(pieces.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const piece of pieces) {
      tokens.set(piece, at);
      at += piece.length;
    }
    return tokens;
  }

  /**
   * This rank's part of a step; all ranks call it at the same time, and get the same result.
   *
   * @param tokens of this rank's nodes, from {@linkcode tokensOf}
   */
  async step(tokens: Uint16Array, { learningRate, step }: StepOptions): Promise<StepResult> {
    const { rank } = this.#transport;
    const own = this.#own;
    const losses = await this.#sumNodes(tokens, step);
    const sums = this.#sums.map(({ node, sum }) => [node, sum] as const);
    await this.#divided.writeSum(own, combineNodes(this.#divided.units, sums, addSums));
    const squares: Float32Array[] = this.slices.map(({ first, end }) => new Float32Array(end - first));
    squares[rank] = await this.#divided.squares(own);
    await this.#gatherBoth(losses, squares, `the losses and sums of squares of step ${step + 1}`);
    const result = await this.#divided.update(own, {
      squares: joined(squares),
      losses: this.#inOrder(losses),
      learningRate,
      step,
    });
    if (result.outcome === "updated") await this.#gatherWeights(step);
    return result;
  }

  /**
   * Sums this rank's nodes, and gives every owner its slice of each as soon as it is there.
   *
   * @returns losses by rank, this rank's own filled in
   */
  async #sumNodes(tokens: Uint16Array, step: number): Promise<Float32Array[]> {
    const { rank: self } = this.#transport;
    const what = `the gradient's sums of step ${step + 1}`;
    const arriving = this.#sums.filter(({ rank, sum }) => rank !== self && sum.length > 0)
      .map(({ rank, sum }) => ({ rank, bytes: bytesOf(sum) }));
    const moving = [handled(this.#transport.exchange([], arriving, what))];
    const ownLosses: Float32Array[] = [];
    let at = 0;
    for (const { node, sum } of this.#sums.filter(({ rank }) => rank === self)) {
      const [first, end] = this.#sequencesOf(node);
      const next = at + (end - first) * this.#width;
      ownLosses.push(await this.#divided.partial(tokens.subarray(at, next), node));
      at = next;
      sum.set(await this.#divided.readSum(this.#own));
      const leaving: Part[] = [];
      for (const [rank, slice] of this.slices.entries()) {
        if (rank === self || slice.elements === 0) continue;
        leaving.push({ rank, bytes: bytesOf(await this.#divided.readSum(slice)) });
      }
      moving.push(handled(this.#transport.exchange(leaving, [], what)));
    }
    await Promise.all(moving);
    return this.#nodes.map((nodes, rank) => {
      if (rank === self) return joined(ownLosses);
      return new Float32Array(
        nodes.map((node) => this.#sequencesOf(node)).reduce((n, [first, end]) => n + end - first, 0),
      );
    });
  }

  /** Gathers both at once, into what is given: each meeting of the ranks costs time. */
  async #gatherBoth(losses: readonly Float32Array[], squares: readonly Float32Array[], what: string): Promise<void> {
    const both = losses.map((part, rank) => joined([part, squares[rank] ?? new Float32Array()]));
    await this.#transport.gather(both.map(bytesOf), what);
    for (const [rank, part] of both.entries()) {
      const length = losses[rank]?.length ?? 0;
      losses[rank]?.set(part.subarray(0, length));
      squares[rank]?.set(part.subarray(length));
    }
  }

  /** Losses by rank, as the batch has them. */
  #inOrder(losses: readonly Float32Array[]): Float32Array {
    const ordered = new Float32Array(this.#batchSequences);
    this.#nodes.forEach((nodes, rank) => {
      let at = 0;
      for (const node of nodes) {
        const [first, end] = this.#sequencesOf(node);
        ordered.set((losses[rank] ?? new Float32Array()).subarray(at, at + end - first), first);
        at += end - first;
      }
    });
    return ordered;
  }

  async #gatherWeights(step: number): Promise<void> {
    const { rank: self } = this.#transport;
    const parts: Float32Array[] = this.slices.map(({ elements }) => new Float32Array(elements));
    parts[self] = await this.#divided.readWeights(this.#own);
    await this.#transport.gather(parts.map(bytesOf), `the weights after step ${step + 1}`);
    for (const [rank, part] of parts.entries()) {
      if (rank !== self && part.length > 0) await this.#divided.writeWeights(this.sliceOf(rank), part);
    }
  }
}

/** Numbers one after another. */
function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The same promise, whose failure counts as handled until somebody waits for it. */
function handled(promise: Promise<void>): Promise<void> {
  promise.catch(() => {});
  return promise;
}
