/** `tokenizer.json` of Hugging Face's `tokenizers`: what determines its ids, or why it is refused. */
import { z } from "zod";
import { parseStrictJson } from "../../text/strict_json.ts";
import { UserError } from "../../errors.ts";
import { printable } from "../../files/safe_name.ts";
import { decodeUtf8 } from "../../text/utf8.ts";
import { numberAddedTokens, type NumberedToken } from "./added_ids.ts";
import { BYTE_CHARACTERS, isInUtf8 } from "./byte_alphabet.ts";
import type { Merge } from "./merges.ts";
import { type TokenBytesTable, tokenBytesTable } from "./token_bytes.ts";
import {
  byteLevelSchema,
  fileSchema,
  MAX_IDS,
  normalizerSchema,
  postProcessorSchema,
  type TokenizerFile,
} from "./tokenizer_schema.ts";
import { isWhiteSpace } from "./unicode_classes.ts";

/** Bytes of a file that is read at most; GPT-NeoX-20B's has 2.5 MB. */
export const MAX_TOKENIZER_BYTES: number = 1 << 26;
/** Added tokens make a tree of 1 KiB a byte. */
const MAX_ADDED_BYTES = 1 << 14;
/** UTF-16 code units of an added token: at every byte of a text as many are compared. */
const MAX_ADDED_LENGTH = 256;
/** The added token that stands between documents in GPT-2 and GPT-NeoX. */
const END_OF_TEXT = "<|endoftext|>";
/** Values of a file: a token, its id, and three for a merge, at most so many of each as there are ids; and more. */
const JSON_LIMITS = { depth: 32, values: 8 * MAX_IDS };
/** What to do about members that are for batches of texts, or for what is said between documents. */
const REMEDIES: Readonly<Record<string, string>> = {
  truncation: "set it to null: documents are not cut here",
  padding: "set it to null: documents are not padded here",
  post_processor: "set it to null: documents get no other token than the one that ends them",
};
/** Lines of merges that the reference passes over, wherever they stand. */
const MERGES_HEAD = "#version";

/** All that determines a tokenizer's ids. */
export interface TokenizerDefinition {
  /** how messages name it */
  readonly name: string;
  /** whether text is brought into normalisation form C */
  readonly normalizes: boolean;
  /** whether a piece of text between added tokens is put after a space, unless it begins with one */
  readonly prefixesSpace: boolean;
  /** whether such a piece is split into words by GPT-2's pattern; it is one word if not */
  readonly splitsWords: boolean;
  /** texts that are one id each; `normalized` ones are looked for in normalised text */
  readonly addedTokens: readonly NumberedToken[];
  /** id of each byte, 0 for those that UTF-8 never has; shape (256) */
  readonly byteIds: Uint16Array;
  /** rules from the first to the last that is tried; of equal ones the last counts */
  readonly merges: readonly Merge[];
  /** ids by token in the byte alphabet, if a word that is a token is not put together from merges */
  readonly wholeWords?: ReadonlyMap<string, number>;
  /** what each id stands for */
  readonly tokenBytes: TokenBytesTable;
  readonly vocabularySize: number;
  /** id of `<|endoftext|>` */
  readonly endOfText: number;
}

/**
 * Reads the bytes of a `tokenizer.json`.
 *
 * @param name how messages name the file
 * @throws {UserError} `NOT_UTF8`, `MALFORMED_JSON`, `MALFORMED_TOKENIZER` if it is damaged or contradicts itself,
 * `UNSUPPORTED_TOKENIZER` if it asks for what this project does not do
 */
export function readTokenizerFile(bytes: Uint8Array, name: string): TokenizerDefinition {
  const file = check(fileSchema, parse(bytes, name), "", name);
  const { model } = file;
  const vocabulary = readVocabulary(model.vocab, name);
  const merges = readMerges(model.merges, vocabulary, name);
  const addedTokens = readAddedTokens(file, vocabulary, name);
  const endOfText = addedTokens.find(({ content, special }) => special && content === END_OF_TEXT)?.id;
  if (endOfText === undefined) throw unsupported(name, "no special token to end a document", `"${END_OF_TEXT}"`);
  const { normalizes, prefixesSpace, splitsWords } = readComponents(file, name);
  const vocabularySize = 1 +
    [...vocabulary.values(), ...addedTokens.map(({ id }) => id)].reduce((a, b) => a > b ? a : b);
  if (vocabularySize > MAX_IDS) throw unsupported(name, `the id ${vocabularySize - 1}`, `ids below ${MAX_IDS}`);
  return {
    name,
    normalizes,
    prefixesSpace,
    splitsWords,
    addedTokens,
    byteIds: readByteIds(vocabulary, name),
    merges,
    ...(model.ignore_merges === true && { wholeWords: vocabulary }),
    tokenBytes: tokenBytesTable(vocabulary, addedTokens, vocabularySize),
    vocabularySize,
    endOfText,
  };
}

