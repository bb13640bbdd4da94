import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { InclusionProver, leafHash, MerkleTree, nodeHash, rootOfPath } from "../../src/digest/merkle.ts";
import { type Digest, sha256 } from "../../src/digest/sha256.ts";

/** Leaves and roots that implementations of Certificate Transparency (RFC 6962, RFC 9162) are tested with. */
const LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
  .map((hex) => Uint8Array.fromHex(hex));
const ROOTS = [
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];
/** Leaf, size of the tree, inclusion path: from the same source. */
const PATHS: readonly [number, number, readonly string[]][] = [
  [0, 1, []],
  [0, 8, [
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
  ]],
  [5, 8, [
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  ]],
  [2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]],
  [1, 5, [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
  ]],
];

function rootOf(leaves: readonly Uint8Array[]): Digest {
  return leaves.reduce((tree, leaf) => tree.append(leaf), new MerkleTree()).root();
}

function prove(leaves: readonly Uint8Array[], index: number): Digest[] {
  return leaves.reduce((prover, leaf) => prover.append(leaf), new InclusionProver(index, leaves.length)).path();
}

/** RFC 9162 §2.1.1 word by word, with another SHA-256: MTH(D) of all leaves at once. */
function definition(leaves: readonly Uint8Array[]): Uint8Array {
  const hash = (...parts: Uint8Array[]) => parts.reduce((h, part) => h.update(part), createHash("sha256")).digest();
  const [first] = leaves;
  if (first === undefined) return hash();
  if (leaves.length === 1) return hash(Uint8Array.of(0), first);
  const k = 2 ** (31 - Math.clz32(leaves.length - 1));
  return hash(Uint8Array.of(1), definition(leaves.slice(0, k)), definition(leaves.slice(k)));
}

/** RFC 9162 §2.1.3.2 step by step: the root that a path leads to, or undefined where the algorithm fails. */
function verification(leaf: Uint8Array, index: number, size: number, path: readonly string[]): string | undefined {
  let [fn, sn] = [index, size - 1];
  let r = leafHash(leaf);
  for (const hex of path) {
    const p = Uint8Array.fromHex(hex);
    if (sn === 0) return undefined;
    if (fn % 2 === 1 || fn === sn) {
      r = nodeHash(p, r);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [fn >> 1, sn >> 1];
    } else r = nodeHash(r, p);
    [fn, sn] = [fn >> 1, sn >> 1];
  }
  return sn === 0 ? r.toHex() : undefined;
}

const leavesOf = (maxLength: number) => fc.array(fc.uint8Array({ maxLength: 70 }), { minLength: 1, maxLength });
/** Some leaves and one of them. */
const placeOf = (maxLength: number) =>
  leavesOf(maxLength).chain((leaves) => fc.record({ leaves: fc.constant(leaves), index: fc.nat(leaves.length - 1) }));

function at<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new RangeError(`${index} of ${items.length}`);
  return item;
}

