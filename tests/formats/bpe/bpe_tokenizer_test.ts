/**
 * Ids against the reference, Hugging Face's `tokenizers` 0.23.2 (Rust, by its Python package): `encode(text,
 * add_special_tokens=False).ids` with the same tokenizer.json gave `cases.json` and the digests here. The tokenizer was
 * trained by the same library, with 320 merges, NFC, the ByteLevel pre-tokenizer, and added tokens as GPT-NeoX-20B has
 * them.
 */
import fc from "fast-check";
import { deepEqual, equal } from "node:assert/strict";
import { BpeTokenizer } from "../../../src/formats/bpe/bpe_tokenizer.ts";
import { normalize } from "../../../src/formats/bpe/nfc.ts";
import { oddTexts } from "./odd_texts.ts";
import { plainEncode, type PlainTokenizer } from "./reference.ts";
import { bpeTokenizer, digestOfIds, SMALL_CASES, SMALL_TOKENIZER } from "./small_tokenizer.ts";

const tokenizer = await bpeTokenizer();
const file: PlainTokenizer = JSON.parse(await Deno.readTextFile(SMALL_TOKENIZER));
/** GPT-2's character of each byte. */
const CHARACTERS = (() => {
  let others = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const own = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    return String.fromCharCode(own ? byte : others++);
  });
})();

/** The bytes that ids stand for, as text. */
function decode(ids: Iterable<number>): string {
  const tokens = new Map(Object.entries(file.model.vocab).map(([token, id]) => [id, token]));
  const added = new Map(file.added_tokens.map(({ id, content }) => [id, content]));
  const bytes = Array.from(ids).flatMap((id) => {
    const content = added.get(id);
    if (content !== undefined) return [...new TextEncoder().encode(normalize(content))];
    return [...tokens.get(id) ?? ""].map((character) => CHARACTERS.indexOf(character));
  });
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes));
}

Deno.test("BpeTokenizer gives the reference's ids", async () => {
  const cases: { text: string; ids: number[] }[] = JSON.parse(await Deno.readTextFile(SMALL_CASES));
  equal(cases.length, 306);
  for (const { text, ids } of cases) deepEqual([...tokenizer.encode(text)], ids, JSON.stringify(text));
});

Deno.test("BpeTokenizer gives the reference's ids of 2,000 odd texts", () => {
  deepEqual(digestOfIds(tokenizer, oddTexts(2000)), {
    ids: 91685,
    sha256: "fd54f905211afd0b472486d3f997d4c33798ac62d6e2051c7e597fb40ab88e98",
  });
});

const piece = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom(" ", "  ", "\n", "\r\n", "\u3000", "'ll", "<|endoftext|>", "<|pad", "ding|>", "the ", "été", "12"),
  fc.tuple(fc.constantFrom("a", " ", "-", "é", "th"), fc.nat(60)).map(([unit, count]) => unit.repeat(count)),
);
const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(""));

Deno.test("BpeTokenizer loses nothing but the form: its ids spell the normalised text", () => {
  fc.assert(
    fc.property(text, (text) => {
      equal(decode(tokenizer.encode(text)), normalize(text));
    }),
    { numRuns: 300 },
  );
});

Deno.test("BpeTokenizer merges as the definition says, for words of any length", () => {
  const words = fc.array(fc.oneof(fc.string({ unit: "grapheme-ascii", maxLength: 90 }), piece), { maxLength: 4 });
  fc.assert(
    fc.property(words.map((pieces) => pieces.join("").replaceAll(/[^\x20-\x7e]/g, "x")), (text) => {
      deepEqual([...tokenizer.encode(text)], plainEncode(text, file, CHARACTERS));
    }),
    { numRuns: 300 },
  );
});

Deno.test("BpeTokenizer gives the same ids however full its cache of words is", async () => {
  const fresh = await bpeTokenizer();
  const sample = oddTexts(50);
  const before = sample.map((text) => [...fresh.encode(text)]);
  // More words than the cache holds.
  for (let i = 0; i < 30; i++) {
    fresh.encode(Array.from({ length: 5000 }, (_, j) => (i * 5000 + j).toString(36)).join(" "));
  }
  deepEqual(sample.map((text) => [...fresh.encode(text)]), before);
});

Deno.test("BpeTokenizer encodes a word of 100,000 characters", () => {
  const word = "ab".repeat(50_000);
  const ids = tokenizer.encode(word);
  equal(decode(ids), word);
});

Deno.test("BpeTokenizer encodes a text that is longer than the buffer it keeps, and short ones after it", () => {
  const sentence = "\nThe été's  12 cats\u0301.";
  const ids = [...tokenizer.encode(sentence)];
  const times = 60_000;
  const long = tokenizer.encode(sentence.repeat(times));
  equal(long.length, times * ids.length);
  equal(long.every((id, i) => id === ids[i % ids.length]), true);
  deepEqual([...tokenizer.encode(sentence)], ids);
});

Deno.test("BpeTokenizer reads a lone surrogate as U+FFFD, in text and in added tokens", () => {
  const { definition, sha256 } = tokenizer.source;
  const added = { content: "x\ud800y", singleWord: false, stripsLeft: false, stripsRight: false, special: false };
  for (const normalized of [true, false]) {
    const addedTokens = [...definition.addedTokens, { ...added, id: 600, normalized }];
    const odd = new BpeTokenizer({ definition: { ...definition, addedTokens }, sha256 });
    for (const text of ["x\ud800y", "x\ufffdy"]) deepEqual([...odd.encode(text)], [600]);
    deepEqual(odd.encode("a\ud800"), odd.encode("a\ufffd"));
  }
});
