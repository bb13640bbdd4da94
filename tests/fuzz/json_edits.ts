/** Changes of JSON documents, for fuzzing: one value is replaced, repeated, moved, misspelled; the rest stays as it is. */
import fc from "fast-check";

/** A value in a document: the keys that lead to it, none for the document itself. */
export type Place = readonly (string | number)[];

/** What is done at a place. */
export const JSON_EDIT_KINDS = [
  /** another value, as a hostile text */
  "replace",
  /** one more or less, another digit, the opposite */
  "nudge",
  /** the member or item is left out */
  "remove",
  /** the member stands twice under one key, or the item twice in its list */
  "repeat",
  /** as `repeat`, the second key in another spelling of the same letters */
  "repeat respelled",
  /** a member more beside it, or an item more */
  "add",
  /** the value of another place stands here too */
  "copy",
  /** the two values change places */
  "swap",
  /** lists around the value */
  "wrap",
] as const;

/** A change; places are shares of the number of places, so that one change fits any document. */
export interface JsonEdit {
  readonly kind: typeof JSON_EDIT_KINDS[number];
  readonly at: number;
  readonly other: number;
  /** JSON that is put in, and may be no JSON at all */
  readonly text: string;
  /** levels of `wrap` */
  readonly depth: number;
}

/** Texts that are no JSON, or that two programs may read as two values: a strict reader takes none. */
export const REFUSED_TEXTS: readonly string[] = [
  ...["1e400", "-1e999", "1e-400", "-0", "9007199254740993", "-9007199254740993", "18446744073709551616", "1e21"],
  ...["NaN", "Infinity", "-Infinity", "undefined", "01", "+1", ".5", "0x10", "1.", "--1", "1_000", "'x'"],
  ...[
    '"\\ud800"',
    '"\\udc00\\ud800"',
    '"a\nb"',
    '"\\x41"',
    '{"a":1,"a":1}',
    '{"a":1,"\\u0061":2}',
    '{"__proto__":1,"__proto__":2}',
  ],
  ...["[1,]", '{"a":1,}', "/**/1", `0.${"0".repeat(50)}1`, "[".repeat(40) + "]".repeat(40), "[".repeat(100_000)],
];

/** Values of every type, hostile ones among them: names that lead elsewhere, sizes beyond any memory. */
const VALID_TEXTS: readonly string[] = [
  ...["null", "true", "false", "[]", "{}", "[[]]", '""', "0", "1", "1.0", "10e-1", "-1", "0.5", "1e-7", "64"],
  ...["255", "65536", "2147483648", "4294967296", "1099511627776", "9007199254740991", "-9007199254740991"],
  ...["18446744073709552000", "1e+300", "5e-324"],
  ...[
    '"NaN"',
    '"Infinity"',
    '"completed"',
    '"diverged"',
    '"skipped"',
    '"machine_to_machine"',
    '"random"',
    '"checkpoint"',
  ],
  ...[
    '"plan.json"',
    '"report.html"',
    '"Report.HTML"',
    '"PLAN.JSON"',
    '"../plan.json"',
    '"../../etc/passwd"',
    '"/etc/passwd"',
  ],
  ...[
    '"/dev/zero"',
    '"NUL"',
    '"runs/COM1.txt"',
    '"C:\\\\x"',
    '"a\\\\b"',
    '"a/./b"',
    '"a//b"',
    '"a."',
    '"a\\u0000b"',
    '"."',
  ],
  ...['"file:///etc/passwd"', '"%2e%2e/x"', '"caf\\u00e9"', '"cafe\\u0301"', '"\\u202egnp.html"', '"\\u001b[2J"'],
  ...[`"${"0".repeat(64)}"`, `"${"F".repeat(64)}"`, `"${"0".repeat(63)}"`, `"${"a".repeat(5000)}"`],
  ...['{"__proto__":{"polluted":true}}', '{"toString":1,"valueOf":1}', '{"length":4294967295}', '"constructor"'],
];

/** Evenly from 0 to 1: doubles would be drawn by their bits, and most of them are next to nothing. */
const share = fc.noBias(fc.nat(2 ** 31 - 1)).map((n) => n / 2 ** 31);

/** One change of a document. */
export const jsonEdit: fc.Arbitrary<JsonEdit> = fc.record<JsonEdit>({
  kind: fc.constantFrom(...JSON_EDIT_KINDS),
  at: share,
  other: share,
  text: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...VALID_TEXTS) },
    { weight: 2, arbitrary: fc.integer({ min: -3, max: 100 }).map(String) },
    { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 8 }).map((text) => JSON.stringify(text)) },
    { weight: 1, arbitrary: fc.constantFrom(...REFUSED_TEXTS) },
  ),
  depth: fc.constantFrom(1, 2, 31, 40, 3000),
});