Deno.test("MerkleTree gives the reference roots of RFC 6962 and RFC 9162 after every leaf", () => {
  const tree = new MerkleTree();
  assert.equal(tree.root(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  for (const [index, leaf] of LEAVES.entries()) {
    assert.equal(tree.append(leaf).root(), ROOTS[index]);
    assert.equal(tree.size, index + 1);
  }
});

Deno.test("InclusionProver gives the reference paths, and rootOfPath() leads from them to the reference roots", () => {
  for (const [index, size, path] of PATHS) {
    assert.deepEqual(prove(LEAVES.slice(0, size), index), path);
    assert.equal(rootOfPath(at(LEAVES, index), index, size, path as Digest[]), ROOTS[size - 1]);
  }
});

Deno.test("MerkleTree gives the root of the definition for any leaves", () => {
  for (let size = 0; size <= 130; size++) {
    const leaves = Array.from({ length: size }, (_, index) => new TextEncoder().encode(`leaf ${index}`));
    assert.equal(rootOf(leaves), definition(leaves).toHex(), `${size} leaves`);
  }
  fc.assert(fc.property(leavesOf(50), (leaves) => rootOf(leaves) === definition(leaves).toHex()));
});

Deno.test("rootOfPath() leads from every leaf to the root, as RFC 9162's verification does", () => {
  for (let size = 1; size <= 33; size++) {
    const leaves = Array.from({ length: size }, (_, index) => Uint8Array.of(index));
    for (const [index, leaf] of leaves.entries()) {
      const path = prove(leaves, index);
      assert.equal(rootOfPath(leaf, index, size, path), rootOf(leaves));
      assert.equal(verification(leaf, index, size, path), rootOf(leaves));
    }
  }
});

Deno.test("MerkleTree gives another root for another leaf, order or number of leaves", () => {
  fc.assert(fc.property(placeOf(40), fc.nat(), ({ leaves, index }, place) => {
    const root = rootOf(leaves);
    const changed = leaves.with(index, flipped(at(leaves, index), place));
    assert.notEqual(rootOf(changed), root);
    assert.notEqual(rootOf(leaves.toSpliced(index, 1)), root);
    assert.notEqual(rootOf(leaves.toSpliced(index, 0, at(leaves, index))), root);
    const other = place % leaves.length;
    const swapped = leaves.with(index, at(leaves, other)).with(other, at(leaves, index));
    const isSame = Buffer.from(at(leaves, index)).equals(at(leaves, other));
    assert.equal(rootOf(swapped) === root, isSame);
  }));
});

/** One flipped bit; of nothing, one byte. */
function flipped(bytes: Uint8Array, place: number): Uint8Array<ArrayBuffer> {
  if (bytes.length === 0) return Uint8Array.of(0);
  const bit = place % (8 * bytes.length);
  return Uint8Array.from(bytes, (byte, index) => index === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte);
}

Deno.test("rootOfPath() does not lead to the root where leaf, place or path was changed", () => {
  fc.assert(fc.property(placeOf(40), fc.nat(), ({ leaves, index }, place) => {
    const size = leaves.length;
    const root = rootOf(leaves);
    const leaf = at(leaves, index);
    const path = prove(leaves, index);
    assert.notEqual(rootOfPath(flipped(leaf, place), index, size, path), root);
    const other = place % size;
    const isTwin = Buffer.from(at(leaves, other)).equals(leaf);
    if (!isTwin) assert.notEqual(rootOfPath(leaf, other, size, path), root);
    assert.equal(rootOfPath(leaf, index, size, [...path, sha256("more")]), undefined);
    if (path.length === 0) return;
    assert.equal(rootOfPath(leaf, index, size, path.slice(1)), undefined);
    const level = place % path.length;
    const hash = flipped(Uint8Array.fromHex(at(path, level)), place).toHex() as Digest;
    assert.notEqual(rootOfPath(leaf, index, size, path.with(level, hash)), root);
  }));
});

Deno.test("rootOfPath() and RFC 9162's verification agree about any path, place and size", () => {
  fc.assert(
    fc.property(placeOf(40), fc.nat(45), fc.nat(3), ({ leaves, index }, more, cut) => {
      const path = prove(leaves, index).slice(cut);
      const size = index + 1 + more;
      const leaf = at(leaves, index);
      assert.equal(rootOfPath(leaf, index, size, path), verification(leaf, index, size, path));
    }),
  );
});

Deno.test("no leaf passes for a node, and no node for a leaf", () => {
  fc.assert(
    fc.property(placeOf(40), ({ leaves, index }) => {
      const root = rootOf(leaves);
      const [sibling, ...rest] = prove(leaves, index);
      if (sibling === undefined) return;
      // What lies above the leaf, given as the data of a leaf one level higher: with and without the tag of a node.
      const own = leafHash(at(leaves, index));
      const beside = Uint8Array.fromHex(sibling);
      for (const children of [[own, beside], [beside, own]]) {
        for (const tag of [[], [0], [1]]) {
          const data = Uint8Array.from([...tag, ...children.flatMap((hash) => [...hash])]);
          for (let size = 1; size < leaves.length; size++) {
            for (const place of new Set([0, index >> 1, size - 1])) {
              if (place < size) assert.notEqual(rootOfPath(data, place, size, rest), root);
            }
          }
        }
      }
    }),
    { numRuns: 50 },
  );
});

Deno.test("InclusionProver and rootOfPath() refuse a leaf that the tree has not, and another number of leaves", () => {
  for (const [index, size] of [[0, 0], [1, 1], [-1, 3], [0.5, 3], [3, 3], [0, 2 ** 53], [NaN, 3]] as const) {
    assert.throws(() => new InclusionProver(index, size), RangeError);
    assert.throws(() => rootOfPath(new Uint8Array(), index, size, []), RangeError);
  }
  const prover = new InclusionProver(1, 3).append(Uint8Array.of(1)).append(Uint8Array.of(2));
  assert.throws(() => prover.path(), /A tree of 3 leaves was given 2/);
  assert.throws(() => prover.append(Uint8Array.of(3)).append(Uint8Array.of(4)).path(), /was given 4/);
});
