/** Which columns of a Parquet file make its documents, by its schema: `text`, and what of `meta` names the domain. */
import type { SchemaTree } from "hyparquet";
import { UserError } from "../../errors.ts";
import { DOMAIN_FIELDS } from "../document_fields.ts";
import { unsupportedParquet } from "./parquet_error.ts";

/** A column of the schema, from the top-level one to itself. */
export type Leaf = readonly SchemaTree[];

/** The columns that count. */
export interface DocumentColumns {
  /** without those that hold nothing but nulls */
  readonly leaves: readonly Leaf[];
  /** whether `meta` does not hold objects, and so names no domains */
  readonly hasOtherMeta: boolean;
  /** whether `text` holds anything but nulls */
  readonly hasText: boolean;
}

/**
 * Finds them.
 *
 * @throws {UserError} `MISSING_TEXT`, `INVALID_META`, `UNSUPPORTED_PARQUET`
 */
export function documentColumns(tree: SchemaTree, path: string): DocumentColumns {
  const text = tree.children.find(({ element }) => element.name === "text");
  if (text === undefined) {
    const names = tree.children.map(({ element }) => `"${element.name}"`).join(", ");
    throw noText(`"${path}" has no column "text" among its columns ${names}`);
  }
  const textLeaves = isNulls(text) ? [] : [[requireText(text, path)]];
  const meta = tree.children.find(({ element }) => element.name === "meta");
  const ofMeta = meta === undefined || isNulls(meta) ? [] : metaLeaves(meta, path);
  return {
    leaves: [...textLeaves, ...ofMeta ?? []],
    hasOtherMeta: ofMeta === undefined,
    hasText: textLeaves.length > 0,
  };
}

function requireText(text: SchemaTree, path: string): SchemaTree {
  if (isText(text)) return text;
  const found = `"${path}" has a column "text" that`;
  if (text.children.length === 0 && !isRepeated(text)) throw noText(`${found} holds no text`);
  throw unsupportedParquet(
    `${found} is nested: it holds ${text.children.map(({ element }) => `"${element.name}"`).join(", ") || "lists"}`,
    'write each document as a row with its text, one string, in a column "text"',
  );
}

function noText(problem: string): UserError {
  return new UserError("MISSING_TEXT", problem, 'write each document as a row with its text in a column "text"');
}

/** The columns that name the domain; undefined if `meta` does not hold objects. */
function metaLeaves(meta: SchemaTree, path: string): Leaf[] | undefined {
  if (isText(meta)) return [[meta]];
  const { converted_type: converted, logical_type: logical } = meta.element;
  const isStruct = meta.children.length > 0 && converted === undefined && logical === undefined && !isRepeated(meta);
  if (!isStruct) return undefined;
  const named = meta.children.filter(({ element }) => DOMAIN_FIELDS.some((field) => field === element.name));
  return named.filter((child) => !isNulls(child)).map((child) => {
    if (isText(child)) return [meta, child];
    throw new UserError(
      "INVALID_META",
      `"${path}" has a column "meta.${child.element.name}" of the wrong type`,
      "write text there, or leave it out",
    );
  });
}

/** Whether a column holds nothing but nulls; it has any physical type then. */
function isNulls({ element }: SchemaTree): boolean {
  return element.logical_type?.type === "NULL";
}

function isRepeated({ element }: SchemaTree): boolean {
  return element.repetition_type === "REPEATED";
}

/** Whether a column holds byte strings that can be text. */
function isText(node: SchemaTree): boolean {
  const { type, converted_type: converted, logical_type: logical } = node.element;
  return node.children.length === 0 && type === "BYTE_ARRAY" && !isRepeated(node) &&
    ["UTF8", "ENUM", "JSON", undefined].includes(converted) &&
    ["STRING", "ENUM", "JSON", undefined].includes(logical?.type);
}
