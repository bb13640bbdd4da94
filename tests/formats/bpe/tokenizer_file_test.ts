import { deepEqual, equal, throws } from "node:assert/strict";
import { BpeTokenizer } from "../../../src/formats/bpe/bpe_tokenizer.ts";
import { readTokenizerFile } from "../../../src/formats/bpe/tokenizer_file.ts";
import { sha256 } from "../../../src/digest/sha256.ts";
import { userError } from "../../data/user_error.ts";
import { SMALL_TOKENIZER } from "./small_tokenizer.ts";

const CHANGES = SMALL_TOKENIZER.replace(/tokenizer\.json$/, "changes.json");
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

Deno.test("BpeTokenizer gives the reference's ids for files that say what few say", async () => {
  // Each is a change to the small tokenizer, with what `tokenizers` 0.23.2 gives.
  const cases: {
    readonly name: string;
    readonly change?: { readonly model?: object; readonly vocab?: object };
    readonly repeatsFirstMerge?: true;
    readonly texts: readonly string[];
    readonly ids: readonly (readonly number[])[];
  }[] = JSON.parse(await Deno.readTextFile(CHANGES));
  equal(cases.length, 17);
  for (const { name, change: { model = {}, vocab = {}, ...change } = {}, repeatsFirstMerge, texts, ids } of cases) {
    const file = JSON.parse(text);
    Object.assign(file, change);
    Object.assign(file.model, model);
    Object.assign(file.model.vocab, vocab);
    if (repeatsFirstMerge) file.model.merges.push(file.model.merges[0]);
    const bytes = new TextEncoder().encode(JSON.stringify(file));
    const tokenizer = new BpeTokenizer({ definition: readTokenizerFile(bytes, name), sha256: sha256(bytes) });
    deepEqual(texts.map((text) => [...tokenizer.encode(text)]), ids, name);
  }
});

