/** Messages between ranks of one process: what arrives, and what ends a wait. */
import assert from "node:assert/strict";
import { hasCode } from "../../src/errors.ts";
import { inProcessLinks } from "../../src/ranks/in_process.ts";
import { receiveMessage, sendMessage } from "../../src/ranks/messages.ts";
import { Transport, type TransportOptions } from "../../src/ranks/transport.ts";

/** Runs all ranks of a transport at the same time, and closes it. */
async function withRanks<T>(
  size: number,
  use: (transport: Transport) => Promise<T>,
  options: TransportOptions = {},
): Promise<T[]> {
  const transports = inProcessLinks(size).map((link) => new Transport(link, options));
  try {
    return await Promise.all(transports.map(use));
  } finally {
    assert.deepEqual(await Promise.all(transports.map((transport) => transport.close())), transports.map(() => true));
  }
}

const message = (from: number, to: number) => Uint8Array.from({ length: 3 + from }, (_, i) => 16 * from + to + i);

for (const size of [1, 2, 3, 5]) {
  Deno.test(`${size} ranks exchange bytes with each other, all at once`, async () => {
    await withRanks(size, async (transport) => {
      const others = Array.from({ length: size }, (_, rank) => rank).filter((rank) => rank !== transport.rank);
      const received = others.map((rank) => ({ rank, bytes: new Uint8Array(3 + rank) }));
      const sent = others.map((rank) => ({ rank, bytes: message(transport.rank, rank) }));
      await transport.exchange(sent, received, "a test");
      for (const { rank, bytes } of received) assert.deepEqual(bytes, message(rank, transport.rank));
    });
  });

  Deno.test(`${size} ranks gather parts of any length, none among them`, async () => {
    await withRanks(size, async (transport) => {
      const parts = Array.from({ length: size }, (_, rank) => new Uint8Array(rank * 5));
      parts[transport.rank]?.fill(transport.rank);
      await transport.gather(parts, "a test");
      parts.forEach((part, rank) => assert.deepEqual(part, new Uint8Array(rank * 5).fill(rank)));
    });
  });
}

Deno.test("messages arrive in their order, with or without a payload", async () => {
  const [, second] = await withRanks(2, async (transport) => {
    if (transport.rank === 0) {
      const payload = new Uint8Array(100_000).fill(7);
      await sendMessage(transport, [{ rank: 1, header: { step: 1 } }], "a test");
      await sendMessage(transport, [{ rank: 1, header: { step: 2 }, payload }], "a test");
      return [];
    }
    return [await receiveMessage(transport, 0, "a test"), await receiveMessage(transport, 0, "a test")];
  });
  assert.deepEqual(second?.map(({ header }) => header), [{ step: 1 }, { step: 2 }]);
  assert.deepEqual(second?.map(({ payload }) => payload.length), [0, 100_000]);
});

Deno.test("a barrier holds every rank until the last has come", async () => {
  let arrived = 0;
  await withRanks(3, async (transport) => {
    await new Promise((resolve) => setTimeout(resolve, 20 * transport.rank));
    arrived++;
    await transport.barrier("a test");
    assert.equal(arrived, 3);
  });
});

Deno.test("a rank that computes for long is waited for", async () => {
  const results = await withRanks(2, async (transport) => {
    if (transport.rank === 1) {
      await new Promise((resolve) => setTimeout(resolve, 600));
      await transport.send(0, Uint8Array.of(9), "a test");
      return 0;
    }
    const into = new Uint8Array(1);
    await transport.receive(1, into, "a test");
    return into[0];
  }, { silenceSeconds: 0.2 });
  assert.equal(results[0], 9);
});

Deno.test("a rank that gives no sign of life ends the wait for it, and is named", async () => {
  const [link, silent] = inProcessLinks(2);
  assert(link !== undefined && silent !== undefined);
  const transport = new Transport(link, { silenceSeconds: 0.2 });
  await assert.rejects(transport.receive(1, new Uint8Array(1), "the sums of step 7"), (error) => {
    assert(hasCode(error, "RANK_SILENT"));
    assert.match(
      error.message,
      /^Rank 1 has given no sign of life for 0.2 s while rank 0 waited for the sums of step 7: /,
    );
    return true;
  });
  transport.abort(2);
});

Deno.test("a rank that ends tells all others why, whomever they wait for", async () => {
  await withRanks(3, async (transport) => {
    if (transport.rank === 2) return await transport.fail("no GPU");
    const other = 1 - transport.rank;
    await assert.rejects(transport.receive(other, new Uint8Array(1), "weights"), (error) => {
      assert(hasCode(error, "RANK_ENDED"));
      assert.equal(error.message, `Rank 2 ended while rank ${transport.rank} waited for weights: no GPU`);
      return true;
    });
  });
});

Deno.test("a rank that was stopped itself blames nobody when it goes on", async () => {
  const results = await withRanks(2, async (transport) => {
    if (transport.rank === 1) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      await transport.send(0, Uint8Array.of(5), "a test");
      return;
    }
    const into = new Uint8Array(1);
    const received = transport.receive(1, into, "a test");
    await new Promise((resolve) => setTimeout(resolve, 100));
    const until = performance.now() + 300; // nothing else runs in this process meanwhile
    while (performance.now() < until);
    await received;
    return into[0];
  }, { silenceSeconds: 0.2 });
  assert.equal(results[0], 5);
});
