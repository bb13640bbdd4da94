/** What moves bytes between the ranks of one run: MPI, or memory within a process. It only moves them. */

/** A message under way. */
export interface Pending {
  /**
   * Whether it has arrived, or left so far that its bytes may be written to again. Moves things on where nothing else
   * does, so that it is to be asked again and again.
   *
   * @throws {UserError} if what moves bytes reports an error
   */
  isDone(): boolean;
}

/** Messages that do not wait for each other: what a step sends, and what ranks tell of themselves. */
export const CHANNELS = { data: 0, life: 1 } as const;

/** One of {@linkcode CHANNELS}. */
export type Channel = (typeof CHANNELS)[keyof typeof CHANNELS];

/** Bytes between ranks, without waiting. Messages of two ranks on one channel arrive whole and in their order. */
export interface Link {
  /** what it is, for the manifest: `Open MPI 4.1.4` */
  readonly name: string;
  /** number of this rank, from 0 */
  readonly rank: number;
  /** number of ranks */
  readonly size: number;
  /** Sends bytes, which must stay as they are until it is done. */
  send(to: number, channel: Channel, bytes: Uint8Array): Pending;
  /** Receives as many bytes as the sender sends, which must stay untouched until it is done. */
  receive(from: number, channel: Channel, into: Uint8Array): Pending;
  /** Ends it in order: every rank calls this, and waits for the others. */
  close(): Promise<void>;
  /** Ends the processes of all ranks, this one last. */
  abort(code: number): void;
}
