/**
 * GPT-NeoX-20B's tokenizer against the reference, Hugging Face's `tokenizers` 0.23.2 (Rust, by its Python package). The
 * digests are SHA-256 of `encode(text, add_special_tokens=False).ids` as little-endian uint16, 65535 after each text.
 */
import { deepEqual, equal } from "node:assert/strict";
import { openTokenizer } from "../../src/data/open_tokenizer.ts";
import { readDataLock } from "../../src/data/data_lock.ts";
import { inspectFile, readDocuments } from "../../src/data/text/file_source.ts";
import { oddTexts } from "../formats/bpe/odd_texts.ts";
import { bpeTokenizer, digestOfIds } from "../formats/bpe/small_tokenizer.ts";

const SHARED = new URL("../fixtures/outside/", import.meta.url);
const FILE = new URL("tokenizer/20B_tokenizer.json", SHARED).pathname;
const ignore = await Deno.stat(FILE).then(() => false, () => true);

Deno.test({
  name: "openTokenizer() takes GPT-NeoX-20B's file, which the lockfile pins, and 50,304 ids hold its own",
  ignore,
  fn: async () => {
    const tokenizer = await openTokenizer(FILE, await readDataLock(), 50_304);
    equal(tokenizer.vocabularySize, 50_277);
    equal(tokenizer.endOfText, 0);
  },
});

Deno.test({
  name: "BpeTokenizer gives the ids of the reference's cases",
  ignore,
  fn: async () => {
    const tokenizer = await bpeTokenizer(FILE);
    const path = new URL("tokenizer/cases.json", SHARED);
    const cases: { text: string; ids: number[] }[] = JSON.parse(await Deno.readTextFile(path));
    for (const { text, ids } of cases) deepEqual([...tokenizer.encode(text)], ids, JSON.stringify(text));
  },
});

Deno.test({
  name: "BpeTokenizer gives the reference's ids of all the corpora",
  ignore,
  fn: async () => {
    const tokenizer = await bpeTokenizer(FILE);
    const texts: string[] = [];
    for (const name of ["upstream.train", "upstream.val", "downstream.train", "downstream.val"]) {
      const file = await inspectFile(new URL(`corpora/${name}.jsonl.zst`, SHARED).pathname, () => {});
      for await (const { text } of readDocuments(file, () => {})) texts.push(text);
    }
    deepEqual(digestOfIds(tokenizer, texts), {
      ids: 1_043_864,
      sha256: "5c59e55535dabacac84e95f5b89a313f6b7d0fd5388e54f1dc20201005a2f47c",
    });
  },
});

Deno.test({
  name: "BpeTokenizer gives the reference's ids of 20,000 odd texts",
  ignore,
  fn: async () => {
    deepEqual(digestOfIds(await bpeTokenizer(FILE), oddTexts(20_000)), {
      ids: 476_645,
      sha256: "6d1f79e02982d8f065ab9432dbf1de01a35d7eaeb198d5a001a7b8f7bd821550",
    });
  },
});
