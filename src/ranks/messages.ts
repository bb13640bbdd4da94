/** Messages with a header of JSON: what rank 0 asks for, and what the others answer. */
import type { Transport } from "./transport.ts";

/** A message as it arrives. */
export interface Message {
  readonly header: unknown;
  readonly payload: Uint8Array<ArrayBuffer>;
}

/** Bytes before every message: the lengths of its header and its payload. */
const PREFIX_BYTES = 16;

/** More than any header has; a longer one is no message of ours. */
const MOST_HEADER_BYTES = 2 ** 24;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Sends a message to some ranks, to all at the same time. */
export async function sendMessage(
  transport: Transport,
  parts: readonly { readonly rank: number; readonly header: unknown; readonly payload?: Uint8Array }[],
  what: string,
): Promise<void> {
  await transport.exchange(
    parts.flatMap(({ rank, header, payload = new Uint8Array() }) => {
      const text = encoder.encode(JSON.stringify(header));
      const prefix = new Uint8Array(PREFIX_BYTES);
      const lengths = new DataView(prefix.buffer);
      lengths.setBigUint64(0, BigInt(text.length), true);
      lengths.setBigUint64(8, BigInt(payload.length), true);
      return [prefix, text, payload].filter(({ length }) => length > 0).map((bytes) => ({ rank, bytes }));
    }),
    [],
    what,
  );
}

/** Receives a message. */
export async function receiveMessage(transport: Transport, from: number, what: string): Promise<Message> {
  const prefix = new Uint8Array(PREFIX_BYTES);
  await transport.receive(from, prefix, what);
  const lengths = new DataView(prefix.buffer);
  const textLength = Number(lengths.getBigUint64(0, true)), payloadLength = Number(lengths.getBigUint64(8, true));
  if (textLength === 0 || textLength > MOST_HEADER_BYTES) {
    throw new Error(`A message of rank ${from} has a header of ${textLength} bytes`);
  }
  const text = new Uint8Array(textLength), payload = new Uint8Array(payloadLength);
  await transport.receive(from, text, what);
  if (payloadLength > 0) await transport.receive(from, payload, what);
  return { header: JSON.parse(decoder.decode(text)), payload };
}
