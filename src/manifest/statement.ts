/** Building the statement and signing it. */
import type { z } from "zod";
import { canonicalJson } from "../digest/canonical_json.ts";
import { printable } from "../files/safe_name.ts";
import { signEnvelope } from "./format/dsse.ts";
import type { SigningKey } from "./keys/keys.ts";
import { type Predicate, PREDICATE_TYPE, type Statement, STATEMENT_TYPE } from "./format/predicate.ts";
import type { Artefact } from "./format/run.ts";
import { statementFlaw } from "./consistency/statement_check.ts";
import { statementSchema } from "./format/statement_schema.ts";

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
  const statement = checkStatement(input);
  if (typeof statement === "string") throw new TypeError(`This is no statement: ${statement}`);
  return statement;
}

/** The statement of an input; a string says why a verifier would refuse it. */
export function checkStatement(input: StatementInput): Statement | string {
  const subject = input.artefacts
    .map(({ name, sha256 }) => ({ name, digest: { sha256 } }))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const statement = { _type: STATEMENT_TYPE, subject, predicateType: PREDICATE_TYPE, predicate: input.predicate };
  const parsed = statementSchema.safeParse(statement);
  if (!parsed.success) return schemaFlaws(parsed.error, statement).join("; ");
  const flaw = statementFlaw(parsed.data);
  return flaw === undefined ? parsed.data : `it contradicts itself: ${flaw}`;
}

/** The envelope's text, for `manifest.dsse.json`. The payload is the statement in canonical JSON (RFC 8785). */
export async function signStatement(statement: Statement, key: SigningKey): Promise<string> {
  return await signEnvelope(new TextEncoder().encode(canonicalJson(statement)), key);
}

/**
 * Up to five flaws that zod found, each with its place and not too long: `predicate.runs[3].label: …`.
 *
 * @param value what was parsed; if given, lengths that are too large are said
 */
export function schemaFlaws(error: z.ZodError, value?: unknown): string[] {
  const flaws = error.issues.slice(0, 5).map(({ code, path, message: limit }) => {
    const length = code === "too_big" ? lengthAt(value, path) : undefined;
    const message = length === undefined ? limit : `${limit}, found ${length}`;
    const place = path.map((key) => (typeof key === "number" ? `[${key}]` : `.${printable(String(key))}`)).join("");
    const words = printable(message, 300);
    return place === "" ? words : `${place.replace(/^\./, "")}: ${words}`;
  });
  const more = error.issues.length - flaws.length;
  return more > 0 ? [...flaws, `and ${more} more`] : flaws;
}

/** Length of the string or list at a path. */
function lengthAt(value: unknown, path: readonly PropertyKey[]): number | undefined {
  let member = value;
  for (const key of path) {
    if (typeof member !== "object" || member === null || !Object.hasOwn(member, key)) return undefined;
    member = Reflect.get(member, key);
  }
  return typeof member === "string" || Array.isArray(member) ? member.length : undefined;
}
