/** Ranks within one process: what tests and examples share a step with, without MPI. */
import type { Link, Pending } from "./link.ts";

/** A message that was sent, and not received yet. */
interface Sent {
  readonly bytes: Uint8Array;
  isTaken: boolean;
}

/**
 * Links of ranks in this process. Bytes are copied when both have called, as a rank with a large message does over MPI.
 *
 * @param size number of ranks
 */
export function inProcessLinks(size: number): readonly Link[] {
  const queues = new Map<string, { readonly sent: Sent[]; readonly waiting: Uint8Array[] }>();
  const queueOf = (from: number, to: number, channel: number) => {
    const name = `${from} ${to} ${channel}`;
    const found = queues.get(name) ?? { sent: [], waiting: [] };
    queues.set(name, found);
    return found;
  };
  return Array.from({ length: size }, (_, rank): Link => ({
    name: "this process",
    rank,
    size,
    send: (to, channel, bytes): Pending => {
      const sent: Sent = { bytes, isTaken: false };
      queueOf(rank, to, channel).sent.push(sent);
      return { isDone: () => sent.isTaken };
    },
    receive: (from, channel, into): Pending => {
      const { sent, waiting } = queueOf(from, rank, channel);
      waiting.push(into);
      let isDone = false;
      return {
        isDone: () => {
          const [first] = sent;
          if (isDone || first === undefined || waiting[0] !== into) return isDone;
          if (first.bytes.length !== into.length) {
            throw new Error(
              `Rank ${rank} has room for ${into.length} bytes, and rank ${from} sent ${first.bytes.length}`,
            );
          }
          into.set(first.bytes);
          first.isTaken = true;
          sent.shift();
          waiting.shift();
          isDone = true;
          return true;
        },
      };
    },
    close: () => Promise.resolve(),
    abort: () => {},
  }));
}
