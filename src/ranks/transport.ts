/**
 * Messages between ranks, none of which is waited for in vain: every rank gives signs of life while it computes, so that
 * one that is slow is waited for, and one that is gone or silent ends the wait with an error that names it.
 */
import { setImmediate } from "node:timers";
import { UserError } from "../errors.ts";
import { CHANNELS, type Link, type Pending } from "./link.ts";

/** Bytes for a rank, or room for what comes from one. */
export interface Part {
  readonly rank: number;
  readonly bytes: Uint8Array;
}

/** How long a rank may be silent. */
export interface TransportOptions {
  /** seconds without a sign of life after which a rank counts as lost; default: {@linkcode SILENCE_SECONDS} */
  readonly silenceSeconds?: number;
}

/** Long beside what holds up a process for moments, and short beside a night. */
export const SILENCE_SECONDS = 120;

/** Signs of life in that time. */
const SIGNS = 8;
/** Milliseconds between looking for signs of others, at most. */
const LOOK_INTERVAL = 250;
/** Bytes of a sign of life: a kind, the length of a text, the text. */
const SIGN_BYTES = 1024;
const KIND = { alive: 0, ended: 1, closed: 2 } as const;
/** Milliseconds of asking without a sleep: what comes soon is not slept over. */
const EAGER = 3;
/** Milliseconds of a sleep between two rounds: a hundredth of the time waited so far, within these bounds. */
const SLEEP = 1;
const LONGEST_SLEEP = 5;
/** Milliseconds that a rank which ends in order waits for all others to do so. */
const LAST_WORDS = 5000;
/** Milliseconds that a rank which fails tries to say so. */
const CALL_FOR_HELP = 1000;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** What is known of another rank. */
interface Peer {
  readonly rank: number;
  /** milliseconds of `performance.now()` */
  heardAt: number;
  /** why it ended; undefined while it lives */
  ended?: string;
  readonly sign: Uint8Array<ArrayBuffer>;
  /** its next sign; undefined once it has given its last */
  incoming: Pending | undefined;
  /** this rank's newest sign for it */
  outgoing: Pending | undefined;
  /** whether that was the last */
  isToldAll: boolean;
}

/** Messages over a {@linkcode Link}. Waits of one rank may overlap as long as each pair's messages keep their order. */
export class Transport {
  readonly #link: Link;
  readonly #peers: readonly Peer[];
  readonly #silence: number;
  #timer: ReturnType<typeof setInterval> | undefined;
  #lookedAt = performance.now();
  #signAt = -Infinity;

  constructor(link: Link, { silenceSeconds = SILENCE_SECONDS }: TransportOptions = {}) {
    this.#link = link;
    this.#silence = 1000 * silenceSeconds;
    this.#peers = Array.from({ length: link.size }, (_, rank) => rank).filter((rank) => rank !== link.rank)
      .map((rank) => this.#listen(rank));
    if (this.#peers.length > 0) {
      this.#timer = setInterval(() => this.#look(), Math.min(LOOK_INTERVAL, this.#silence / SIGNS));
    }
  }

  /** Name of the link. */
  get name(): string {
    return this.#link.name;
  }

  /** Number of this rank, from 0. */
  get rank(): number {
    return this.#link.rank;
  }

  /** Number of ranks. */
  get size(): number {
    return this.#link.size;
  }

  #listen(rank: number): Peer {
    const sign = new Uint8Array(SIGN_BYTES);
    const incoming = this.#link.receive(rank, CHANNELS.life, sign);
    return { rank, heardAt: performance.now(), sign, incoming, outgoing: undefined, isToldAll: false };
  }

