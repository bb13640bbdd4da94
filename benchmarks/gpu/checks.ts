/** Things that must come out in one way. */
import type { Check } from "./results.ts";

/** Two texts that must be equal, shortened where they are digests. */
export function equalCheck(name: string, found: string, expected: string): Check {
  return { name, passed: found === expected, found: short(found), expected: short(expected) };
}

/** Something that must be true, in words. */
export function trueCheck(name: string, passed: boolean, found: string, expected: string): Check {
  return { name, passed, found, expected };
}

function short(text: string): string {
  return /^[0-9a-f]{64}$/.test(text) ? `${text.slice(0, 12)}…` : text;
}
