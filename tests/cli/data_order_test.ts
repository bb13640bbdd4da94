/** `data order` as it is typed. */
import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { dataOrder } from "../../src/cli/commands/data_order.ts";
import { writeIndex } from "../../src/formats/megatron/write_index.ts";
import { sha256 } from "../../src/digest/sha256.ts";
import { KNOWN_ANSWERS } from "../data/gpt_neox/known_answers.ts";
import { userError } from "../data/user_error.ts";
import { withFolder } from "../temporary_folder.ts";

/** Runs it, and gives its exit code and the lines that it printed. */
async function order(...args: readonly string[]): Promise<{ code: number; lines: string[] }> {
  const lines: string[] = [];
  const { log } = console;
  console.log = (...words: unknown[]) => lines.push(...words.join(" ").split("\n"));
  try {
    return { code: await dataOrder.run(args), lines };
  } finally {
    console.log = log;
  }
}

function writeSizes(folder: string, sizes: readonly number[]): string {
  writeIndex(`${folder}/pile.idx`, sizes.length, () => sizes);
  return `${folder}/pile.idx`;
}

Deno.test("data order prints what a step reads, document by document", () =>
  withFolder(async (folder) => {
    // The order that tests/data/gpt_neox/index_mapping_test.ts works out by hand: two windows, in their order.
    const idx = writeSizes(folder, [2, 3, 1]);
    const args = ["--idx", idx, "--samples", "2", "--split", "train", "--sequence-length", "4", "--batch", "1"];
    const { code, lines } = await order(...args, "--steps", "0,1");
    equal(code, 0);
    deepEqual(lines, [
      `${idx}: 3 documents, 6 tokens`,
      "train: documents 0 to 2, 2 epochs, 2 windows of 4 + 1 tokens for 2 samples, seed 1234",
      "",
      "step 0, samples 0 to 0, as document:offset+tokens",
      "  0  2:0+1 1:0+3 2:0+1",
      "",
      "step 1, samples 1 to 1, as document:offset+tokens",
      "  1  2:0+1 0:0+2 1:0+2",
    ]);
    const rows = await order(...args.slice(0, -1), "2", "--rows", "1");
    equal(rows.lines.filter((line) => line.startsWith("  ")).length, 1);
  }));

Deno.test("data order writes numpy's files, and tells a run's own from others", () =>
  withFolder(async (folder) => {
    const [answer] = KNOWN_ANSWERS.orders;
    if (answer === undefined) throw new Error("No order is known");
    const idx = writeSizes(folder, answer.sizes);
    const out = `${folder}/out/`;
    const args = ["--idx", idx, "--split", "train", "--sequence-length", "4"];
    // Of six documents, 969 in 1000 are all six.
    const { code, lines } = await order(...args, "--samples", "10", "--out", out);
    equal(code, 0);
    const stem = `${folder}/out/pile_train_indexmap_10ns_4sl_1234s_`;
    const paths = ["doc_idx", "sample_idx", "shuffle_idx"].map((array) => `${stem}${array}.npy`);
    deepEqual(lines.slice(2), paths);
    const digests = await Promise.all(paths.map(async (path) => sha256(await Deno.readFile(path))));
    deepEqual(digests, [answer.doc_idx.sha256, answer.sample_idx.sha256, answer.shuffle_idx.sha256]);

    const same = await order(...args, "--samples", "10", "--against", out);
    deepEqual([same.code, ...same.lines.slice(2)], [0, ...paths.map((path) => `${path}: the same`)]);
    await Deno.copyFile(paths[0] ?? "", `${stem.replace("1234s", "5s")}doc_idx.npy`);
    await Deno.copyFile(paths[1] ?? "", `${stem.replace("1234s", "5s")}sample_idx.npy`);
    await Deno.copyFile(paths[2] ?? "", `${stem.replace("1234s", "5s")}shuffle_idx.npy`);
    const other = await order(...args, "--samples", "10", "--seed", "5", "--against", out);
    equal(other.code, 1);
    match(other.lines[2] ?? "", /doc_idx\.npy: element \d+ is \d, expected \d$/);
    await rejects(
      () => order(...args, "--samples", "10", "--out", out),
      userError("FILE_ERROR", "doc_idx.npy", "exists"),
    );
    await rejects(
      () => order(...args, "--samples", "11", "--against", out),
      userError("FILE_NOT_FOUND", "pile_train_indexmap_11ns_4sl_1234s_doc_idx.npy"),
    );
  }));

Deno.test("data order asks for GPT-NeoX's reserve where a run names its training sets", () =>
  withFolder(async (folder) => {
    const { lines } = await order("--idx", writeSizes(folder, new Array<number>(50).fill(100)), "--samples", "2048");
    match(lines[1] ?? "", /^train_0: documents 0 to 49, 844 epochs, 2060 windows of 2048 \+ 1 tokens for 2059 samples/);
    equal(lines.filter((line) => line.startsWith("  ")).length, 8);
  }));

Deno.test("data order makes no order of gigabytes out of an index of kilobytes", () =>
  withFolder(async (folder) => {
    const index = writeSizes(folder, new Array<number>(100).fill(2 ** 31 - 1));
    await rejects(
      () => order("--idx", index, "--samples", "2048"),
      userError("INDEX_TOO_LARGE", "states 214748364700 tokens in 100 documents"),
    );
  }));

Deno.test("data order says what is missing or wrong", () =>
  withFolder(async (folder) => {
    const idx = writeSizes(folder, [100, 100]);
    await rejects(() => order("--samples", "1"), userError("MISSING_OPTION", "--idx"));
    await rejects(() => order("--idx", idx, "--out", folder), userError("MISSING_OPTION", "--samples"));
    await rejects(
      () => order("--idx", `${folder}/pile.bin`, "--samples", "1024"),
      userError("UNKNOWN_FORMAT", "pile.bin"),
    );
    await rejects(
      () => order("--idx", `${folder}/none.idx`, "--samples", "1024"),
      userError("FILE_NOT_FOUND", "none.idx"),
    );
    await rejects(() => order("--idx", idx, "--samples", "100"), userError("TOO_FEW_SAMPLES", "100", "1024"));
    const rest = ["--idx", idx, "--samples", "10", "--batch", "2"];
    await rejects(() => order(...rest, "--steps", "5"), userError("BAD_NUMBER", '"5"', "0 to 4"));
    await rejects(() => order(...rest, "--steps", "1,x"), userError("BAD_NUMBER", '"x"'));
    await rejects(() => order(...rest, "--seed", "4294967296"), userError("BAD_NUMBER", "--seed"));
    await rejects(() => order(...rest, "--split", "validation"), userError("UNKNOWN_SPLIT", "valid"));
    await rejects(() => order(...rest, "--split", "constructor"), userError("UNKNOWN_SPLIT", "constructor"));
  }));
