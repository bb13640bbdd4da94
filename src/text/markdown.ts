/** Texts of others within Markdown, where they must stay texts. Web-standard APIs only. */
import { printable } from "../files/safe_name.ts";

/**
 * A text as a code span on one line: no emphasis, HTML, link, address, mention, issue number, emoji or formula of it
 * becomes one, on GitHub either. Escapes would not do: GitHub looks for mentions and issue numbers in what Markdown gives.
 * Not for table cells, where `|` ends a cell even within code.
 *
 * @param maxLength characters that are shown; the rest is cut off, with `…`
 * @see CommonMark 0.31.2 §6.1
 *
 * @example
 * ```ts
 * import { codeSpan } from "./markdown.ts";
 *
 * console.log(codeSpan("<b>@ada</b>")); // `<b>@ada</b>`
 * console.log(codeSpan("a`b")); // ``a`b``
 * ```
 */
export function codeSpan(text: string, maxLength = 120): string {
  const shown = printable(text, maxLength);
  if (shown.trim() === "") return "(blank)";
  const longest = (shown.match(/`+/g) ?? []).reduce((most, { length }) => Math.max(most, length), 0);
  const fence = "`".repeat(longest + 1);
  // A space on both sides is taken off again; without them, a backtick at an end would belong to the fence.
  const edge = /^[` ]|[` ]$/.test(shown) ? " " : "";
  return `${fence}${edge}${shown}${edge}${fence}`;
}
