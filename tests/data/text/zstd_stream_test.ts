import { deepEqual, equal, rejects } from "node:assert/strict";
import { constants, zstdCompressSync } from "node:zlib";
import { decompressZstd } from "../../../src/data/text/zstd_stream.ts";
import { userError } from "../user_error.ts";

async function* inPieces(bytes: Uint8Array, length: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield await Promise.resolve(bytes.subarray(at, at + length));
}

async function decompress(bytes: Uint8Array, pieceLength = 1000): Promise<Uint8Array> {
  const pieces: number[] = [];
  for await (const piece of decompressZstd(inPieces(bytes, pieceLength), "x.zst")) {
    for (const byte of piece) pieces.push(byte);
  }
  return Uint8Array.from(pieces);
}

const join = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));
const text = Uint8Array.from({ length: 300_000 }, (_, i) => 97 + ((i * i * 7 + (i >> 3)) % 23));
const checked = (bytes: Uint8Array) => zstdCompressSync(bytes, { params: { [constants.ZSTD_c_checksumFlag]: 1 } });

Deno.test("decompressZstd() gives the content back however the file is cut into pieces", async () => {
  for (const length of [1, 7, 1 << 20]) deepEqual(await decompress(checked(text), length), text);
});

Deno.test("decompressZstd() reads all frames of a file, skippable and empty ones too", async () => {
  const skippable = Uint8Array.of(0x5e, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 9, 9, 9);
  const half = text.subarray(0, 150_000);
  const file = join(zstdCompressSync(half), skippable, checked(new Uint8Array(0)), checked(text.subarray(150_000)));
  deepEqual(await decompress(file), text);
  equal((await decompress(new Uint8Array(0))).length, 0);
});

Deno.test("decompressZstd() reads raw blocks", async () => {
  const noise = crypto.getRandomValues(new Uint8Array(50_000));
  deepEqual(await decompress(zstdCompressSync(noise)), noise);
});

Deno.test("decompressZstd() notices a file that ends anywhere before its end", async () => {
  const file = checked(text.subarray(0, 5000));
  for (let length = 1; length < file.length; length++) {
    await rejects(decompress(file.subarray(0, length)), userError("DAMAGED_FILE", '"x.zst"', "restore the file"));
  }
});

Deno.test("decompressZstd() never gives other content when a bit is flipped", async () => {
  const content = text.subarray(0, 5000);
  const file = checked(content);
  let refused = 0;
  for (let at = 0; at < file.length; at++) {
    const flipped = Uint8Array.from(file);
    flipped[at] = (flipped[at] ?? 0) ^ 4;
    try {
      deepEqual(await decompress(flipped), content);
    } catch (error) {
      userError("DAMAGED_FILE")(error);
      refused++;
    }
  }
  // A few bits, such as those of the window's size, do not change what the file says.
  equal(refused > file.length * 0.9, true);
});

Deno.test("decompressZstd() passes on what the source throws, and closes it", async () => {
  let closed = false;
  const failing = async function* () {
    try {
      yield await Promise.resolve(checked(text).subarray(0, 50));
      throw new TypeError("disk gone");
    } finally {
      closed = true;
    }
  };
  await rejects(async () => {
    for await (const _ of decompressZstd(failing(), "x.zst"));
  }, new TypeError("disk gone"));
  equal(closed, true);
});
