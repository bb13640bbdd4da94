import assert from "node:assert/strict";
import { canonicalJson } from "../../src/digest/canonical_json.ts";
import { sha256 } from "../../src/digest/sha256.ts";
import { statedCommand, statedName } from "../../src/reproduce/stated_words.ts";

const shards = (count: number) => Array.from({ length: count }, (_, i) => `part-${i}.jsonl`);

Deno.test("statedCommand() leaves a short command as it was given", () => {
  const command = ["reproduce", "--scale", "tiny", "--upstream", "a.txt", "b.txt", "--key", "k.pem"];
  assert.deepEqual(statedCommand(command), command);
  assert.deepEqual(statedCommand([]), []);
});

Deno.test("statedCommand() states a long list by its beginning, its count and the digest of its words", () => {
  for (const count of [33, 2000, 16_046]) {
    const words = shards(count);
    const stated = statedCommand(["reproduce", "--upstream", ...words, "--downstream", "d.txt", "--out", "out/x"]);
    assert.deepEqual(stated, [
      "reproduce",
      "--upstream",
      ...words.slice(0, 8),
      `… ${count} words, sha256 ${sha256(canonicalJson(words))}`,
      "--downstream",
      "d.txt",
      "--out",
      "out/x",
    ]);
  }
});

Deno.test("statedCommand() keeps to a manifest's bounds, whatever it is given", () => {
  const commands = [
    ["x".repeat(1e6)],
    Array.from({ length: 5000 }, (_, i) => `--option-${i}`),
    Array.from({ length: 2000 }, (_, i) => i % 2 === 0 ? "--upstream" : "\ud800".repeat(9000)),
    shards(100_000).map((word) => word.repeat(10)),
  ];
  for (const command of commands) {
    const stated = statedCommand(command);
    assert.ok(stated.length <= 1000);
    assert.ok(stated.every((word) => word.length <= 4000 && word.isWellFormed()));
  }
});

Deno.test("statedName() shortens only long names, and names that differ stay different", () => {
  assert.equal(statedName("Book3 (en)"), "Book3 (en)");
  const names = ["x".repeat(180), "x".repeat(181), "x".repeat(5000), `${"x".repeat(180)}y`, "😀".repeat(300)];
  const stated = names.map(statedName);
  assert.equal(new Set(stated).size, names.length);
  assert.ok(stated.every((name) => name.length <= 190 && name.isWellFormed()));
  assert.equal(stated[1], `${"x".repeat(90)}… 181 characters, sha256 ${sha256("x".repeat(181))}`);
});
