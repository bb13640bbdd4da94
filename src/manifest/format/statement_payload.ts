/** From an envelope to the JSON of the statement in it, looked at by its types only. Web-standard APIs only. */
import { parseStrictJson } from "../../text/strict_json.ts";
import { printable } from "../../files/safe_name.ts";
import { type Envelope, PAYLOAD_TYPE } from "./dsse.ts";
import { STATEMENT_TYPE } from "./predicate.ts";

/** What in-toto called statements before version 1 (2023). */
const EARLIER_STATEMENT_TYPE = "https://in-toto.io/Statement/v0.1";

/**
 * The payload as strict JSON, if it is an in-toto statement v1 with one of these predicates; a string says what is
 * wrong. Types come before any schema: what another type or version means by its members is not ours to guess.
 *
 * It is written as canonical JSON and read in any spelling: the signature covers the bytes, strict JSON leaves them one
 * meaning, and DSSE is made so that nothing depends on a spelling.
 */
export function readStatementPayload(
  { payloadType, payload }: Envelope,
  ...predicateTypes: readonly string[]
): { readonly value: unknown } | string {
  if (payloadType !== PAYLOAD_TYPE) return `the payload type is "${printable(payloadType)}", which is unknown`;
  let value: unknown;
  try {
    value = parseStrictJson(payload);
  } catch (error) {
    return `the payload is not strict JSON: ${error instanceof Error ? error.message : String(error)}`;
  }
  return typeFlaw(value, predicateTypes) ?? { value };
}

function typeFlaw(value: unknown, predicateTypes: readonly string[]): string | undefined {
  const members = new Map(typeof value === "object" && value !== null ? Object.entries(value) : []);
  if (members.get("_type") === EARLIER_STATEMENT_TYPE) {
    return `"_type" is "${EARLIER_STATEMENT_TYPE}", in-toto's statement before version 1, and only version 1 is read: ` +
      "whoever signed it has to sign it anew";
  }
  for (const [member, known] of [["_type", [STATEMENT_TYPE]], ["predicateType", predicateTypes]] as const) {
    const found: unknown = members.get(member);
    if (known.some((type) => type === found)) continue;
    const shown = typeof found === "string" ? `"${printable(found)}"` : "missing";
    return `"${member}" is ${shown}, and this version knows only ${known.map((type) => `"${type}"`).join(" and ")}`;
  }
  return undefined;
}