function parse(bytes: Uint8Array, name: string): unknown {
  const decoded = decodeUtf8(bytes);
  if (!decoded.ok) {
    throw new UserError("NOT_UTF8", `Tokenizer "${name}" is not UTF-8 at byte ${decoded.offset}`, "download it again");
  }
  try {
    return parseStrictJson(decoded.text, JSON_LIMITS);
  } catch (cause) {
    throw new UserError(
      "MALFORMED_JSON",
      `Tokenizer "${name}" is not JSON${cause instanceof Error ? `: ${cause.message}` : ""}`,
      "give the tokenizer.json of Hugging Face's tokenizers",
      { cause },
    );
  }
}

function readVocabulary(vocab: Readonly<Record<string, unknown>>, name: string): ReadonlyMap<string, number> {
  const vocabulary = new Map<string, number>();
  const tokens = new Map<number, string>();
  for (const [token, id] of Object.entries(vocab)) {
    if (typeof id !== "number" || !Number.isInteger(id) || id < 0 || id >= MAX_IDS) {
      throw unsupported(name, `the id ${quote(id)} of ${quote(token)} in "model.vocab"`, `ids below ${MAX_IDS}`);
    }
    const other = tokens.get(id);
    if (other !== undefined) {
      throw malformed(name, `gives two tokens one id: ${quote(other)} and ${quote(token)} ${id}`);
    }
    vocabulary.set(token, id);
    tokens.set(id, token);
  }
  return vocabulary;
}

function readMerges(merges: readonly unknown[], vocabulary: ReadonlyMap<string, number>, name: string): Merge[] {
  const areText = typeof merges[0] === "string";
  const rules: Merge[] = [];
  for (const merge of merges) {
    if (areText && typeof merge === "string" && merge.startsWith(MERGES_HEAD)) continue;
    const parts: unknown = areText && typeof merge === "string" ? merge.split(" ", 3) : areText ? undefined : merge;
    if (!Array.isArray(parts) || parts.length !== 2 || parts.some((part) => typeof part !== "string")) {
      throw malformed(name, `has a merge ${quote(merge)}, which is not of two tokens`);
    }
    const [left, right] = parts as [string, string];
    const idOf = (token: string) => requireToken(token, vocabulary, name);
    rules.push({ left: idOf(left), right: idOf(right), merged: idOf(left + right) });
  }
  return rules;
}

function requireToken(token: string, vocabulary: ReadonlyMap<string, number>, name: string): number {
  const id = vocabulary.get(token);
  if (id === undefined) throw malformed(name, `has no token ${quote(token)}, which it needs`);
  return id;
}

function readByteIds(vocabulary: ReadonlyMap<string, number>, name: string): Uint16Array {
  return Uint16Array.from(BYTE_CHARACTERS, (character, byte) => {
    if (!isInUtf8(byte)) return 0;
    const id = vocabulary.get(character);
    if (id !== undefined) return id;
    // The reference leaves the byte out without a word.
    throw malformed(
      name,
      `has no token ${quote(character)} for the byte ${byte}, so that text would be lost`,
      "download it again, or train it with all bytes as its initial alphabet",
    );
  });
}

