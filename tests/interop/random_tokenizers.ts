/** Random files of byte-level BPE tokenizers, the same every time, with texts that come near to what is odd in them. */
import { BYTE_CHARACTERS } from "../../src/formats/bpe/byte_alphabet.ts";
import { oddTexts } from "../formats/bpe/odd_texts.ts";

/** A file, and texts to encode. */
export interface RandomTokenizer {
  readonly file: unknown;
  readonly texts: readonly string[];
  /** what must be refused in it; absent if nothing must */
  readonly refused?: string;
}

/** A whole number from 0 to below a bound. */
type Below = (bound: number) => number;

/** Numbers of splitmix32: what counts is that they are the same on every machine. */
function generator(seed: number): Below {
  let state = Math.imul(seed + 1, 0x9e3779b9) >>> 0;
  return (bound) => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ state >>> 16, 0x21f0aaad);
    mixed = Math.imul(mixed ^ mixed >>> 15, 0x735a2d97);
    return Math.floor(((mixed ^ mixed >>> 15) >>> 0) / 2 ** 32 * bound);
  };
}

const LETTERS = [..."aabcdeeehiilmnoorsstttu0123'.,_<>|", "Ġ", "Ġ", "Ġ", "Ċ", "Ã", "©", "Ì", "ģ"];
const SPACES = [" ", " ", "  ", "   ", "\n", "\t", "\r\n", "\u00a0", "\u3000", "\u2009", "\u0085"];
const TEXTS = [
  "the",
  "other",
  " tests",
  "it's",
  "1203",
  "_",
  "-",
  "é",
  "e\u0301",
  "日本",
  "\u0301",
  "\u{1d400}",
  "ǅ",
  "<",
  "|>",
];
const CONTENTS = [
  ..."<|late|> <|endof <x> <mask> [INST] ab b the e\u0301t ét é 日本 a_ _ ' 's 00 ++ \u{1f600} ǆ Ⅷ".split(" "),
  " ",
  "  ",
  "    ",
  "\n\n",
  " the",
  "a b",
  "\t",
];
const END_OF_TEXT = "<|endoftext|>";
const POOL = oddTexts(400);

interface Merges {
  readonly tokens: string[];
  readonly merges: [string, string][];
}

/** Tokens that are put together from others, with more rules than are needed, in an order of their own. */
function randomMerges(below: Below): Merges {
  const tokens: string[] = [];
  const merges: [string, string][] = [];
  const known = new Set<string>(BYTE_CHARACTERS);
  const of = <T>(list: readonly T[]) => list[below(list.length)] as T;
  for (let i = below(300); i > 0; i--) {
    const part = () => tokens.length > 0 && below(3) > 0 ? of(tokens) : of(LETTERS);
    const [left, right] = [part(), part()];
    const merged = left + right;
    if (merged.length > 12) continue;
    // A second pair for a token, or a pair once more: the last of equal ones counts.
    if (known.has(merged) && below(4) > 0) continue;
    if (!known.has(merged)) tokens.push(merged);
    known.add(merged);
    merges.push([left, right]);
  }
  for (let i = below(2) * below(20); i > 0 && merges.length > 0; i--) {
    const [from, to] = [below(merges.length), below(merges.length)];
    [merges[from], merges[to]] = [merges[to], merges[from]] as [[string, string], [string, string]];
  }
  return { tokens, merges };
}

/** Ids by token: in order, shuffled, or with holes. */
function randomVocabulary(tokens: readonly string[], below: Below): Record<string, number> {
  const all = [...BYTE_CHARACTERS, ...tokens];
  for (let i = below(2) * all.length; i > 0; i--) {
    const [from, to] = [below(all.length), below(all.length)];
    [all[from], all[to]] = [all[to], all[from]] as [string, string];
  }
  const hasHoles = below(5) === 0;
  let id = -1;
  return Object.fromEntries(all.map((token) => [token, id += hasHoles && below(20) === 0 ? 1 + below(40) : 1]));
}

function randomAddedTokens(tokens: readonly string[], below: Below) {
  const flag = (of: number) => below(of) === 0;
  const token = (content: string, special: boolean) => ({
    id: below(2000),
    content,
    single_word: flag(4),
    lstrip: flag(6),
    rstrip: flag(6),
    normalized: flag(2),
    special,
  });
  const added = [{ ...token(END_OF_TEXT, true), ...(flag(2) && { lstrip: false, rstrip: false, single_word: false }) }];
  for (let i = below(9); i > 0; i--) {
    const kind = below(10);
    const content = kind === 0 && tokens.length > 0
      ? tokens[below(tokens.length)] ?? ""
      : kind === 1 && flag(6)
      ? added[below(added.length)]?.content ?? ""
      : kind === 2 && flag(3)
      ? ""
      : CONTENTS[below(CONTENTS.length)] ?? "";
    // One that is listed twice with other flags is refused.
    if (kind !== 1 && added.some((other) => other.content === content)) continue;
    added.splice(below(added.length + 1), 0, token(content, content === END_OF_TEXT || flag(3)));
  }
  return added;
}

