/** Building the statement and signing it. */
import type { z } from "zod";
import { canonicalJson } from "../digest/canonical_json.ts";
import { printable } from "../files/safe_name.ts";
import { signEnvelope } from "./dsse.ts";
import type { SigningKey } from "./keys.ts";
import { type Predicate, PREDICATE_TYPE, type Statement, STATEMENT_TYPE } from "./predicate.ts";
import type { Artefact } from "./run.ts";
import { statementFlaw } from "./statement_check.ts";
import { statementSchema } from "./statement_schema.ts";

/** What a statement is made of. */
export interface StatementInput {
  /** every artefact by its name relative to the manifest's folder; see `digestArtefacts` */
  readonly artefacts: readonly Artefact[];
  readonly predicate: Predicate;
}

/**
 * Builds a statement, subjects sorted by name, and checks it as a verifier will.
 *
 * @throws {TypeError} if the input would not verify: a bug of the caller, never the user's
 */
export function buildStatement(input: StatementInput): Statement {
  const subject = input.artefacts
    .map(({ name, sha256 }) => ({ name, digest: { sha256 } }))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const parsed = statementSchema.safeParse({
    _type: STATEMENT_TYPE,
    subject,
    predicateType: PREDICATE_TYPE,
    predicate: input.predicate,
  });
  if (!parsed.success) throw new TypeError(`This is no statement: ${schemaFlaws(parsed.error).join("; ")}`);
  const flaw = statementFlaw(parsed.data);
  if (flaw !== undefined) throw new TypeError(`This statement contradicts itself: ${flaw}`);
  return parsed.data;
}

/** The envelope's text, for `manifest.dsse.json`. The payload is the statement in canonical JSON (RFC 8785). */
export async function signStatement(statement: Statement, key: SigningKey): Promise<string> {
  return await signEnvelope(new TextEncoder().encode(canonicalJson(statement)), key);
}

/** Up to five flaws that zod found, each with its place and not too long: `predicate.runs[3].label: …`. */
export function schemaFlaws(error: z.ZodError): string[] {
  const flaws = error.issues.slice(0, 5).map(({ path, message }) => {
    const place = path.map((key) => (typeof key === "number" ? `[${key}]` : `.${printable(String(key))}`)).join("");
    const words = printable(message, 300);
    return place === "" ? words : `${place.replace(/^\./, "")}: ${words}`;
  });
  const more = error.issues.length - flaws.length;
  return more > 0 ? [...flaws, `and ${more} more`] : flaws;
}