function readAddedTokens(
  { added_tokens: listed }: TokenizerFile,
  vocabulary: ReadonlyMap<string, number>,
  name: string,
): NumberedToken[] {
  const addedBytes = new TextEncoder().encode(listed.map(({ content }) => content).join("")).length;
  if (addedBytes > MAX_ADDED_BYTES) {
    throw unsupported(name, `added_tokens with ${addedBytes} bytes`, `at most ${MAX_ADDED_BYTES}`);
  }
  const long = listed.findIndex(({ content }) => content.length > MAX_ADDED_LENGTH);
  if (long >= 0) {
    const { length } = listed[long]?.content ?? "";
    throw unsupported(name, `"added_tokens.${long}.content" of ${length} characters`, `at most ${MAX_ADDED_LENGTH}`);
  }
  // The reference stops where a token that strips to its left lies in what another one has stripped.
  const strips = listed.findIndex(({ content, lstrip }) => lstrip && isWhiteSpace(content));
  if (strips >= 0 && listed.some(({ rstrip }) => rstrip)) {
    throw unsupported(
      name,
      `"added_tokens.${strips}.lstrip" of white space beside tokens with "rstrip", on which the reference itself fails`,
    );
  }
  return numberAddedTokens(listed, vocabulary, (found, remedy) => {
    throw unsupported(name, printable(found), undefined, remedy);
  });
}

function readComponents({ normalizer, pre_tokenizer, post_processor, decoder }: TokenizerFile, name: string) {
  const normalizers = inARow(normalizer, "normalizer", "normalizers", name)
    .map(({ path, value }) => check(normalizerSchema, value, path, name));
  const [first, second] = inARow(pre_tokenizer, "pre_tokenizer", "pretokenizers", name);
  if (first === undefined) throw unsupported(name, 'no "pre_tokenizer"', '"ByteLevel"');
  const { add_prefix_space, use_regex } = check(byteLevelSchema, first.value, first.path, name);
  if (second !== undefined) {
    throw unsupported(name, `a second pre-tokenizer "${second.path}"`, 'one of type "ByteLevel"');
  }
  for (const { path, value } of inARow(post_processor, "post_processor", "processors", name)) {
    check(postProcessorSchema, value, path, name);
  }
  for (const { path, value } of inARow(decoder, "decoder", "decoders", name)) check(byteLevelSchema, value, path, name);
  return { normalizes: normalizers.length > 0, prefixesSpace: add_prefix_space, splitsWords: use_regex };
}

/** A component, or all those of a sequence of them, each with where it stands; none for `null`. */
function inARow(value: unknown, path: string, list: string, name: string): { path: string; value: unknown }[] {
  if (value === undefined || value === null) return [];
  const sequence = z.strictObject({ type: z.literal("Sequence"), [list]: z.array(z.unknown()) });
  if (!hasType(value, "Sequence")) return [{ path, value }];
  const items = check(sequence, value, path, name)[list] as readonly unknown[];
  return items.flatMap((item, i) => inARow(item, `${path}.${list}.${i}`, list, name));
}

function hasType(value: unknown, type: string): boolean {
  return typeof value === "object" && value !== null && "type" in value && value.type === type;
}

/** @param path where the value is in the file */
function check<T>(schema: z.ZodType<T>, value: unknown, path: string, name: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const at = (keys: readonly PropertyKey[]) => [path, ...keys.map(String)].filter((part) => part !== "").join(".");
  const keys = issue?.path ?? [];
  if (issue?.code === "unrecognized_keys") {
    throw unsupported(
      name,
      `the member "${printable(at([...keys, issue.keys[0] ?? ""]))}", which is not known here and may change ids`,
    );
  }
  const found = keys.reduce<unknown>((node, key) => (node as Record<PropertyKey, unknown> | null)?.[key], value);
  const where = `"${printable(at(keys) || "its top level")}"`;
  const expected = issue?.message.replace(/^Invalid input: (expected )?/, "").replace(/, received .*$/, "");
  const remedy = REMEDIES[at(keys).split(".")[0] ?? ""];
  throw unsupported(name, found === undefined ? `no ${where}` : `${where}: ${quote(found)}`, expected, remedy);
}

/** A value for messages, cut to a line's length. */
function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return printable(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}

function malformed(name: string, problem: string, remedy = "download it again"): UserError {
  return new UserError("MALFORMED_TOKENIZER", `Tokenizer "${name}" ${problem}`, remedy);
}

function unsupported(
  name: string,
  found: string,
  expected?: string,
  remedy = "give a byte-level BPE tokenizer.json such as GPT-NeoX-20B's",
): UserError {
  return new UserError(
    "UNSUPPORTED_TOKENIZER",
    `Tokenizer "${name}" has ${found}${expected === undefined ? "" : `, expected ${expected}`}`,
    remedy,
  );
}
