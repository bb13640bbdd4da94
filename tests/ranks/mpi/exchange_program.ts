/** Started by mpirun: ranks exchange bytes of many sizes with each other, and print what they are. */
import assert from "node:assert/strict";
import { joinMpi } from "../../../src/ranks/mpi/link.ts";
import { receiveMessage, sendMessage } from "../../../src/ranks/messages.ts";
import { Transport } from "../../../src/ranks/transport.ts";

const transport = new Transport(await joinMpi(), { silenceSeconds: 20 });
const { rank, size, name } = transport;
const others = Array.from({ length: size }, (_, other) => other).filter((other) => other !== rank);
const byteAt = (from: number, to: number, i: number) => (31 * from + 7 * to + i) & 255;

// Small messages leave at once, large ones when they are received; memory that threads share is not MPI's to write to.
for (const length of [1, 63, 64, 4096, 100_000, 3_000_001]) {
  for (const room of [ArrayBuffer, SharedArrayBuffer]) {
    const bytes = (from: number, to: number) => new Uint8Array(new room(length)).map((_, i) => byteAt(from, to, i));
    const received = others.map((other) => ({ rank: other, bytes: new Uint8Array(new room(length)) }));
    await transport.exchange(others.map((other) => ({ rank: other, bytes: bytes(rank, other) })), received, "bytes");
    for (const { rank: other, bytes: got } of received) assert.deepEqual(got, bytes(other, rank));
  }
}
const parts = Array.from(
  { length: size },
  (_, owner) => new Uint8Array(1000 * owner).fill(owner === rank ? owner : 255),
);
await transport.gather(parts, "parts");
parts.forEach((part, owner) => assert(part.every((byte) => byte === owner)));
if (rank === 0) await sendMessage(transport, others.map((other) => ({ rank: other, header: { other } })), "a message");
else assert.deepEqual((await receiveMessage(transport, 0, "a message")).header, { other: rank });
await transport.barrier("the end");
console.log(`rank ${rank} of ${size}: ${name}`);
assert(await transport.close());
Deno.exit(0);
