/** Decompression of Parquet's pages, each into a stated length that is not believed beyond a bound. */
import type { Compressors } from "hyparquet";
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import { decompressSnappy } from "./snappy.ts";
import { UnsupportedPage } from "./unsupported_page.ts";

/** Bytes of a decompressed page. Writers make pages of a megabyte; some put a whole row group into one. */
const MAX_PAGE_BYTES = 1 << 30;

/** @param decompress gives at most `length` bytes, or throws */
function bounded(decompress: (input: Uint8Array, length: number) => Uint8Array): NonNullable<Compressors["GZIP"]> {
  return (input, length) => {
    if (!(length >= 0)) throw new RangeError(`a page states ${length} bytes`);
    if (length > MAX_PAGE_BYTES) {
      throw new UnsupportedPage(`a page states ${length} bytes, and at most ${MAX_PAGE_BYTES} are read`);
    }
    // Writers leave out the bytes of a page without values, which no decompressor takes.
    return length === 0 ? new Uint8Array(0) : decompress(input, length);
  };
}

/** By their names in Parquet. hyparquet holds the length of what they give against the page's header. */
export const PARQUET_CODECS: Compressors = {
  SNAPPY: bounded(decompressSnappy),
  GZIP: bounded((input, maxOutputLength) => gunzipSync(input, { maxOutputLength })),
  BROTLI: bounded((input, maxOutputLength) => brotliDecompressSync(input, { maxOutputLength })),
  ZSTD: bounded((input, maxOutputLength) => zstdDecompressSync(input, { maxOutputLength })),
};
