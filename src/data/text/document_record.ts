/** A document of the Pile, of SlimPajama, or of any data set of rows with a `text`, whatever the format of the file. */
import { z } from "zod";
import { UserError } from "../../errors.ts";
import { UNNAMED_DOMAIN } from "../domain.ts";

/** A document of a file. */
export interface FileDocument {
  readonly domain: string;
  readonly text: string;
}

/** Fields of `meta` that name a document's domain, the first of them that is there. */
export const DOMAIN_FIELDS = ["pile_set_name", "redpajama_set_name"] as const;

/** UTF-16 code units of a domain's name: it is a name, and is kept with every count of the corpus. */
const MAX_DOMAIN_LENGTH = 8192;

const meta = z.looseObject({
  pile_set_name: z.string().nullish(),
  redpajama_set_name: z.string().nullish(),
});
const record = z.looseObject({ text: z.string(), meta: meta.nullish() });

/**
 * The document of a row. Where `meta` is text, it is JSON: tables whose rows have different fields hold it so.
 *
 * @param value `{"text": …, "meta": {…}}`, with any other fields
 * @param where how messages name the row
 * @throws {UserError} `MISSING_TEXT`, `INVALID_META`, `NOT_UTF8`, `DOMAIN_NAME_TOO_LONG`
 */
export function documentOf(value: unknown, where: string): FileDocument {
  const parsed = record.safeParse(withParsedMeta(value, where));
  if (!parsed.success) throw invalidRecord(parsed.error.issues[0]?.path.join(".") ?? "", where);
  const { text, meta } = parsed.data;
  const domain = DOMAIN_FIELDS.map((field) => meta?.[field]).find((name) => name) ?? UNNAMED_DOMAIN;
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

function withParsedMeta(value: unknown, where: string): unknown {
  if (typeof value !== "object" || value === null || !("meta" in value) || typeof value.meta !== "string") return value;
  try {
    return { ...value, meta: JSON.parse(value.meta) };
  } catch (cause) {
    throw new UserError("INVALID_META", `${where} has a "meta" of text that is not JSON`, "write an object there", {
      cause,
    });
  }
}

/** @param path of the first field that is not as it must be */
function invalidRecord(path: string, where: string): UserError {
  if (path.startsWith("meta")) {
    return new UserError(
      "INVALID_META",
      `${where} has a "${path}" of the wrong type`,
      path === "meta" ? "write an object there, or leave it out" : "write text there, or leave it out",
    );
  }
  return new UserError(
    "MISSING_TEXT",
    path === "" ? `${where} is no JSON object` : `${where} has no field "text" that holds text`,
    'write each document as {"text": "…"}',
  );
}
