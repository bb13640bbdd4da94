/**
 * Normalisation form C as the reference tokenizer computes it, whose tables are those of Unicode 9. Canonical
 * composition of characters assigned by then is fixed for all time; later ones stay as they are.
 *
 * @see Unicode Standard Annex #15, section 3, Versioning and Stability; crate `unicode-normalization-alignments`
 */

import { orderLongRuns } from "./mark_runs.ts";

/** No character below U+0300 changes under this form, alone or beside another one. */
const MAY_CHANGE = /[\u0300-\uffff]/;

/**
 * Characters after Unicode 9 that reorder, compose or decompose in Unicode 16. To the reference they are characters
 * that nothing composes with, so that text can be cut at them.
 */
const INERT = new RegExp(
  "([" +
    "\\u07fd\\u0897-\\u089f\\u08ca-\\u08d3\\u09fe\\u0c3c\\u0d3b\\u0d3c\\u0eba\\u1715\\u1abf-\\u1ace\\u1df6-\\u1dfa" +
    "\\ua82c" +
    [
      "105c9 105d2 105da 105e4 10d24-10d27 10d69-10d6d 10eab-10eac 10efd-10eff 10f46-10f50 10f82-10f85 11070 1133b",
      "11382-11385 1138b 1138e 11390-11391 113b8 113bb 113c2 113c5 113c7-113c9 113ce-113d0 1145e 11839-1183a 11930",
      "11935 11938 1193d-1193e 11943 119e0 11a34 11a47 11a99 11d42 11d44-11d45 11d97 11f41-11f42 1611e-16129 1612f",
      "16d63 16d67-16d6a 16ff0-16ff1 1e08f 1e130-1e136 1e2ae 1e2ec-1e2ef 1e4ec-1e4ef 1e5ee-1e5ef",
    ].join(" ").split(" ").map((range) => range.replaceAll(/[0-9a-f]+/g, "\\u{$&}")).join("") +
    "]+)",
  "u",
);

/** Whether {@linkcode normalize} can change a text; false for nearly all text in Latin script. */
export function mayChange(text: string): boolean {
  return MAY_CHANGE.test(text);
}

/** The text in normalisation form C. */
export function normalize(text: string): string {
  if (!INERT.test(text)) return compose(text);
  return text.split(INERT).map((piece, i) => i % 2 === 1 ? piece : compose(piece)).join("");
}

function compose(text: string): string {
  return orderLongRuns(text).normalize("NFC");
}
