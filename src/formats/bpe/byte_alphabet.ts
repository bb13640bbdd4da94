/** GPT-2's alphabet: a printable character for each byte, in which vocabularies and merges are written. */

/** The character of each byte; shape (256). */
export const BYTE_CHARACTERS: readonly string[] = byteCharacters();

const BYTE_OF: ReadonlyMap<string, number> = new Map(BYTE_CHARACTERS.map((character, byte) => [character, byte]));
const encoder = new TextEncoder();

function byteCharacters(): string[] {
  let others = 0;
  return Array.from({ length: 256 }, (_, byte) => {
    const isPrintable = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
    return String.fromCharCode(isPrintable ? byte : 256 + others++);
  });
}

/** Whether well-formed UTF-8 can hold a byte (Unicode 16, table 3-7). */
export function isInUtf8(byte: number): boolean {
  return byte !== 0xc0 && byte !== 0xc1 && byte < 0xf5;
}

/** Bytes that a vocabulary's token stands for; its own UTF-8 if a character of it is not of the alphabet. */
export function bytesOfToken(token: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(token.length);
  for (let i = 0; i < token.length; i++) {
    const byte = BYTE_OF.get(token.charAt(i));
    if (byte === undefined) return encoder.encode(token);
    bytes[i] = byte;
  }
  return bytes;
}
