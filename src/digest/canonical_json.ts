/** Canonical JSON after RFC 8785 (JCS): one byte string for one value, so that it can be hashed. */

/** A value that JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * Serialises as RFC 8785: keys sorted by UTF-16 code units, no white space, numbers as ECMAScript prints them. A member
 * that is undefined is absent, as `JSON.stringify` has it, so that optional members can be passed through.
 *
 * @throws {TypeError} on a value that JSON cannot hold exactly: a non-finite number, a lone surrogate, or `undefined`
 *   that is not an object's member (`JSON.stringify` would write `null` in an array)
 *
 * @example
 * ```ts
 * import { canonicalJson } from "./canonical_json.ts";
 *
 * console.log(canonicalJson({ b: 1e21, a: ["é"] })); // {"a":["é"],"b":1e+21}
 * ```
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new TypeError(`Canonical JSON cannot hold the number ${value}`);
    return JSON.stringify(value);
  }
  if (typeof value === "string") {
    if (!value.isWellFormed()) throw new TypeError("Canonical JSON cannot hold a lone surrogate");
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value === "object") {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([key, member]) => `${canonicalJson(key)}:${canonicalJson(member)}`);
    return `{${members.join(",")}}`;
  }
  throw new TypeError(`Canonical JSON cannot hold a value of type ${typeof value}`);
}
