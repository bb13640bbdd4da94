/** Writing the `.idx` of a Megatron dataset; {@linkcode MegatronIndex} reads it. */
import { ByteWriter } from "./byte_writer.ts";
import { TOKEN_BYTES } from "./dataset.ts";
import { HEADER_BYTES, MAGIC, VERSION } from "./index.ts";

const UINT16_CODE = 8;
/** Entries written at a time. */
const ENTRIES = 4096;

/**
 * Writes an `.idx` for documents of one sequence each, without holding their sizes.
 *
 * @param sizes gives the documents' sizes in tokens, in order, afresh at each call
 * @param onFlush sees all bytes in their order, for a digest
 */
export function writeIndex(
  path: string,
  documents: number,
  sizes: () => Iterable<number>,
  onFlush?: (bytes: Uint8Array) => void,
): void {
  const writer = new ByteWriter(path, onFlush);
  try {
    const header = new Uint8Array(HEADER_BYTES);
    header.set(MAGIC);
    const view = new DataView(header.buffer);
    view.setBigUint64(9, BigInt(VERSION), true);
    view.setUint8(17, UINT16_CODE);
    view.setBigUint64(18, BigInt(documents), true);
    view.setBigUint64(26, BigInt(documents + 1), true);
    writer.write(header);
    writeEntries(
      writer,
      4,
      sizes(),
      (entry, at, size) => entry.setInt32(at, size, true),
    );
    let pointer = 0;
    writeEntries(writer, 8, sizes(), (entry, at, size) => {
      entry.setBigInt64(at, BigInt(pointer), true);
      pointer += size * TOKEN_BYTES;
    });
    writeEntries(
      writer,
      8,
      upTo(documents),
      (entry, at, document) => entry.setBigInt64(at, BigInt(document), true),
    );
    writer.finish(true);
  } finally {
    writer.close();
  }
}

function* upTo(last: number): Generator<number, void> {
  for (let i = 0; i <= last; i++) yield i;
}

function writeEntries(
  writer: ByteWriter,
  width: number,
  values: Iterable<number>,
  set: (view: DataView, at: number, value: number) => void,
): void {
  const buffer = new Uint8Array(width * ENTRIES);
  const view = new DataView(buffer.buffer);
  let filled = 0;
  for (const value of values) {
    set(view, filled, value);
    filled += width;
    if (filled === buffer.length) {
      writer.write(buffer);
      filled = 0;
    }
  }
  writer.write(buffer.subarray(0, filled));
}
