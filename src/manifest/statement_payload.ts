/** From an envelope to the JSON of the statement in it, looked at by its types only. Web-standard APIs only. */
import { printable } from "../files/safe_name.ts";
import { type Envelope, PAYLOAD_TYPE } from "./dsse.ts";
import { STATEMENT_TYPE } from "./predicate.ts";
import { parseStrictJson } from "../digest/strict_json.ts";

/**
 * The payload as strict JSON, if it is an in-toto statement v1 with one of these predicates; a string says what is wrong. Types
 * come before any schema: what another type or version means by its members is not ours to guess.
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
  const members = new Map(typeof value === "object" && value !== null ? Object.entries(value) : []);
  for (const [member, known] of [["_type", [STATEMENT_TYPE]], ["predicateType", predicateTypes]] as const) {
    const found: unknown = members.get(member);
    if (known.some((type) => type === found)) continue;
    const shown = typeof found === "string" ? `"${printable(found)}"` : "missing";
    return `"${member}" is ${shown}, and this version knows only ${known.map((type) => `"${type}"`).join(" and ")}`;
  }
  return { value };
}
