import fc from "fast-check";
import { deepEqual, equal } from "node:assert/strict";
import { splitDocuments } from "../../../src/data/gpt_neox/split.ts";

/** Ends of the three parts, as `get_train_valid_test_split_("969,30,1", size)` gives them. */
const ENDS: readonly [number, readonly number[]][] = [
  [0, [0, 0, 0]],
  [1, [1, 1, 1]],
  [10, [10, 10, 10]],
  [17, [16, 17, 17]],
  [50, [48, 50, 50]],
  [100, [97, 100, 100]],
  [500, [485, 500, 500]],
  [1000, [969, 999, 1000]],
  [1500, [1453, 1498, 1500]],
  [210_607_728, [204_078_888, 210_397_120, 210_607_728]],
];

Deno.test("splitDocuments() divides as GPT-NeoX's default does, halves to even and the surplus off the first part", () => {
  for (const [documents, ends] of ENDS) {
    const { train, validation, test } = splitDocuments(documents);
    deepEqual([train.end, validation.end, test.end], ends, `${documents}`);
  }
});

Deno.test("splitDocuments() gives each document to one part", () => {
  fc.assert(fc.property(fc.nat(1_000_000), (documents) => {
    const { train, validation, test } = splitDocuments(documents);
    equal(train.first, 0);
    deepEqual([validation.first, test.first, test.end], [train.end, validation.end, documents]);
  }));
});
