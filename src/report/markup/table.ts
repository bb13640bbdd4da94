/** Tables that scroll inside their own box, with captions and scopes for screen readers. */
import { type Content, html, type Markup } from "./markup.ts";

/** A column's head. */
export interface Column {
  readonly head: Content;
  /** right-aligned, in figures of equal width */
  readonly numeric?: boolean;
}

/** A table to be. */
export interface Table {
  /** unique on the page; names the scrolling region after the caption */
  readonly id: string;
  readonly caption: Content;
  /** extra class of the box */
  readonly kind?: string;
  readonly columns: readonly Column[];
  /** the first cell of a row is its head */
  readonly rows: readonly { readonly id?: string | undefined; readonly cells: readonly Content[] }[];
}

/** The table in a box that takes the keyboard's focus, so that it can be scrolled without a pointer. */
export function table({ id, caption, kind, columns, rows }: Table): Markup {
  const numeric = (i: number) =>
    columns[i]?.numeric
      ? html`
        class="number"
      `
      : null;
  return html`
    <div class="scroll${kind ? ` ${kind}` : null}" role="region" aria-labelledby="${id}" tabindex="0">
      <table>
        <caption id="${id}"><span>${caption}</span></caption>
        <thead>
          <tr>${columns.map(({ head }, i) =>
            html`
              <th scope="col" ${numeric(i)}>${head}</th>
            `
          )}</tr>
        </thead>
        <tbody>
    ${rows.map((row) =>
      html`
        <tr${row.id === undefined ? null : html`
          id="${row.id}"
        `}>${row.cells.map((cell, i) =>
          i === 0
            ? html`
              <th scope="row" ${numeric(i)}>${cell}</th>
            `
            : html`<td${numeric(i)}>${cell}</td>`
        )}</tr>
      `
    )}</tbody>
      </table>
    </div>
  `;
}