/** Every place in a document, the document itself left out. */
export function placesOf(document: unknown, path: Place = []): Place[] {
  const own = path.length === 0 ? [] : [path];
  if (typeof document !== "object" || document === null) return own;
  const entries = Array.isArray(document) ? document.entries() : Object.entries(document);
  return [...own, ...[...entries].flatMap(([key, value]) => placesOf(value, [...path, key]))];
}

/** The value at a place. */
export function valueAt(document: unknown, place: Place): unknown {
  return place.reduce<unknown>((value, key) => (value as Record<string | number, unknown>)[key], document);
}

/** Gives the text that stands for a value; `undefined` leaves it out. */
type Override = { readonly place: Place; readonly text: (original: string) => string | undefined };

function render(value: unknown, overrides: readonly Override[]): string | undefined {
  if (overrides.length === 0) return JSON.stringify(value);
  const own = overrides.find(({ place }) => place.length === 0);
  if (own !== undefined) return own.text(JSON.stringify(value));
  const inside = (key: string | number) =>
    overrides.filter(({ place }) => place[0] === key).map(({ place, text }) => ({ place: place.slice(1), text }));
  if (Array.isArray(value)) {
    return `[${
      value.map((item, index) => render(item, inside(index))).filter((text) => text !== undefined).join(",")
    }]`;
  }
  const members = Object.entries(value as object).flatMap(([key, member]) => {
    const text = render(member, inside(key));
    return text === undefined ? [] : [`${JSON.stringify(key)}:${text}`];
  });
  return `{${members.join(",")}}`;
}

/** The first letter of a key as an escape: another spelling of the same key. */
function respelled(key: string): string {
  return `"\\u${key.charCodeAt(0).toString(16).padStart(4, "0")}${JSON.stringify(key.slice(1)).slice(1)}`;
}

/** A value that is another one of the same type, as far as there is one. */
function nudged(text: string): string {
  const value: unknown = JSON.parse(text);
  if (typeof value === "number") return String(value + 1);
  if (typeof value === "boolean") return String(!value);
  if (typeof value !== "string") return "null";
  const last = value.at(-1) ?? "";
  return JSON.stringify(
    value.slice(0, -1) + (/[0-8a-e]/.test(last) ? String.fromCharCode(last.charCodeAt(0) + 1) : "0"),
  );
}

/** A change as it came out. */
export interface EditedJson {
  readonly text: string;
  /** where it was made */
  readonly place: Place;
  /** whether any strict reader must refuse the text, whatever it is about */
  readonly refused: boolean;
}

/**
 * Makes a change.
 *
 * @param places all of the document's, {@linkcode placesOf}: found once for many changes
 */
export function applyJsonEdit(document: unknown, places: readonly Place[], edit: JsonEdit): EditedJson {
  const { kind, text, depth } = edit;
  const place = places[Math.floor(edit.at * places.length)] ?? [];
  const other = places[Math.floor(edit.other * places.length)] ?? [];
  const key = place.at(-1) ?? "";
  const isMember = typeof key === "string";
  const isRefused = REFUSED_TEXTS.includes(text);
  const done = (text: string | undefined, refused: boolean): EditedJson => ({ text: text ?? "", place, refused });
  const put = (text: (original: string) => string | undefined) => render(document, [{ place, text }]);
  switch (kind) {
    case "replace":
      return done(put(() => text), isRefused);
    case "nudge":
      return done(put(nudged), false);
    case "remove":
      return done(put(() => undefined), false);
    case "repeat":
      return done(
        put((original) => isMember ? `${original},${JSON.stringify(key)}:${original}` : `${original},${original}`),
        isMember,
      );
    case "repeat respelled":
      return isMember && key !== ""
        ? done(put((original) => `${original},${respelled(key)}:${original}`), true)
        : done(put((original) => `${original},${original}`), false);
    case "add":
      return done(
        put((original) => isMember ? `${original},"added by a fuzzer":${text}` : `${original},${text}`),
        isRefused,
      );
    case "copy":
      return done(put(() => JSON.stringify(valueAt(document, other))), false);
    case "swap": {
      const [here, there] = [JSON.stringify(valueAt(document, place)), JSON.stringify(valueAt(document, other))];
      const isInside = [[place, other], [other, place]].some(([a = [], b = []]) =>
        a.every((part, index) => b[index] === part)
      );
      if (isInside) return done(put(() => there), false);
      return done(render(document, [{ place, text: () => there }, { place: other, text: () => here }]), false);
    }
    case "wrap":
      return done(put((original) => "[".repeat(depth) + original + "]".repeat(depth)), depth > 32);
  }
}
