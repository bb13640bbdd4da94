/** Texts that tokenizers differ on, the same every time: white space, marks, scripts, long runs, added tokens in parts. */

/** A linear congruential generator; the texts only have to be the same, not good randomness. */
function generator(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
}

const SPACES = "\n \t \r\n \r \v \f \u00a0 \u3000 \u2028 \u0085 \u1680 \u200a \ufeff \u200b \u180e".split(" ");
const CONTRACTIONS = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'x", "''", "'"];
const ADDED = ["<|endoftext|>", "<|padding|>", "<|endof", "text|>", "<|", "|>", "<|endoftext|", "<"];
const WORDS = "the function return hello world naïve 日本 Ünïcödé été Straße ΑΒΓ привет".split(" ");
/** Assigned after Unicode 9: the reference neither composes nor reorders these. */
const LATE = [
  0x7fd,
  0x897,
  0x9fe,
  0xc3c,
  0x1715,
  0x105d2,
  0x105c9,
  0x11382,
  0x113c9,
  0x1611e,
  0x16129,
  0x16d67,
  0x1e08f,
];

/** So many texts of mixed kinds, each of up to a few thousand characters. */
export function oddTexts(count: number): string[] {
  const below = generator(12345);
  const of = (list: readonly string[]) => list[below(list.length)] ?? "";
  const between = (first: number, size: number) => String.fromCodePoint(first + below(size));
  const anywhere = () => {
    const point = below(0x110000);
    return point >= 0xd800 && point < 0xe000 ? "A" : String.fromCodePoint(point);
  };
  const kinds = [
    () => between(32, 95),
    () => " ".repeat(1 + below(60)),
    () => of(SPACES),
    () => between(0x4e00, 20000),
    () => between(0x1f300, 1500),
    () => "\u200d",
    () => between(0x300, 0x70),
    () => String.fromCodePoint(LATE[below(LATE.length)] ?? 0),
    anywhere,
    () => between(0, 0x3000),
    () => of(CONTRACTIONS),
    () => of(ADDED),
    () => of(WORDS),
    () => of([..."abcxyz01 é-\n"]).repeat(1 + below(200)),
    () => String(below(1e9)),
    () => between(0xac00, 11172),
    () => between(0x1100, 0x100),
    () => between(0x900, 0x700),
    () => "e\u0301",
    () => between(0x1d100, 0x100),
    () => between(0xf900, 0x200),
    () => "  ",
    () => "    if x:\n        y = 1\n",
  ];
  return Array.from({ length: count }, () => {
    const mix = Array.from({ length: 1 + below(4) }, () => kinds[below(kinds.length)] ?? anywhere);
    return Array.from({ length: 1 + below(12) }, () => (mix[below(mix.length)] ?? anywhere)()).join("");
  });
}
