/** `tokenizer.json` of Hugging Face's `tokenizers`, read strictly: what would give other ids is refused by name. */
import { z } from "zod";
import { exceedsValues } from "../../digest/json_values.ts";
import { UserError } from "../../errors.ts";
import { decodeUtf8 } from "../text/utf8.ts";
import type { AddedToken } from "./added_tokens.ts";
import type { Merge } from "./merges.ts";

/** Bytes of a file that is read at most; GPT-NeoX-20B's has 2.5 MB. */
export const MAX_TOKENIZER_BYTES: number = 1 << 26;
/** Ids are stored in 16 bits. */
const MAX_IDS = 1 << 16;
/** Added tokens make a tree of 1 KiB a byte. */
const MAX_ADDED_BYTES = 1 << 14;
/** UTF-16 code units of an added token: at every byte of a text as many are compared. */
const MAX_ADDED_LENGTH = 256;
/** Values of the file; a vocabulary of 65,536 ids with its merges has a tenth. */
const MAX_VALUES = 1 << 22;
/** The added token that stands between documents in GPT-2 and GPT-NeoX. */
const END_OF_TEXT = "<|endoftext|>";

/** All that determines a tokenizer's ids. */
export interface TokenizerDefinition {
  /** how messages name it */
  readonly name: string;
  /** whether text is brought into normalisation form C */
  readonly normalizes: boolean;
  /** texts that are one id each; `normalized` ones are looked for in normalised text */
  readonly addedTokens: readonly (AddedToken & { readonly normalized: boolean })[];
  /** id of each byte, 0 for those that UTF-8 never has; shape (256) */
  readonly byteIds: Uint16Array;
  /** rules from the first to the last that is tried */
  readonly merges: readonly Merge[];
  readonly vocabularySize: number;
  /** id of `<|endoftext|>` */
  readonly endOfText: number;
}

const id = z.int().min(0).max(MAX_IDS - 1);

const byteLevel = z.looseObject({
  type: z.literal("ByteLevel"),
  add_prefix_space: z.literal(false),
  use_regex: z.literal(true).optional(),
});

const fileSchema = z.looseObject({
  added_tokens: z.array(z.looseObject({
    id,
    content: z.string().min(1).max(MAX_ADDED_LENGTH).refine((text) => text.isWellFormed(), "has a lone surrogate"),
    single_word: z.literal(false),
    lstrip: z.literal(false),
    rstrip: z.literal(false),
    normalized: z.boolean(),
    special: z.boolean(),
  })),
  normalizer: z.strictObject({ type: z.literal("NFC") }).nullable(),
  pre_tokenizer: byteLevel,
  // The reference has it change offsets only; a template would add ids, which is not done to documents.
  post_processor: z.looseObject({ type: z.literal("ByteLevel") }).nullable(),
  model: z.looseObject({
    type: z.literal("BPE").optional(),
    dropout: z.literal(0).nullish(),
    unk_token: z.null().optional(),
    continuing_subword_prefix: z.literal("").nullish(),
    end_of_word_suffix: z.literal("").nullish(),
    ignore_merges: z.literal(false).optional(),
    vocab: z.record(z.string(), id),
    merges: z.array(z.union([z.string(), z.tuple([z.string(), z.string()])])),
  }),
});

/**
 * Reads the bytes of a `tokenizer.json`.
 *
 * @param name how messages name the file
 * @throws {UserError} `MALFORMED_TOKENIZER` if it contradicts itself, `UNSUPPORTED_TOKENIZER` if it asks for what this
 * project does not do
 */
