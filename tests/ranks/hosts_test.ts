import assert from "node:assert/strict";
import { Hosts, ranksPerHost } from "../../src/ranks/hosts.ts";

Deno.test("ranks are grouped by host where all hosts have as many, numbered one after another", () => {
  const place = (localRank: number, localSize: number) => ({ localRank, localSize });
  for (
    const [places, expected] of [
      [[place(0, 2), place(1, 2), place(0, 2), place(1, 2)], 2],
      [[place(0, 3), place(1, 3), place(2, 3)], 3],
      [[place(0, 1), place(0, 1)], 1],
      // Another order, hosts of several sizes, nobody who knows: every rank is a host of its own.
      [[place(0, 2), place(0, 2), place(1, 2), place(1, 2)], 1],
      [[place(0, 2), place(1, 2), place(0, 1)], 1],
      [[place(0, 2), place(1, 2), {}, {}], 1],
      [[{}, {}], 1],
      [[place(0, 4), place(1, 4)], 1],
    ] as const
  ) {
    assert.equal(ranksPerHost(places), expected, JSON.stringify(places));
  }
});

Deno.test("a rank's column has the ranks of its number on all hosts", () => {
  const hosts = new Hosts(6, 3);
  assert.deepEqual([hosts.count, hosts.hostOf(2), hosts.hostOf(3)], [2, 0, 1]);
  assert.deepEqual(hosts.ranksOf(1), [3, 4, 5]);
  assert.deepEqual(hosts.columnOf(4), [1, 4]);
  assert.throws(() => new Hosts(6, 4), RangeError);
});
