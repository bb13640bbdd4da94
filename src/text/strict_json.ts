/**
 * JSON for files that others wrote: one reading only, and bounded. `JSON.parse` takes the last of two equal keys, rounds
 * numbers it cannot hold, and recurses as deep as it is told; two programs may then see two documents in the same bytes.
 */

/** Bounds of {@linkcode parseStrictJson}. */
export interface JsonLimits {
  /** levels of arrays and objects */
  readonly depth: number;
  /** values and member names, in all */
  readonly values: number;
}

const DEFAULT_LIMITS: JsonLimits = { depth: 32, values: 1_000_000 };
const MAX_NUMBER_LENGTH = 40;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;

/** Why a text was refused, with the place in characters from its start. */
export class StrictJsonError extends Error {
  override readonly name = "StrictJsonError";
  constructor(reason: string, readonly offset: number) {
    super(`${reason}, at character ${offset}`);
  }
}

/**
 * Parses JSON (RFC 8259) and refuses what has more than one reading: duplicate keys, numbers that lose their value,
 * lone surrogates, bytes that are not UTF-8, a byte-order mark; and what exceeds the limits. Reads all that
 * `canonicalJson` writes.
 *
 * @throws {StrictJsonError} and nothing else
 *
 * @example
 * ```ts
 * import { parseStrictJson } from "./strict_json.ts";
 *
 * console.log(parseStrictJson('{"step":1}')); // { step: 1 }
 * ```
 */
export function parseStrictJson(input: Uint8Array | string, limits: JsonLimits = DEFAULT_LIMITS): unknown {
  let text: string;
  if (typeof input === "string") text = input;
  else {
    try {
      text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(input);
    } catch {
      throw new StrictJsonError("The text is not UTF-8", 0);
    }
  }
  return new Parser(text, limits).document();
}

class Parser {
  #at = 0;
  #values = 0;

  constructor(private readonly text: string, private readonly limits: JsonLimits) {}

  document(): unknown {
    const value = this.#value(0);
    this.#space();
    if (this.#at < this.text.length) this.#refuse("The document is followed by something else");
    return value;
  }

  #refuse(reason: string, offset = this.#at): never {
    throw new StrictJsonError(reason, offset);
  }

  #count(): void {
    if (++this.#values > this.limits.values) this.#refuse(`There are more than ${this.limits.values} values`);
  }

  #space(): void {
    const space = /[ \t\n\r]*/y;
    space.lastIndex = this.#at;
    this.#at += space.exec(this.text)?.[0].length ?? 0;
  }

  #value(depth: number): unknown {
    this.#count();
    this.#space();
    const first = this.text[this.#at];
    switch (first) {
      case "{":
        return this.#object(depth + 1);
      case "[":
        return this.#array(depth + 1);
      case '"':
        return this.#string();
      case "t":
        return this.#word("true", true);
      case "f":
        return this.#word("false", false);
      case "n":
        return this.#word("null", null);
      case undefined:
        return this.#refuse("The document ends too early");
      default:
        return this.#number();
    }
  }

  #word<T>(word: string, value: T): T {
    if (!this.text.startsWith(word, this.#at)) this.#refuse("This is not JSON");
    this.#at += word.length;
    return value;
  }

  #enter(depth: number): void {
    if (depth > this.limits.depth) this.#refuse(`The nesting is deeper than ${this.limits.depth}`);
    this.#at++;
    this.#space();
  }

  /** After a value in a list: `true` if another follows, `false` at the closing bracket. */
  #hasNext(close: string): boolean {
    this.#space();
    const found = this.text[this.#at];
    if (found !== "," && found !== close) {
      this.#refuse(found === undefined ? "The document ends too early" : `"," or "${close}" is expected`);
    }
    this.#at++;
    return found === ",";
  }

  #array(depth: number): unknown[] {
    this.#enter(depth);
    const items: unknown[] = [];
    if (this.text[this.#at] === "]") {
      this.#at++;
      return items;
    }
    do items.push(this.#value(depth)); while (this.#hasNext("]"));
    return items;
  }

  #object(depth: number): Record<string, unknown> {
    this.#enter(depth);
    const members = new Map<string, unknown>();
    if (this.text[this.#at] === "}") {
      this.#at++;
      return {};
    }
    do {
      this.#space();
      const start = this.#at;
      if (this.text[start] !== '"') this.#refuse("A member's name is expected");
      this.#count();
      const name = this.#string();
      if (members.has(name)) this.#refuse(`The key ${JSON.stringify(name.slice(0, 40))} stands twice`, start);
      this.#space();
      if (this.text[this.#at] !== ":") this.#refuse('":" is expected');
      this.#at++;
      members.set(name, this.#value(depth));
    } while (this.#hasNext("}"));
    // fromEntries defines members, so that a key "__proto__" is a key like any other.
    return Object.fromEntries(members);
  }

  #string(): string {
    const start = this.#at;
    // By hand, as a regular expression over a string of megabytes may run out of stack.
    let end = start + 1;
    for (let code = this.text.charCodeAt(end); code !== QUOTE; code = this.text.charCodeAt(++end)) {
      if (code < SPACE) this.#refuse("This string has a control character");
      if (code === BACKSLASH) end++;
      if (end >= this.text.length) this.#refuse("This string does not end", start);
    }
    let value: unknown;
    try {
      value = JSON.parse(this.text.slice(start, end + 1));
    } catch {
      this.#refuse("This string is not JSON", start);
    }
    if (typeof value !== "string" || !value.isWellFormed()) this.#refuse("This string has a lone surrogate", start);
    this.#at = end + 1;
    return value;
  }

  #number(): number {
    const number = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
    number.lastIndex = this.#at;
    const literal = number.exec(this.text)?.[0];
    if (literal === undefined) this.#refuse("This is not JSON");
    if (literal.length > MAX_NUMBER_LENGTH) this.#refuse(`This number is longer than ${MAX_NUMBER_LENGTH} characters`);
    const value = Number(literal);
    if (!Number.isFinite(value)) this.#refuse("This number is too large");
    if (value === 0 && /[1-9]/.test(literal.replace(/[eE].*/, ""))) this.#refuse("This number is too small");
    if (Object.is(value, -0)) this.#refuse("This number is a negative zero");
    // RFC 8785 writes 2^60 in digits; other digits may round to the same f64.
    if (Math.abs(value) > Number.MAX_SAFE_INTEGER && String(value) !== literal) {
      this.#refuse("This number is beyond 2^53 and not in the spelling of RFC 8785");
    }
    this.#at += literal.length;
    return value;
  }
}
