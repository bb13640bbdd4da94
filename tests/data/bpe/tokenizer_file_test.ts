import { equal, throws } from "node:assert/strict";
import { readTokenizerFile } from "../../../src/data/bpe/tokenizer_file.ts";
import { userError } from "../user_error.ts";
import { SMALL_TOKENIZER } from "./small_tokenizer.ts";

const text = await Deno.readTextFile(SMALL_TOKENIZER);
const merges: string[] = JSON.parse(text).model.merges;

/** The file with another value at a path such as `model.dropout`; `undefined` removes what is there. */
function changed(path: string, value: unknown): Uint8Array {
  const file: Record<string, unknown> = JSON.parse(text);
  const names = path.split(".");
  const last = names.pop() ?? "";
  const parent = names.reduce((node, name) => node[name] as Record<string, unknown>, file);
  parent[last] = value;
  return new TextEncoder().encode(JSON.stringify(file));
}

Deno.test("readTokenizerFile() reads merges in both ways of writing them", () => {
  const pairs = readTokenizerFile(changed("model.merges", merges.map((merge) => merge.split(" "))), "pairs.json");
  const strings = readTokenizerFile(new TextEncoder().encode(text), "strings.json");
  equal(JSON.stringify(pairs.merges), JSON.stringify(strings.merges));
  equal(strings.vocabularySize, 583);
  equal(strings.endOfText, 0);
});

Deno.test("readTokenizerFile() refuses what would give other ids than it does", () => {
  const cases: [path: string, value: unknown, named: string][] = [
    ["normalizer", { type: "NFKC" }, "normalizer"],
    ["pre_tokenizer.add_prefix_space", true, "pre_tokenizer.add_prefix_space"],
    ["pre_tokenizer.use_regex", false, "use_regex"],
    ["post_processor", { type: "TemplateProcessing" }, "post_processor"],
    ["model.type", "Unigram", "model.type"],
    ["model.dropout", 0.1, "model.dropout"],
    ["model.ignore_merges", true, "ignore_merges"],
    ["model", undefined, "model"],
    ["added_tokens.0.lstrip", true, "added_tokens.0.lstrip"],
    ["added_tokens.2.single_word", true, "added_tokens.2.single_word"],
    ["added_tokens.2.id", 65536, "added_tokens.2.id"],
    ["added_tokens.2.content", "x".repeat(20_000), "20037 bytes"],
    ["added_tokens.0.content", "</s>", "<|endoftext|>"],
  ];
  for (const [path, value, named] of cases) {
    throws(
      () => readTokenizerFile(changed(path, value), "odd.json"),
      userError("UNSUPPORTED_TOKENIZER", "odd.json", named),
    );
  }
});

Deno.test("readTokenizerFile() refuses a file that contradicts itself", () => {
  const cases: [path: string, value: unknown, named: string][] = [
    ["added_tokens.3.content", "        ", "added token twice"],
    ["added_tokens.2.content", merges[0]?.replace(" ", ""), "two ids"],
    ["model.vocab.!", 5, "one id"],
    ["model.vocab.!", undefined, 'no token "!"'],
    ["model.merges", [...merges, "zz zz"], 'no token "zz"'],
    ["model.merges", [...merges, "a b c"], '"a b c"'],
    ["model.merges", [...merges, merges[7]], "merge twice"],
  ];
  for (const [path, value, named] of cases) {
    throws(
      () => readTokenizerFile(changed(path, value), "odd.json"),
      userError("MALFORMED_TOKENIZER", "odd.json", named),
    );
  }
  const cut = new TextEncoder().encode(text.slice(0, 900));
  throws(() => readTokenizerFile(cut, "cut.json"), userError("MALFORMED_JSON", "cut.json"));
  throws(() => readTokenizerFile(Uint8Array.of(0x7b, 0xff), "odd.json"), userError("NOT_UTF8", "byte 1"));
});
