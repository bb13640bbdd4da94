/** HTML by tagged template: everything interpolated is escaped unless it is markup already. */

/** A piece of HTML that is safe to insert as it stands. */
export class Markup {
  constructor(readonly text: string) {}
}

/** What an `html` template may hold: text is escaped, markup is not, `null` and `false` leave nothing. */
export type Content = string | number | Markup | null | undefined | false | readonly Content[];

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
  "\0": "\ufffd", // HTML has no way to write U+0000
};

/** Text as HTML, for element content and quoted attribute values alike; lone surrogates become U+FFFD. */
export function escapeHtml(text: string): string {
  return text.toWellFormed().replace(/[&<>"'\0]/g, (character) => ENTITIES[character] ?? "");
}

function render(content: Content): string {
  if (content === null || content === undefined || content === false) return "";
  if (content instanceof Markup) return content.text;
  if (typeof content === "object") return content.map(render).join("");
  return escapeHtml(String(content));
}

/**
 * Markup from a template. Attribute values must stand in double quotes in the template.
 *
 * @example
 * ```ts
 * import { html } from "./markup.ts";
 *
 * console.log(html`<p>${"1 < 2"}</p>`.text); // <p>1 &lt; 2</p>
 * ```
 */
export function html(strings: TemplateStringsArray, ...values: Content[]): Markup {
  return new Markup(strings.map((text, i) => text + render(values[i])).join(""));
}

/** Pieces with something between them. */
export function join(pieces: readonly Content[], separator: string): Markup {
  return new Markup(pieces.map(render).join(escapeHtml(separator)));
}
