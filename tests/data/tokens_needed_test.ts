import assert from "node:assert/strict";
import { tokensNeeded } from "../../src/data/tokens_needed.ts";
import { loadScale } from "../../src/experiment/catalogue.ts";

Deno.test("tokensNeeded() is the paper's tokens, with the target after each window", async () => {
  const paper = await loadScale("paper");
  assert.equal(tokensNeeded(paper, "downstream").train, 131_296 * 1104 * 2049);
  assert.equal(tokensNeeded(paper, "upstream").train, 22_114 * 1104 * 2049, "50 billion tokens of the same data");
  const trained = { ...paper, start: { kind: "train" } } as const;
  assert.equal(tokensNeeded(trained, "upstream").train, 143_000 * 1024 * 2049);
  assert.equal(tokensNeeded(paper, "upstream").validation, 11_040 * 2049);
});