export function readTokenizerFile(bytes: Uint8Array, name: string): TokenizerDefinition {
  const { added_tokens: added, normalizer, model } = parse(bytes, name);
  const malformed = (problem: string) =>
    new UserError("MALFORMED_TOKENIZER", `Tokenizer "${name}" ${problem}`, "download it again");
  const vocabulary = new Map(Object.entries(model.vocab));
  if (new Set(vocabulary.values()).size !== vocabulary.size) throw malformed("gives two tokens one id");
  const idOf = (token: string): number => {
    const found = vocabulary.get(token);
    if (found === undefined) throw malformed(`has no token ${JSON.stringify(token)}, which it needs`);
    return found;
  };
  const pairs = new Set<string>();
  const merges = model.merges.map((merge) => {
    const [left, right, ...surplus] = typeof merge === "string" ? merge.split(" ", 3) : merge;
    if (left === undefined || right === undefined || surplus.length > 0) {
      throw malformed(`has a merge ${JSON.stringify(merge)}, which is not of two tokens`);
    }
    pairs.add(`${left} ${right}`);
    return { left: idOf(left), right: idOf(right), merged: idOf(left + right) };
  });
  if (pairs.size !== merges.length) throw malformed("has a merge twice");
  const contents = new Set(added.map(({ content }) => content));
  if (contents.size !== added.length) throw malformed("has an added token twice");
  for (const { id, content } of added) {
    const known = vocabulary.get(content);
    if (known !== undefined && known !== id) throw malformed(`gives ${JSON.stringify(content)} two ids`);
  }
  const addedBytes = new TextEncoder().encode([...contents].join("")).length;
  if (addedBytes > MAX_ADDED_BYTES) {
    throw unsupported(name, `added_tokens with ${addedBytes} bytes`, `at most ${MAX_ADDED_BYTES}`);
  }
  const endOfText = added.find(({ content, special }) => special && content === END_OF_TEXT)?.id;
  if (endOfText === undefined) throw unsupported(name, "no special token to end a document", `"${END_OF_TEXT}"`);
  const ids = [...vocabulary.values(), ...added.map(({ id }) => id)];
  return {
    name,
    normalizes: normalizer !== null,
    addedTokens: added.map(({ id, content, normalized }) => ({ id, content, normalized })),
    byteIds: Uint16Array.from(byteCharacters(), (character, byte) => isInUtf8(byte) ? idOf(character) : 0),
    merges,
    vocabularySize: 1 + ids.reduce((most, id) => Math.max(most, id), 0),
    endOfText,
  };
}

function parse(bytes: Uint8Array, name: string): z.infer<typeof fileSchema> {
  const decoded = decodeUtf8(bytes);
  if (!decoded.ok) throw new UserError("NOT_UTF8", `Tokenizer "${name}" is not UTF-8 at byte ${decoded.offset}`);
  if (exceedsValues(decoded.text, MAX_VALUES)) throw unsupported(name, `more than ${MAX_VALUES} JSON values`);
  let value: unknown;
  try {
    value = JSON.parse(decoded.text);
  } catch (cause) {
    throw new UserError(
      "MALFORMED_JSON",
      `Tokenizer "${name}" is not JSON`,
      "give the tokenizer.json of Hugging Face's tokenizers",
      { cause },
    );
  }
  const parsed = fileSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = issue?.path.join(".") || "its top level";
  throw unsupported(name, `"${path}": ${issue?.message ?? "it is not readable"}`);
}

function unsupported(name: string, found: string, expected?: string): UserError {
  return new UserError(
    "UNSUPPORTED_TOKENIZER",
    `Tokenizer "${name}" has ${found}${expected === undefined ? "" : `, expected ${expected}`}`,
    "give a byte-level BPE tokenizer.json such as GPT-NeoX-20B's",
  );
}

/** Whether well-formed UTF-8 can hold a byte (Unicode 16, table 3-7). */
function isInUtf8(byte: number): boolean {
  return byte !== 0xc0 && byte !== 0xc1 && byte < 0xf5;
}

/** GPT-2's printable character for each byte, in which vocabularies are written. */
function byteCharacters(): string[] {
  let others = 0;
  return Array.from({ length: 256 }, (_, byte) => {
    const isPrintable = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
    return String.fromCharCode(isPrintable ? byte : 256 + others++);
  });
}
