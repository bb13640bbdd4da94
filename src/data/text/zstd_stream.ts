/**
 * Streaming Zstandard decompression (RFC 8878) that cannot lose data: the frames and blocks of a file are followed
 * here, and only their contents are left to `node:zlib`. On its own that decoder stops without an error after the
 * first of several frames (as pzstd and concatenated files have them) and at the end of a file that was cut short.
 */
import { constants, createZstdDecompress } from "node:zlib";
import type { UserError } from "../../errors.ts";
import { ByteReader } from "./byte_reader.ts";
import { damagedZstd, MAX_WINDOW_LOG, noFrame, requireSupported } from "./zstd_error.ts";

const FRAME_MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
const MAX_BLOCK_BYTES = 128 * 1024;
/** Larger than any block's output: Deno 2.9 reports errors as events only if a write needs one output buffer. */
const OUTPUT_BUFFER_BYTES = 2 * MAX_BLOCK_BYTES;

/** One frame's decoder: bytes in by {@linkcode write}, bytes out by {@linkcode drain}. */
class FrameDecoder {
  // The decoder takes as much memory as a frame's window, and of that only what the frame's text fills.
  readonly #decoder = createZstdDecompress({
    chunkSize: OUTPUT_BUFFER_BYTES,
    params: { [constants.ZSTD_d_windowLogMax]: MAX_WINDOW_LOG },
  });
  readonly #outputs: Uint8Array[] = [];
  #failure: UserError | null = null;
  /** the promise of the write or end that is under way */
  #waiting: { readonly resolve: () => void; readonly reject: (error: Error) => void } | null = null;
  produced = 0;

  /** @param start offset of the frame, for messages */
  constructor(fileName: string, start: number) {
    this.#decoder.on("data", (bytes: Uint8Array) => {
      this.produced += bytes.length;
      this.#outputs.push(bytes);
    });
    this.#decoder.on("end", () => this.#waiting?.resolve());
    this.#decoder.on("error", (error: Error) => {
      const problem = `cannot be decompressed from byte ${start} (${error.message})`;
      this.#failure = damagedZstd(fileName, problem, { cause: error });
      this.#waiting?.reject(this.#failure);
    });
  }

  #wait(begin: (done: () => void) => void): Promise<void> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      begin(resolve);
    });
  }

  /** Resolves when the bytes are decoded. */
  write(bytes: Uint8Array): Promise<void> {
    // After an error the callback comes as well, before or after the event: the event alone counts.
    return this.#wait((done) => this.#decoder.write(bytes, (error) => error instanceof Error ? undefined : done()));
  }

  /** Resolves when all output is there. */
  end(): Promise<void> {
    return this.#wait(() => this.#decoder.end());
  }

  drain(): Uint8Array[] {
    return this.#outputs.splice(0);
  }

  destroy(): void {
    this.#decoder.destroy();
  }
}

/** Little-endian unsigned integer of up to six bytes; wider ones only where they are exact in a double. */
function unsigned(bytes: Uint8Array): number {
  return bytes.reduceRight((value, byte) => value * 256 + byte, 0);
}

/**
 * Decompresses all frames of a Zstandard file, in as much memory as the largest window that a frame states: usually some
 * megabytes, 128 MiB for `zstd --long`, and 2 GiB for `--long=31`.
 *
 * @param chunks the compressed bytes, cut anywhere
 * @param fileName how messages name the file
 * @throws {UserError} `DAMAGED_FILE` if the file is cut short, is not Zstandard, or fails a checksum; `UNSUPPORTED_ZSTD`
 * if it needs a dictionary or a larger window
 */
