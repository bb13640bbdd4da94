/**
 * One optimizer step by several ranks. Each sums the nodes of the gradient's tree that are its share; each owner of a
 * slice receives that slice of all nodes, adds them as the tree does, and updates its weights and moments; then all have
 * all weights. Every sum is made by our own code, in an order that does not know the ranks.
 */
import type { Session, SessionOptions, StepResult } from "../engine/engine.ts";
import type { DividedStep } from "../engine/divided_step.ts";
import { addSums, combineNodes, joinSiblings, shareUnits, type TreeNode } from "../engine/ordered/nodes.ts";
import { UserError } from "../errors.ts";
import type { Hosts } from "./hosts.ts";
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

/** A node with numbers of its sum: of a column of parameters, or of one slice. */
interface NodeSum {
  /** who computed it, or on whose host it was put together, for this rank's column */
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
  readonly #hosts: Hosts;
  /** of each node that this rank's host computes, its column: the slices of all ranks with its number on their hosts */
  readonly #columns: readonly NodeSum[];
  /** of each node that other hosts put together, this rank's slice */
  readonly #crossed: readonly NodeSum[];

  /** @throws {UserError} `TOO_MANY_RANKS` if there are more ranks than units of a step */
  constructor(
    transport: Transport,
    divided: DividedStep,
    { model, batchSequences }: Pick<SessionOptions, "model" | "batchSequences">,
    hosts: Hosts,
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
    this.#hosts = hosts;
    const { rank: self } = transport;
    const { elements } = this.#own;
    const columnElements = hosts.columnOf(self).reduce((sum, rank) => sum + this.sliceOf(rank).elements, 0);
    this.#columns = hosts.ranksOf(hosts.hostOf(self)).flatMap((rank) =>
      (this.#nodes[rank] ?? []).map((node) => ({ rank, node, sum: new Float32Array(columnElements) }))
    );
    this.#crossed = hosts.columnOf(self).filter((rank) => rank !== self).flatMap((rank) =>
      this.#nodesOfHost(hosts.hostOf(rank)).map((node) => ({ rank, node, sum: new Float32Array(elements) }))
    );
  }

  /** The nodes that a host's are put together to, by first unit: what crosses between hosts. */
  #nodesOfHost(host: number): readonly TreeNode[] {
    const nodes = this.#hosts.ranksOf(host).flatMap((rank) => this.#nodes[rank] ?? []);
    return joinSiblings(this.#divided.units, nodes.map((node) => [node, undefined] as const), () => undefined)
      .map(([node]) => node);
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
    const { losses, sums } = await this.#sumNodes(tokens, step);
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
   * Sums this rank's nodes. Each rank of a host is given its column of every node as soon as it is there, puts the
   * host's nodes together as far as the tree does, and gives every owner in its column the slice of what came of it.
   *
   * @returns losses by rank, this rank's own filled in, and its slice of all hosts' nodes
   */
  async #sumNodes(
    tokens: Uint16Array,
    step: number,
  ): Promise<{ readonly losses: Float32Array[]; readonly sums: (readonly [TreeNode, Float32Array])[] }> {
    const { rank: self } = this.#transport;
    const what = `the gradient's sums of step ${step + 1}`;
    const arriving = (sums: readonly NodeSum[]) => {
      const parts = sums.filter(({ rank, sum }) => rank !== self && sum.length > 0)
        .map(({ rank, sum }) => ({ rank, bytes: bytesOf(sum) }));
      return handled(this.#transport.exchange([], parts, what));
    };
    const [fromHost, fromOthers] = [arriving(this.#columns), arriving(this.#crossed)];
    const leaving: Promise<void>[] = [];
    const ownLosses: Float32Array[] = [];
    let at = 0;
    for (const { node, sum } of this.#columns.filter(({ rank }) => rank === self)) {
      const [first, end] = this.#sequencesOf(node);
      const next = at + (end - first) * this.#width;
      ownLosses.push(await this.#divided.partial(tokens.subarray(at, next), node));
      at = next;
      sum.set(await this.#readColumn(self));
      const parts: Part[] = [];
      for (const rank of this.#hosts.ranksOf(this.#hosts.hostOf(self))) {
        if (rank !== self) parts.push({ rank, bytes: bytesOf(await this.#readColumn(rank)) });
      }
      leaving.push(handled(this.#transport.exchange(parts.filter(({ bytes }) => bytes.length > 0), [], what)));
    }
    await fromHost;
    const own = joinSiblings(
      this.#divided.units,
      this.#columns.map(({ node, sum }) => [node, sum] as const),
      addSums,
    ).map(([node, sum]) => [node, this.#cut(sum)] as const);
    const crossing = own.flatMap(([_, slices]) => slices).filter(({ rank, bytes }) =>
      rank !== self && bytes.length > 0
    );
    leaving.push(handled(this.#transport.exchange(crossing, [], what)));
    await Promise.all([fromOthers, ...leaving]);
    const losses = this.#nodes.map((nodes, rank) => {
      if (rank === self) return joined(ownLosses);
      return new Float32Array(
        nodes.map((node) => this.#sequencesOf(node)).reduce((n, [first, end]) => n + end - first, 0),
      );
    });
    const mine = own.map(([node, slices]) => [node, slices.find(({ rank }) => rank === self)?.sum] as const);
    const all = [...mine, ...this.#crossed.map(({ node, sum }) => [node, sum] as const)];
    return { losses, sums: all.map(([node, sum = new Float32Array()]) => [node, sum] as const) };
  }

  /** A rank's column of the sum that stands. */
  async #readColumn(rank: number): Promise<Float32Array> {
    const parts: Float32Array[] = [];
    for (const owner of this.#hosts.columnOf(rank)) parts.push(await this.#divided.readSum(this.sliceOf(owner)));
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : joined(parts);
  }

  /** This rank's column as the slices of those who own them. */
  #cut(column: Float32Array): readonly (Part & { readonly sum: Float32Array })[] {
    let at = 0;
    return this.#hosts.columnOf(this.#transport.rank).map((rank) => {
      const sum = column.subarray(at, at += this.sliceOf(rank).elements);
      return { rank, sum, bytes: bytesOf(sum) };
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

  /** All weights for all: a slice crosses to every other host once, and is handed on there. */
  async #gatherWeights(step: number): Promise<void> {
    const { rank: self } = this.#transport;
    const what = `the weights after step ${step + 1}`;
    const column = (rank: number) => this.#hosts.columnOf(rank).map((owner) => this.sliceOf(owner));
    const mine = new Float32Array(column(self).reduce((sum, { elements }) => sum + elements, 0));
    const slices = this.#cut(mine);
    slices.find(({ rank }) => rank === self)?.sum.set(await this.#divided.readWeights(this.#own));
    await this.#exchangeAll(slices, what);
    const columns = this.#hosts.ranksOf(this.#hosts.hostOf(self)).map((rank) => {
      const sum = rank === self ? mine : new Float32Array(column(rank).reduce((n, { elements }) => n + elements, 0));
      return { rank, sum, bytes: bytesOf(sum) };
    });
    await this.#exchangeAll(columns, what);
    for (const { rank, sum } of columns) {
      let at = 0;
      for (const slice of column(rank)) {
        const part = sum.subarray(at, at += slice.elements);
        if (slice !== this.#own && part.length > 0) await this.#divided.writeWeights(slice, part);
      }
    }
  }

  /** Gives this rank's part to all others that have one, and fills theirs. */
  async #exchangeAll(parts: readonly Part[], what: string): Promise<void> {
    const { rank: self } = this.#transport;
    const own = parts.find(({ rank }) => rank === self)?.bytes ?? new Uint8Array();
    const others = parts.filter(({ rank }) => rank !== self);
    const leaving = own.length > 0 ? others.map(({ rank }) => ({ rank, bytes: own })) : [];
    await this.#transport.exchange(leaving, others.filter(({ bytes }) => bytes.length > 0), what);
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