function randomText(contents: readonly string[], below: Below): string {
  const of = <T>(list: readonly T[]) => list[below(list.length)] as T;
  if (below(4) === 0) return of(POOL).slice(0, 400);
  const kinds = [
    () => of(SPACES),
    () => of(TEXTS),
    () => of(contents),
    () => of(contents),
    () => of(LETTERS.slice(0, 30)),
  ];
  return Array.from({ length: below(14) }, () => of(kinds)()).join("");
}

/** Changes after which a file must be refused, by what they change. */
const REFUSED: readonly [name: string, change: (file: Record<string, unknown>) => void][] = [
  [
    "truncation",
    (file) => file.truncation = { direction: "Right", max_length: 8, strategy: "LongestFirst", stride: 0 },
  ],
  ["padding", (file) => file.padding = { strategy: { Fixed: 64 }, direction: "Right", pad_id: 0 }],
  ["normalizer.type", (file) => file.normalizer = { type: "NFKC" }],
  ["normalizer.strip", (file) => file.normalizer = { type: "NFC", strip: true }],
  [
    "normalizer.normalizers.1.type",
    (file) => file.normalizer = { type: "Sequence", normalizers: [{ type: "NFC" }, { type: "Lowercase" }] },
  ],
  ["pre_tokenizer", (file) => file.pre_tokenizer = null],
  ["pre_tokenizer.type", (file) => file.pre_tokenizer = { type: "Whitespace" }],
  [
    "pre_tokenizer.behaviour",
    (file) => Object.assign(file.pre_tokenizer as object, { type: "ByteLevel", behaviour: 1 }),
  ],
  ["pre_tokenizer.pretokenizers.0.type", (file) =>
    file.pre_tokenizer = {
      type: "Sequence",
      pretokenizers: [{ type: "Digits", individual_digits: true }, file.pre_tokenizer],
    }],
  ["post_processor", (file) =>
    file.post_processor = {
      type: "TemplateProcessing",
      single: [{ SpecialToken: { id: END_OF_TEXT, type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
      pair: [],
      special_tokens: { [END_OF_TEXT]: { id: END_OF_TEXT, ids: [0], tokens: [END_OF_TEXT] } },
    }],
  ["model.dropout", (file) => Object.assign(file.model as object, { dropout: 0.1 })],
  [
    "model.continuing_subword_prefix",
    (file) => Object.assign(file.model as object, { continuing_subword_prefix: "##" }),
  ],
  ["model.end_of_word_suffix", (file) => Object.assign(file.model as object, { end_of_word_suffix: "</w>" })],
  ["model.scores", (file) => Object.assign(file.model as object, { scores: [] })],
  ["truncate", (file) => file.truncate = 8],
  ["version", (file) => file.version = "2.0"],
];

/** The file of a seed, with so many texts. */
export function randomTokenizer(seed: number, textCount: number): RandomTokenizer {
  const below = generator(seed);
  const of = <T>(list: readonly T[]) => list[below(list.length)] as T;
  const flag = (chance = 2) => below(chance) === 0;
  const { tokens, merges } = randomMerges(below);
  const extra = [...(flag() ? [END_OF_TEXT] : []), ...(flag(4) ? ["__proto__"] : []), ...(flag(4) ? ["of the"] : [])];
  const added = randomAddedTokens(tokens, below);
  const byteLevel = () => ({
    type: "ByteLevel",
    add_prefix_space: flag(4),
    trim_offsets: flag(),
    ...(flag() && { use_regex: !flag(4) }),
  });
  const preTokenizer = byteLevel();
  const template = {
    type: "TemplateProcessing",
    single: [{ Sequence: { id: "A", type_id: 0 } }],
    pair: [],
    special_tokens: {},
  };
  const file: Record<string, unknown> = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: of([null, { type: "NFC" }, { type: "NFC" }, { type: "Sequence", normalizers: [{ type: "NFC" }] }]),
    pre_tokenizer: flag(4) ? { type: "Sequence", pretokenizers: [preTokenizer] } : preTokenizer,
    post_processor: of([null, byteLevel(), template, { type: "Sequence", processors: [byteLevel(), template] }]),
    decoder: byteLevel(),
    model: {
      type: "BPE",
      dropout: flag() ? null : 0,
      unk_token: of([null, END_OF_TEXT, "<unk>"]),
      continuing_subword_prefix: of([null, ""]),
      end_of_word_suffix: of([null, ""]),
      fuse_unk: flag(),
      byte_fallback: flag(),
      ignore_merges: flag(4),
      vocab: randomVocabulary([...tokens, ...extra], below),
      merges: flag() ? merges : [...(flag(4) ? ["#version: 0.2"] : []), ...merges.map((pair) => pair.join(" "))],
    },
  };
  const contents = [...added.map(({ content }) => content), ...CONTENTS.slice(0, 4)];
  const texts = Array.from({ length: textCount }, () => randomText(contents, below));
  if (!flag(6)) return { file, texts };
  const [refused, change] = of(REFUSED);
  change(file);
  return { file, texts: [], refused };
}
