/**
 * What a `tokenizer.json` may say. Every member of the format that can change ids is either honoured as the reference
 * does or refused by its path; so is a member that is not known, since a newer reference may give it a meaning.
 *
 * @see https://github.com/huggingface/tokenizers
 */
import { z } from "zod";

/** Ids are stored in 16 bits. */
export const MAX_IDS: number = 1 << 16;

const id = z.int().min(0).max(MAX_IDS - 1);
const text = z.string();

const addedToken = z.strictObject({
  // What it states is not what it gets, see `added_ids.ts`.
  id,
  content: text,
  single_word: z.boolean(),
  lstrip: z.boolean(),
  rstrip: z.boolean(),
  normalized: z.boolean(),
  special: z.boolean(),
});

const model = z.strictObject({
  type: z.literal("BPE").optional(),
  dropout: z.literal(0).nullish(),
  // None of the three matters to a vocabulary that has every byte, and no other is read.
  unk_token: text.nullish(),
  fuse_unk: z.boolean().nullish(),
  byte_fallback: z.boolean().nullish(),
  continuing_subword_prefix: z.literal("").nullish(),
  end_of_word_suffix: z.literal("").nullish(),
  ignore_merges: z.boolean().nullish(),
  // Read apart, as 50,000 ids take their time here, and a record leaves out "__proto__".
  vocab: z.custom<Readonly<Record<string, unknown>>>(
    (value) => typeof value === "object" && value !== null && !Array.isArray(value),
    "expected an object of ids by token",
  ),
  merges: z.custom<readonly unknown[]>(Array.isArray, "expected an array"),
});

/** A whole file. Its components are read by the schemas below, once those of a `Sequence` are laid out in a row. */
export const fileSchema = z.strictObject({
  version: z.literal("1.0").optional(),
  // A document is neither cut nor padded.
  truncation: z.null().optional(),
  padding: z.null().optional(),
  added_tokens: z.array(addedToken).default([]),
  normalizer: z.unknown(),
  pre_tokenizer: z.unknown(),
  post_processor: z.unknown(),
  decoder: z.unknown(),
  model,
});

/** What a file holds. */
export type TokenizerFile = z.infer<typeof fileSchema>;

/** A normalizer. */
export const normalizerSchema = z.strictObject({ type: z.literal("NFC") });

/** A pre-tokenizer, a decoder, or a post-processor that changes offsets only. */
export const byteLevelSchema = z.strictObject({
  type: z.literal("ByteLevel"),
  add_prefix_space: z.boolean(),
  trim_offsets: z.boolean(),
  use_regex: z.boolean().default(true),
});

/** A post-processor: one that adds no token. */
export const postProcessorSchema = z.discriminatedUnion("type", [
  byteLevelSchema,
  z.strictObject({
    type: z.literal("TemplateProcessing"),
    single: z.tuple([z.strictObject({ Sequence: z.strictObject({ id: z.literal("A"), type_id: z.int() }) })]),
    pair: z.unknown(),
    special_tokens: z.unknown(),
  }),
]);
