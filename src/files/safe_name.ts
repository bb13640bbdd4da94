/** Names of files that others wrote down: which of them may be used, and how they are shown. */

const MAX_NAME_LENGTH = 1024;
const MAX_PART_LENGTH = 255;
/** Names that open devices on Windows in any folder and with any extension. */
const WINDOWS_DEVICE = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(\..*)?$/i;

/**
 * Why a relative name must not be joined to a folder, or `undefined` if it may be: plain parts between single `/`, the
 * same meaning on every system.
 *
 * @example
 * ```ts
 * import { unsafeNameReason } from "./safe_name.ts";
 *
 * console.log(unsafeNameReason("runs/a/curves.json")); // undefined
 * console.log(unsafeNameReason("../secret")); // has a part ".."
 * ```
 */
export function unsafeNameReason(name: string): string | undefined {
  if (name === "") return "is empty";
  if (name.length > MAX_NAME_LENGTH) {
    return `is longer than ${MAX_NAME_LENGTH} characters`;
  }
  if (!name.isWellFormed()) return "is not valid Unicode";
  if (/\p{Cc}/u.test(name)) {
    return "has a control character";
  }
  if (name.startsWith("/")) return "is an absolute path";
  if (name.includes("\\")) return 'has a "\\"';
  if (name.includes(":")) return 'has a ":"';
  for (const part of name.split("/")) {
    if (part === "") return "has an empty part";
    if (part === "." || part === "..") return `has a part "${part}"`;
    if (part.length > MAX_PART_LENGTH) {
      return `has a part longer than ${MAX_PART_LENGTH} characters`;
    }
    if (/[ .]$/.test(part)) return "has a part that ends with a dot or a space";
    if (WINDOWS_DEVICE.test(part)) return `names the device "${part}"`;
  }
  return undefined;
}

/**
 * What names have in common that are one file on some systems: they differ in letter case, in Unicode form, or in
 * characters that are not seen, which HFS+ ignores.
 */
export function foldName(name: string): string {
  // Through upper case, as file systems fold letters that have more than one lower case: s and \u017f, k and \u212a.
  const folded = name.replace(/\p{Default_Ignorable_Code_Point}/gu, "").normalize("NFC").toUpperCase().toLowerCase();
  return folded.normalize("NFC");
}

/** A string for a terminal: not too long, and without characters that move the cursor or turn the writing direction. */
export function printable(text: string, maxLength = 120): string {
  const short = text.length > maxLength ? `${text.slice(0, maxLength - 1)}…` : text;
  return short.toWellFormed().replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "\ufffd");
}

/**
 * Characters that a terminal acts upon instead of showing: controls but the line feed, C1 controls among them; marks of
 * writing direction and other invisible format characters; lone surrogates. Joiners stay, as Persian, the scripts of
 * India and emoji are written with them.
 */
const UNSEEN = /(?![\n\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/**
 * A text of any length with every such character written as `\u001b`, so that it is seen and does nothing. JSON stays
 * the same JSON: outside of its strings there are none.
 *
 * @example
 * ```ts
 * import { visible } from "./safe_name.ts";
 *
 * console.log(visible("red: \x1b[31m")); // red: \u001b[31m
 * ```
 */
export function visible(text: string): string {
  return text.replace(UNSEEN, (character) => {
    let escaped = "";
    for (let i = 0; i < character.length; i++) {
      escaped += `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`;
    }
    return escaped;
  });
}