export async function* decompressZstd(
  chunks: AsyncIterable<Uint8Array>,
  fileName: string,
): AsyncGenerator<Uint8Array, void> {
  const reader = new ByteReader(chunks);
  try {
    while (true) {
      const magic = await reader.take(4);
      if (magic.length === 0) return;
      const number = magic.length === 4 ? unsigned(magic) : 0;
      if (number === FRAME_MAGIC) yield* readFrame(reader, magic, fileName);
      else if (number - (number % 16) === SKIPPABLE_MAGIC) {
        await skipFrame(reader, fileName);
      } else throw noFrame(fileName, reader.offset - magic.length, number);
    }
  } finally {
    await reader.close();
  }
}

async function skipFrame(reader: ByteReader, fileName: string): Promise<void> {
  let left = unsigned(await takeExactly(reader, 4, fileName));
  while (left > 0) {
    const length = Math.min(left, MAX_BLOCK_BYTES);
    await takeExactly(reader, length, fileName);
    left -= length;
  }
}

/** Bytes of the window that a descriptor stands for (RFC 8878, section 3.1.1.1.2). */
function windowSize(descriptor: number): number {
  return 2 ** (10 + (descriptor >> 3)) * (1 + (descriptor & 7) / 8);
}

async function* readFrame(
  reader: ByteReader,
  magic: Uint8Array,
  fileName: string,
): AsyncGenerator<Uint8Array, void> {
  const start = reader.offset - magic.length;
  const descriptor = await takeExactly(reader, 1, fileName);
  const flags = descriptor[0] ?? 0;
  const singleSegment = (flags & 0x20) !== 0;
  const windowBytes = singleSegment ? 0 : 1;
  const dictionaryBytes = [0, 1, 2, 4][flags & 3] ?? 0;
  const sizeBytes = [singleSegment ? 1 : 0, 2, 4, 8][flags >> 6] ?? 0;
  const header = await takeExactly(
    reader,
    windowBytes + dictionaryBytes + sizeBytes,
    fileName,
  );
  requireSupported(fileName, start, {
    dictionary: unsigned(header.subarray(windowBytes, windowBytes + dictionaryBytes)),
    windowBytes: singleSegment ? 0 : windowSize(header[0] ?? 0),
  });
  const sizeField = header.subarray(windowBytes + dictionaryBytes);
  // The two-byte form starts at 256 (RFC 8878, section 3.1.1.1.4).
  const expected = sizeBytes === 0 ? null : unsigned(sizeField) + (sizeBytes === 2 ? 256 : 0);

  const decoder = new FrameDecoder(fileName, start);
  try {
    await decoder.write(Uint8Array.of(...magic, ...descriptor, ...header));
    for (let last = false; !last;) {
      const blockHeader = await takeExactly(reader, 3, fileName);
      const field = unsigned(blockHeader);
      last = (field & 1) === 1;
      const runLength = ((field >> 1) & 3) === 1;
      const size = field >> 3;
      if (size > MAX_BLOCK_BYTES) {
        throw damagedZstd(
          fileName,
          `has a Zstandard block of ${size} bytes before byte ${reader.offset}`,
        );
      }
      const content = await takeExactly(reader, runLength ? 1 : size, fileName);
      const checksum = last && (flags & 4) !== 0 ? await takeExactly(reader, 4, fileName) : new Uint8Array(0);
      const block = new Uint8Array(3 + content.length + checksum.length);
      block.set(blockHeader);
      block.set(content, 3);
      block.set(checksum, 3 + content.length);
      await decoder.write(block);
      yield* decoder.drain();
    }
    await decoder.end();
    yield* decoder.drain();
  } finally {
    decoder.destroy();
  }
  if (expected !== null && decoder.produced !== expected) {
    throw damagedZstd(
      fileName,
      `has a Zstandard frame at byte ${start} that gives ${decoder.produced} bytes, but states ${expected}`,
    );
  }
}

async function takeExactly(
  reader: ByteReader,
  length: number,
  fileName: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await reader.take(length);
  if (bytes.length === length) return bytes;
  throw damagedZstd(
    fileName,
    `ends at byte ${reader.offset} in the middle of a Zstandard frame`,
  );
}
