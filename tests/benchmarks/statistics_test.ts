import assert from "node:assert/strict";
import { median } from "../../benchmarks/statistics.ts";
import { textTable } from "../../benchmarks/text_table.ts";

Deno.test("median() is the middle value, or the mean of the two middle ones", () => {
  assert.equal(median([10, 9, 100]), 10);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.equal(median([7]), 7);
  assert.throws(() => median([]), /No values/);
});

Deno.test("textTable() aligns the first column to the left and numbers to the right", () => {
  assert.equal(
    textTable(["name", "n"], [["a", "10,000"], ["long name", "5"]]),
    [
      "name            n",
      "a          10,000",
      "long name       5",
    ].join("\n"),
  );
});
