/**
 * Merkle trees as RFC 9162 (§2.1) shapes and hashes them: a tree of n leaves splits at the largest power of two below n;
 * a leaf is SHA-256 of 0x00 and its data, a node SHA-256 of 0x01 and its two children, so that neither passes for the
 * other. Web-standard APIs only.
 */
import { type Digest, sha256Bytes } from "./sha256.ts";

const LEAF = 0;
const NODE = 1;

function tagged(tag: number, first: Uint8Array, second: Uint8Array = new Uint8Array()): Uint8Array {
  const message = new Uint8Array(1 + first.length + second.length);
  message[0] = tag;
  message.set(first, 1);
  message.set(second, 1 + first.length);
  return sha256Bytes(message);
}

/** Hash of a leaf, 32 bytes. */
export function leafHash(data: Uint8Array): Uint8Array {
  return tagged(LEAF, data);
}

/** Hash of a node, 32 bytes, from the hashes of its children. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return tagged(NODE, left, right);
}

/** The root of a tree whose leaves come one after the other; holds a hash for each bit of their number. */
export class MerkleTree {
  /** Roots of the complete subtrees so far, from the largest; their sizes are the bits of `#size`. */
  readonly #complete: Uint8Array[] = [];
  #size = 0;

  /** Number of leaves. */
  get size(): number {
    return this.#size;
  }

  /** Adds the next leaf. */
  append(data: Uint8Array): this {
    let hash = leafHash(data);
    // As in binary counting: where the size has a 1, two subtrees of one size become one, and the carry goes on.
    for (let rest = this.#size; rest % 2 === 1; rest = Math.floor(rest / 2)) {
      const left = this.#complete.pop();
      if (left === undefined) throw new Error("A tree has as many subtrees as its size has bits");
      hash = nodeHash(left, hash);
    }
    this.#complete.push(hash);
    this.#size++;
    return this;
  }

  /** The root's hash; for no leaves the SHA-256 of nothing. */
  root(): Digest {
    const root = this.#complete.reduceRight<Uint8Array | undefined>(
      (right, left) => right === undefined ? left : nodeHash(left, right),
      undefined,
    );
    return toHex(root ?? sha256Bytes(new Uint8Array()));
  }
}

/** A node beside the path from a leaf to the root: the leaves `start` to `end` − 1 are below it. */
interface Sibling {
  readonly start: number;
  readonly end: number;
}

/** The siblings of a leaf's path, from the leaf to the root; at most one for each bit of the size. */
function siblings(index: number, size: number): Sibling[] {
  if (!Number.isSafeInteger(size) || !Number.isSafeInteger(index) || index < 0 || index >= size) {
    throw new RangeError(`A tree of ${size} leaves has no leaf ${index}`);
  }
  const found: Sibling[] = [];
  let [start, end] = [0, size];
  while (end - start > 1) {
    let half = 1;
    while (2 * half < end - start) half *= 2;
    const middle = start + half;
    if (index < middle) {
      found.push({ start: middle, end });
      end = middle;
    } else {
      found.push({ start, end: middle });
      start = middle;
    }
  }
  return found.reverse();
}

/** Makes an inclusion proof while the leaves go by; holds no more than the trees beside the leaf's path. */
export class InclusionProver {
  readonly #siblings: readonly (Sibling & { readonly tree: MerkleTree })[];
  #next = 0;

  /**
   * @param index of the leaf to be proved, from 0
   * @param size number of leaves that the tree will have
   * @throws {RangeError} if the tree has no such leaf
   */
  constructor(index: number, private readonly size: number) {
    this.#siblings = siblings(index, size).map((range) => ({ ...range, tree: new MerkleTree() }));
  }

  /** Takes the next leaf, that of the proof included. */
  append(data: Uint8Array): this {
    const index = this.#next++;
    this.#siblings.find(({ start, end }) => start <= index && index < end)?.tree.append(data);
    return this;
  }

  /**
   * The hashes of the siblings, from the leaf to the root: RFC 9162's inclusion path.
   *
   * @throws {RangeError} if there were more or fewer leaves than said
   */
  path(): Digest[] {
    if (this.#next !== this.size) throw new RangeError(`A tree of ${this.size} leaves was given ${this.#next}`);
    return this.#siblings.map(({ tree }) => tree.root());
  }
}

/**
 * The root that a leaf and its inclusion path lead to: the leaf is in a tree if that is the tree's. `undefined` if the
 * path has another length than this place in a tree of this size.
 *
 * @param path as {@linkcode InclusionProver.path} gives it
 * @throws {RangeError} if a tree of this size has no such leaf
 */
export function rootOfPath(
  data: Uint8Array,
  index: number,
  size: number,
  path: readonly Digest[],
): Digest | undefined {
  const beside = siblings(index, size);
  if (path.length !== beside.length) return undefined;
  let hash = leafHash(data);
  for (const [level, { start }] of beside.entries()) {
    const sibling = Uint8Array.fromHex(path[level] ?? "");
    hash = start > index ? nodeHash(hash, sibling) : nodeHash(sibling, hash);
  }
  return toHex(hash);
}

function toHex(bytes: Uint8Array): Digest {
  return bytes.toHex() as Digest;
}
