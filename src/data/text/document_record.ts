/** A document of the Pile, of SlimPajama, or of any data set of rows with a `text`, whatever the format of the file. */
import { z } from "zod";
import { UserError } from "../../errors.ts";
import { DOMAIN_FIELDS } from "../../formats/document_fields.ts";
import { exceedsValues } from "../../digest/json_values.ts";
import { UNNAMED_DOMAIN } from "../domain.ts";
import type { OnOddRow } from "./odd_rows.ts";

/** A document of a file. */
export interface FileDocument {
  readonly domain: string;
  readonly text: string;
}

/** UTF-16 code units of a domain's name: it is a name, and is kept with every count of the corpus. */
const MAX_DOMAIN_LENGTH = 8192;

/** Values of a `meta` of text; one with more names no domain. */
const MAX_META_VALUES = 1 << 16;

const record = z.looseObject({ text: z.string().nullish(), meta: z.unknown().optional() });
const meta = z.looseObject({
  pile_set_name: z.string().nullish(),
  redpajama_set_name: z.string().nullish(),
});

/**
 * The document of a row; undefined if its `text` is missing or null. Where `meta` is text, it is JSON: tables whose rows
 * have different fields hold it so. A `meta` that is no object names no domain.
 *
 * @param value `{"text": …, "meta": {…}}`, with any other fields
 * @param where how messages name the row
 * @param onOddRow told if the row has no text, or a `meta` that is no object
 * @throws {UserError} `MISSING_TEXT` if it is no object or its `text` is something else; `INVALID_META` if the domain's
 * name is no text; `NOT_UTF8`, `DOMAIN_NAME_TOO_LONG`
 */
export function documentOf(value: unknown, where: string, onOddRow: OnOddRow = () => {}): FileDocument | undefined {
  const parsed = record.safeParse(value);
  if (!parsed.success) throw noRecord(parsed.error.issues[0]?.path.length === 0, where);
  const { text } = parsed.data;
  if (text === undefined || text === null) {
    onOddRow("withoutText");
    return undefined;
  }
  const domain = domainOf(parsed.data.meta, where, onOddRow);
  if (!text.isWellFormed() || !domain.isWellFormed()) {
    throw new UserError("NOT_UTF8", `${where} has a lone surrogate`, "remove the broken \\u escape");
  }
  if (domain.length > MAX_DOMAIN_LENGTH) {
    throw new UserError(
      "DOMAIN_NAME_TOO_LONG",
      `${where} names a domain of ${domain.length} characters, and at most ${MAX_DOMAIN_LENGTH} are taken`,
      `write a shorter name to meta.${DOMAIN_FIELDS.join(" or meta.")}`,
    );
  }
  return { domain, text };
}

function domainOf(value: unknown, where: string, onOddRow: OnOddRow): string {
  const object = typeof value === "string" ? parsedMeta(value) : value;
  if (object === undefined || object === null) return UNNAMED_DOMAIN;
  if (typeof object !== "object" || Array.isArray(object)) {
    onOddRow("otherMeta");
    return UNNAMED_DOMAIN;
  }
  const parsed = meta.safeParse(object);
  if (!parsed.success) {
    throw new UserError(
      "INVALID_META",
      `${where} has a "meta.${parsed.error.issues[0]?.path.join(".")}" of the wrong type`,
      "write text there, or leave it out",
    );
  }
  return DOMAIN_FIELDS.map((field) => parsed.data[field]).find((name) => name) ?? UNNAMED_DOMAIN;
}

/** What text stands for; the text itself, which is no object, if it is not JSON. */
function parsedMeta(text: string): unknown {
  if (exceedsValues(text, MAX_META_VALUES)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function noRecord(isOther: boolean, where: string): UserError {
  return new UserError(
    "MISSING_TEXT",
    isOther ? `${where} is no JSON object` : `${where} has no field "text" that holds text`,
    'write each document as {"text": "…"}',
  );
}
