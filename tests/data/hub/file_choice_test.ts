import assert from "node:assert/strict";
import { chooseFiles, requireBudget } from "../../../src/data/hub/file_choice.ts";
import { tokensNeeded } from "../../../src/data/tokens_needed.ts";
import { sha256 } from "../../../src/digest/sha256.ts";
import { loadScale } from "../../../src/experiment/catalogue.ts";
import { FIXTURE_CATALOGUE } from "../../experiment/plan/plan_fixture.ts";
import { userError } from "../user_error.ts";

const file = (path: string, bytes: number) => ({ path, bytes, sha256: sha256(path) });
/** The Pythia shards as PAPER.md counts them: 21 of about 30 GB. */
const SHARDS = [
  ...Array.from({ length: 21 }, (_, i) => file(`document-${String(i).padStart(5, "0")}-of-00020.bin`, 30e9)),
  file("document.idx", 4e9),
];
/** SlimPajama's shape: 10 chunks of about 89.5 GB in files of 15 MB, and the validation set. */
const CHUNKS = [10, 9, 8, 7, 6, 5, 4, 3, 2, 1].flatMap((chunk) => [
  ...Array.from({ length: 100 }, (_, i) => file(`train/chunk${chunk}/example_train_${i}.jsonl.zst`, 895e6)),
  file(`validation/chunk${(chunk + 1) >> 1}/example_holdout_${chunk}.jsonl.zst`, 75e6),
]);

Deno.test("chooseFiles() takes whole shards from the front, and all of them where the paper's model is trained here", async () => {
  const small = chooseFiles(tokensNeeded(await loadScale("small", FIXTURE_CATALOGUE.folder), "upstream"), SHARDS);
  assert.deepEqual(small.map(({ path }) => path), ["document-00000-of-00020.bin"]);
  const paper = await loadScale("paper", FIXTURE_CATALOGUE.folder);
  assert.equal(chooseFiles(tokensNeeded(paper, "upstream"), SHARDS).length, 4);
  assert.equal(chooseFiles(tokensNeeded({ ...paper, start: { kind: "train" } }, "upstream"), SHARDS).length, 21);
});

Deno.test("chooseFiles() takes about half of SlimPajama for the paper, chunk 2 before chunk 10", async () => {
  const paper = chooseFiles(tokensNeeded(await loadScale("paper", FIXTURE_CATALOGUE.folder), "downstream"), CHUNKS);
  const train = paper.filter(({ path }) => path.startsWith("train/"));
  assert.equal(train[0]?.path, "train/chunk1/example_train_0.jsonl.zst");
  assert.equal(train[199]?.path, "train/chunk2/example_train_99.jsonl.zst");
  const share = train.length / 1000;
  assert(share > 0.55 && share < 0.65, `${share}`);
  assert.equal(paper.at(-1)?.path, "validation/chunk1/example_holdout_1.jsonl.zst");
  const small = chooseFiles(tokensNeeded(await loadScale("small", FIXTURE_CATALOGUE.folder), "downstream"), CHUNKS);
  assert.deepEqual(small.map(({ path }) => path), [
    "train/chunk1/example_train_0.jsonl.zst",
    "validation/chunk1/example_holdout_1.jsonl.zst",
  ]);
});

/** A mirror as the hub's newer ones are, files of 300 MB. */
const MIRROR = [
  ...Array.from({ length: 30 }, (_, i) => file(`data/train-${String(i).padStart(5, "0")}-of-00030.parquet`, 300e6)),
  file("data/validation-00000-of-00002.parquet", 50e6),
  file("data/validation-00001-of-00002.parquet", 50e6),
  file("data/test-00000-of-00001.parquet", 50e6),
];

Deno.test("chooseFiles() takes Parquet by what Snappy leaves of text, and never the test set", () => {
  const chosen = (train: number, validation: number) =>
    chooseFiles({ train, validation }, MIRROR).map(({ path }) => path.split("/")[1]);
  // 4.5 bytes a token, 0.58 of them under Snappy, and a quarter more: 92 million tokens a file.
  assert.deepEqual(chosen(90e6, 1e6), ["train-00000-of-00030.parquet", "validation-00000-of-00002.parquet"]);
  assert.equal(chosen(180e6, 20e6).length, 2 + 2);
  assert.equal(chosen(1e12, 1e12).length, 30 + 2);
});

Deno.test("requireBudget() names both sizes", () => {
  requireBudget("It", SHARDS, 634e9);
  assert.throws(() => requireBudget("It", SHARDS, 500e9), userError("OVER_BUDGET", "634 GB", "500 GB"));
});
