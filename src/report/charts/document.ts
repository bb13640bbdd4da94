/** Documents outside a browser, for Plot to draw into and for tests to read pages with. */
// @ts-types="./linkedom.d.ts"
import { parseHTML } from "linkedom";

/** An element, as far as the report needs one. */
export type { DomDocument, DomElement } from "./linkedom.d.ts";
import type { DomDocument } from "./linkedom.d.ts";

/** A document made of the given HTML; no script in it runs and nothing is fetched. */
export function parseDocument(source: string): DomDocument {
  return parseHTML(source).document;
}