Deno.test("readTokenizerFile() refuses what would give other ids than it does, by its path", () => {
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: false };
  const end = { ...flags, id: 0, content: "<|endoftext|>", special: true };
  const template = {
    type: "TemplateProcessing",
    single: [{ SpecialToken: { id: "<|endoftext|>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
    pair: [],
    special_tokens: {},
  };
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
  const cases: [path: string, value: unknown, ...named: string[]][] = [
    ["version", "2.0", '"version": "2.0"'],
    ["truncate", 8, '"truncate"', "not known"],
    ["truncation", { max_length: 8 }, '"truncation"', "set it to null"],
    ["padding", { strategy: "BatchLongest" }, '"padding"', "set it to null"],
    ["normalizer", { type: "NFKC" }, '"normalizer.type": "NFKC"'],
    ["normalizer", { type: "NFC", strip: true }, '"normalizer.strip"', "not known"],
    [
      "normalizer",
      { type: "Sequence", normalizers: [{ type: "NFC" }, { type: "Lowercase" }] },
      '"normalizer.normalizers.1.type": "Lowercase"',
    ],
    ["pre_tokenizer", null, '"pre_tokenizer"'],
    ["pre_tokenizer.behavior", "Isolated", '"pre_tokenizer.behavior"', "not known"],
    ["pre_tokenizer.use_regex", "yes", '"pre_tokenizer.use_regex"'],
    ["pre_tokenizer", { type: "Split", pattern: { Regex: "." } }, '"pre_tokenizer.type": "Split"'],
    [
      "pre_tokenizer",
      { type: "Sequence", pretokenizers: [{ type: "Digits", individual_digits: true }, byteLevel] },
      '"pre_tokenizer.pretokenizers.0.type": "Digits"',
    ],
    ["pre_tokenizer", { type: "Sequence", pretokenizers: [byteLevel, byteLevel] }, '"pre_tokenizer.pretokenizers.1"'],
    ["post_processor", template, '"post_processor.single', "set it to null"],
    ["post_processor", { type: "Sequence", processors: [byteLevel, template] }, '"post_processor.processors.1.single'],
    ["post_processor", { type: "RobertaProcessing" }, '"post_processor.type"'],
    ["decoder", { type: "Metaspace" }, '"decoder.type": "Metaspace"'],
    ["model.type", "Unigram", '"model.type": "Unigram"'],
    ["model.dropout", 0.1, '"model.dropout": 0.1'],
    ["model.continuing_subword_prefix", "##", '"model.continuing_subword_prefix"'],
    ["model.end_of_word_suffix", "</w>", '"model.end_of_word_suffix"'],
    ["model.ignore_merges", "yes", '"model.ignore_merges"'],
    ["model.scores", [], '"model.scores"', "not known"],
    ["model", undefined, '"model"'],
    ["model.vocab.a", 65536, '65536 of "a" in "model.vocab"'],
    ["model.vocab.a", "66", '"66" of "a" in "model.vocab"'],
    ["added_tokens.0.regex", true, '"added_tokens.0.regex"', "not known"],
    ["added_tokens.0.lstrip", undefined, '"added_tokens.0.lstrip"'],
    ["added_tokens.2.id", 65536, '"added_tokens.2.id": 65536'],
    ["added_tokens.2.content", "x".repeat(20_000), "20037 bytes"],
    ["added_tokens.0.content", "</s>", "<|endoftext|>"],
    // Versions of the reference do not agree on these, or it fails.
    ["added_tokens.3", { ...end, special: false }, '"<|endoftext|>" twice', "list it once"],
    [
      "added_tokens",
      [end, { ...flags, id: 1, content: " ", lstrip: true }, { ...flags, id: 2, content: "<a>", rstrip: true }],
      '"added_tokens.1.lstrip"',
    ],
  ];
  for (const [path, value, ...named] of cases) {
    throws(
      () => readTokenizerFile(changed(path, value), "odd.json"),
      userError("UNSUPPORTED_TOKENIZER", "odd.json", ...named),
    );
  }
});

Deno.test("readTokenizerFile() refuses added tokens that versions of the reference number differently", () => {
  const file = JSON.parse(text);
  const token = (content: string) => ({ ...file.added_tokens[1], content });
  const read = (vocab: object, ...contents: string[]) => {
    const added_tokens = [...file.added_tokens.slice(0, 2), ...contents.map(token)];
    const changed = { ...file, added_tokens, model: { ...file.model, vocab: { ...file.model.vocab, ...vocab } } };
    return readTokenizerFile(new TextEncoder().encode(JSON.stringify(changed)), "gaps.json");
  };
  const idOf = ({ addedTokens }: ReturnType<typeof read>, text: string) =>
    addedTokens.find(({ content }) => content === text)?.id;
  throws(() => read({ zz: 700 }, "zz", "<a>"), userError("UNSUPPORTED_TOKENIZER", '"<a>"', "701 or 579"));
  throws(() => read({ zz: 579 }, "<a>", "zz"), userError("UNSUPPORTED_TOKENIZER", '"<a>" and "zz"', "one id, 579"));
  // The order decides: what comes before a token of the vocabulary is numbered in the same way by all.
  equal(idOf(read({ zz: 700 }, "<a>", "zz"), "<a>"), 579);
  equal(read({ zz: 700 }, "<a>", "zz").vocabularySize, 701);
});

Deno.test("readTokenizerFile() reads a token that is named like a member of every object", () => {
  const file = JSON.parse(text);
  const vocab = Object.fromEntries([...Object.entries(file.model.vocab), ["__proto__", 578], ["constructor", 579]]);
  const bytes = new TextEncoder().encode(
    JSON.stringify({ ...file, model: { ...file.model, vocab, ignore_merges: true } }),
  );
  const definition = readTokenizerFile(bytes, "names.json");
  equal(definition.vocabularySize, 585);
  const tokenizer = new BpeTokenizer({ definition, sha256: sha256(bytes) });
  equal(tokenizer.encode("constructor")[0], 579);
  equal(tokenizer.encode("toString").length > 1, true);
});

Deno.test("readTokenizerFile() refuses a file that contradicts itself", () => {
  const cases: [path: string, value: unknown, named: string][] = [
    ["model.vocab.!", 5, "one id"],
    ["model.vocab.!", undefined, 'no token "!"'],
    ["model.merges", [...merges, "zz zz"], 'no token "zz"'],
    ["model.merges", [...merges, "a b c"], '"a b c"'],
    ["model.merges", [...merges, ["a", "b"]], '["a","b"]'],
    ["model.merges", [["a"]], '["a"]'],
    ["model.merges", [["#version:", "0.2"]], '"#version:"'],
  ];
  for (const [path, value, named] of cases) {
    throws(
      () => readTokenizerFile(changed(path, value), "odd.json"),
      userError("MALFORMED_TOKENIZER", "odd.json", named),
    );
  }
  const cut = new TextEncoder().encode(text.slice(0, 900));
  throws(() => readTokenizerFile(cut, "cut.json"), userError("MALFORMED_JSON", "cut.json"));
  const twice = new TextEncoder().encode(text.replace("{", '{"truncation":{"max_length":8},'));
  throws(() => readTokenizerFile(twice, "twice.json"), userError("MALFORMED_JSON", '"truncation" stands twice'));
  throws(() => readTokenizerFile(Uint8Array.of(0x7b, 0xff), "odd.json"), userError("NOT_UTF8", "byte 1"));
});
