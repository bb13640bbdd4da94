import assert from "node:assert/strict";
import { splitNamed } from "../../../src/data/hub/split_names.ts";

for (
  const [path, split] of [
    ["data/validation-00000-of-00002.parquet", "validation"],
    ["validation/chunk1/example_holdout_1.jsonl.zst", "validation"],
    ["val.jsonl.zst", "validation"],
    ["val/0.jsonl", "validation"],
    ["valid.jsonl", "validation"],
    ["en/c4-dev.00000.jsonl", "validation"],
    ["mine.val.jsonl", "validation"],
    ["Validation/a.parquet", "validation"],
    ["train/chunk1/example_train_0.jsonl.zst", "train"],
    ["train-test-corpus/train-00000.parquet", "train"],
    ["test.jsonl.zst", "test"],
    ["data/test-00000-of-00001.parquet", "test"],
    ["split/evaluation/a.parquet", "test"],
    ["document-00000-of-00020.bin", undefined],
    ["00.jsonl.zst", undefined],
    ["values.jsonl", undefined],
    ["contest/latest.jsonl", undefined],
  ] as const
) {
  Deno.test(`splitNamed() finds ${split ?? "no split"} in "${path}"`, () => assert.equal(splitNamed(path), split));
}
