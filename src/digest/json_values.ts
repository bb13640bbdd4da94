/** How many values a JSON text has, before a parser makes objects of them that take many times its size. */

const QUOTE = 0x22, BACKSLASH = 0x5c, COMMA = 0x2c, COLON = 0x3a, BRACKET = 0x5b, BRACE = 0x7b;

/**
 * Whether a text may have more than so many values, names of members included. Looks at brackets, commas and colons
 * outside of strings alone: of what is no JSON it says nothing.
 *
 * @example
 * ```ts
 * import { exceedsValues } from "./json_values.ts";
 *
 * console.log(exceedsValues("[[[[[[]]]]]]", 4)); // true
 * ```
 */
export function exceedsValues(text: string, most: number): boolean {
  // Each value takes a character at least.
  if (text.length <= most) return false;
  let values = 1;
  for (let at = 0; at < text.length && values <= most; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = stringEnd(text, at);
    else if (code === COMMA || code === COLON || code === BRACKET || code === BRACE) values++;
  }
  return values > most;
}

/** Index of the quote that ends the string which begins at `start`; the text's length if none does. */
function stringEnd(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let escapes = 0;
    while (text.charCodeAt(end - 1 - escapes) === BACKSLASH) escapes++;
    if (escapes % 2 === 0) return end;
  }
  return text.length;
}
