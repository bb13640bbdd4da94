/** Added tokens: texts that become one id wherever they stand, before anything is split into words. */

/** A token that is found as it is written. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
}

/** A byte has 256 successors in the tree. */
const BYTES = 256;

const encoder = new TextEncoder();

/** Finds added tokens in UTF-8 bytes: of those that begin first, the longest. */
export class AddedTokens {
  /** node · 256 + byte → the next node, 0 where none is; the root is node 0 */
  readonly #next: Int32Array;
  /** node → id of the token that ends there, −1 where none does */
  readonly #ids: Int32Array;
  /** bounds in bytes, and id, of what {@linkcode find} found */
  start = 0;
  end = 0;
  id = 0;

  constructor(tokens: readonly AddedToken[]) {
    const contents = tokens.map(({ content }) => encoder.encode(content));
    const most = 1 + contents.reduce((bytes, content) => bytes + content.length, 0);
    this.#next = new Int32Array(BYTES * most);
    this.#ids = new Int32Array(most).fill(-1);
    let nodes = 1;
    for (const [i, content] of contents.entries()) {
      let node = 0;
      for (const byte of content) {
        const edge = BYTES * node + byte;
        if (this.#next[edge] === 0) this.#next[edge] = nodes++;
        node = this.#next[edge] as number;
      }
      this.#ids[node] = tokens[i]?.id ?? -1;
    }
  }

  /** Looks for the first token in bytes `from` to `to`; if there is one, sets `start`, `end` and `id`. */
  find(bytes: Uint8Array, from: number, to: number): boolean {
    const next = this.#next, ids = this.#ids;
    for (let start = from; start < to; start++) {
      let node = next[bytes[start] as number] as number;
      if (node === 0) continue;
      let id = -1;
      for (let at = start + 1;; at++) {
        const found = ids[node] as number;
        if (found >= 0) {
          id = found;
          this.end = at;
        }
        if (at === to) break;
        node = next[BYTES * node + (bytes[at] as number)] as number;
        if (node === 0) break;
      }
      if (id >= 0) {
        this.start = start;
        this.id = id;
        return true;
      }
    }
    return false;
  }
}
