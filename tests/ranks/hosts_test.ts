import assert from "node:assert/strict";
import { Hosts, ranksPerHost } from "../../src/ranks/hosts.ts";

Deno.test("ranks are grouped by host where all hosts have as many, numbered one after another", () => {
  const at = (hosts: string) => [...hosts].map((host) => ({ host }));
  for (
    const [places, expected] of [
      [at("aabb"), 2],
      [at("aaa"), 3],
      [at("ab"), 1],
      [at("ccbbaa"), 2],
      // Another order, hosts of several sizes, one host in two places, nobody who knows: each is a host of its own.
      [at("abab"), 1],
      [at("aab"), 1],
      [at("aabbaa"), 1],
      [at("aabbc"), 1],
      [[{ host: "a" }, { host: "a" }, {}, {}], 1],
      [[{}, {}], 1],
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
