/** Looking up names that others chose: an object has members that nobody gave it, such as `constructor`. */

/**
 * The member of that name, if the object itself has one.
 *
 * @example
 * ```ts
 * import { ownMember } from "./own_member.ts";
 *
 * console.log(ownMember({ a: 1 }, "a"), ownMember({ a: 1 }, "constructor")); // 1 undefined
 * ```
 */
export function ownMember<T>(members: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(members, name) ? members[name] : undefined;
}
