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

/** A frame of one raw block, by its header's parts. */
function frame(content: string, { window = 0, dictionary = [] as number[] }): Uint8Array {
  const bytes = new TextEncoder().encode(content);
  const flags = [0, 1, 2, 2, 3][dictionary.length] ?? 0;
  const block = (bytes.length << 3) | 1;
  return Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, flags, window, ...dictionary, block & 255, block >> 8, 0, ...bytes);
}

Deno.test("decompressZstd() reads frames with windows of up to 2 GiB, many of them in a file", async () => {
  // Log2 of the window less ten, and eighths of it.
  for (const window of [13 << 3, 17 << 3, (17 << 3) | 1, 18 << 3, (20 << 3) | 7, 21 << 3]) {
    equal(new TextDecoder().decode(await decompress(frame("some text", { window }))), "some text");
  }
  const many = Array.from({ length: 50 }, () => frame("a", { window: 21 << 3 }));
  equal((await decompress(join(...many))).length, 50);
});

for (
  const { what, file, parts } of [
    {
      what: "a window above 2 GiB",
      file: frame("some text", { window: (21 << 3) | 1 }),
      parts: ["at byte 0", "a window of 2415919104 bytes, and at most 2147483648", "smaller window"],
    },
    {
      what: "the largest window that there is, after another frame",
      file: join(frame("a", {}), frame("some text", { window: 255 })),
      parts: ["at byte 10", `a window of ${2 ** 41 * 1.875} bytes`],
    },
    {
      what: "a dictionary",
      file: frame("some text", { dictionary: [0x39, 0x30] }),
      parts: ["compressed with dictionary 12345", "zstd -d -D DICTIONARY"],
    },
    {
      what: "a dictionary's own bytes",
      file: Uint8Array.of(0x37, 0xa4, 0x30, 0xec, 1, 2),
      parts: ["is a Zstandard dictionary"],
    },
    {
      what: "frames of version 0.4",
      file: Uint8Array.of(0x24, 0xb5, 0x2f, 0xfd, 0),
      parts: ["Zstandard 0.4", "again"],
    },
  ]
) {
  Deno.test(`decompressZstd() does not call ${what} damaged`, async () => {
    await rejects(decompress(file), userError("UNSUPPORTED_ZSTD", '"x.zst"', ...parts));
  });
}