  /** Reads what others say of themselves, and says that this rank lives. */
  #look(): void {
    const now = performance.now();
    // If it was this process that stood still, nobody else was silent.
    if (now - this.#lookedAt > this.#silence / 2) { for (const peer of this.#peers) peer.heardAt = now; }
    this.#lookedAt = now;
    for (const peer of this.#peers) this.#hear(peer, now);
    if (now - this.#signAt < this.#silence / SIGNS) return;
    this.#signAt = now;
    for (const peer of this.#peers) this.#tell(peer, KIND.alive, "");
  }

  #hear(peer: Peer, now: number): void {
    while (peer.incoming?.isDone() === true) {
      peer.heardAt = now;
      const [kind, low = 0, high = 0] = peer.sign;
      const isLast = kind !== KIND.alive;
      if (kind === KIND.ended) peer.ended = decoder.decode(peer.sign.subarray(3, 3 + low + 256 * high));
      peer.incoming = isLast ? undefined : this.#link.receive(peer.rank, CHANNELS.life, peer.sign);
    }
  }

  /** Leaves out a sign if the one before it has not left yet: there is no use in a queue of them. */
  #tell(peer: Peer, kind: number, text: string): void {
    if (peer.isToldAll || peer.outgoing?.isDone() === false) return;
    const sign = new Uint8Array(SIGN_BYTES);
    const { written } = encoder.encodeInto(text, sign.subarray(3));
    sign.set([kind, written & 255, written >> 8]);
    peer.outgoing = this.#link.send(peer.rank, CHANNELS.life, sign);
    peer.isToldAll = kind !== KIND.alive;
  }

  /**
   * Gives its last sign to every rank, and hears others meanwhile.
   *
   * @param isDone when to stop waiting
   * @returns whether that came in time
   */
  async #tellAll(
    { kind, text = "", milliseconds }: { readonly kind: number; readonly text?: string; readonly milliseconds: number },
    isDone: (peer: Peer) => boolean,
  ): Promise<boolean> {
    const until = performance.now() + milliseconds;
    for (;;) {
      const now = performance.now();
      for (const peer of this.#peers) {
        this.#tell(peer, kind, text);
        this.#hear(peer, now);
      }
      if (this.#peers.every((peer) => peer.isToldAll && peer.outgoing?.isDone() !== false && isDone(peer))) return true;
      if (now > until) return false;
      await sleep(SLEEP);
    }
  }

  /**
   * Sends and receives at the same time, and waits until all of it is done.
   *
   * @param what for messages: `the sums of the gradient at step 7`
   * @throws {UserError} `RANK_SILENT`, `RANK_ENDED` naming the rank that is waited for
   */
  async exchange(sends: readonly Part[], receives: readonly Part[], what: string): Promise<void> {
    const pending = [
      ...receives.map(({ rank, bytes }) => ({ rank, message: this.#link.receive(rank, CHANNELS.data, bytes) })),
      ...sends.map(({ rank, bytes }) => ({ rank, message: this.#link.send(rank, CHANNELS.data, bytes) })),
    ];
    let left = pending;
    const began = performance.now();
    for (;;) {
      left = left.filter(({ message }) => !message.isDone());
      if (left.length === 0) return;
      const waited = performance.now() - began;
      if (waited < EAGER) {
        await nextTurn();
        continue;
      }
      this.#look();
      for (const { rank } of left) this.#requireLife(rank, what);
      await sleep(Math.min(LONGEST_SLEEP, Math.max(SLEEP, waited / 100)));
    }
  }

  #requireLife(rank: number, what: string): void {
    // Whoever ends takes all others along, so that a wait may end for the sake of a third rank.
    const ended = this.#peers.find((peer) => peer.ended !== undefined);
    if (ended !== undefined) {
      throw new UserError(
        "RANK_ENDED",
        `Rank ${ended.rank} ended while rank ${this.rank} waited for ${what}: ${ended.ended}`,
      );
    }
    const peer = this.#peers.find((peer) => peer.rank === rank);
    if (peer === undefined || performance.now() - peer.heardAt < this.#silence) return;
    throw new UserError(
      "RANK_SILENT",
      `Rank ${rank} has given no sign of life for ${this.#silence / 1000} s while rank ${this.rank} waited for ${what}`,
      "look at its node and its log; the same command resumes from the last checkpoint",
    );
  }

  /** Sends bytes to one rank. */
  async send(to: number, bytes: Uint8Array, what: string): Promise<void> {
    await this.exchange([{ rank: to, bytes }], [], what);
  }

  /** Fills `into` with what a rank sends. */
  async receive(from: number, into: Uint8Array, what: string): Promise<void> {
    await this.exchange([], [{ rank: from, bytes: into }], what);
  }

  /**
   * Gives each rank the parts of all.
   *
   * @param parts one a rank, the sizes known to all; this rank's own is read, the others are written to
   */
  async gather(parts: readonly Uint8Array[], what: string): Promise<void> {
    const own = parts[this.rank] ?? new Uint8Array();
    const filled = (bytes: Uint8Array) => bytes.length > 0;
    await this.exchange(
      filled(own) ? this.#peers.map(({ rank }) => ({ rank, bytes: own })) : [],
      this.#peers.map(({ rank }) => ({ rank, bytes: parts[rank] ?? new Uint8Array() })).filter(({ bytes }) =>
        filled(bytes)
      ),
      what,
    );
  }

  /** Returns once every rank has called it. */
  async barrier(what: string): Promise<void> {
    await this.gather(Array.from({ length: this.size }, () => new Uint8Array(1)), what);
  }

  /** Tells all others that this rank ends, and why: their waits end with it. */
  async fail(reason: string): Promise<void> {
    await this.#tellAll({ kind: KIND.ended, text: reason, milliseconds: CALL_FOR_HELP }, () => true);
  }

  /**
   * Ends in order, with all others: no message is under way any more.
   *
   * @returns false if some rank did not take part in time; nothing but {@linkcode abort} helps then
   */
  async close(): Promise<boolean> {
    this.#stop();
    const words = { kind: KIND.closed, milliseconds: LAST_WORDS };
    if (!await this.#tellAll(words, ({ incoming }) => incoming === undefined)) return false;
    await this.#link.close();
    return true;
  }

  /** Ends the processes of all ranks, this one last. */
  abort(code: number): void {
    this.#stop();
    this.#link.abort(code);
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
