/** Rows of tokens in files without any header: uint16, little-endian, one stream cut into files anywhere. */
import { openRegularSync } from "../../files/open_regular.ts";
import { TOKEN_BYTES, tokenBytes } from "../../formats/megatron/dataset.ts";
import { readAt } from "../../formats/megatron/read_at.ts";

/** Whole rows that files of some bytes hold together. */
export function rowsIn(files: readonly { readonly bytes: number }[], rowTokens: number): number {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return Math.floor(bytes / (TOKEN_BYTES * rowTokens));
}

/** Open files, read by row. */
export class TokenRows {
  readonly #files: {
    readonly start: number;
    readonly end: number;
    readonly path: string;
    readonly file: Deno.FsFile;
  }[] = [];
  readonly rows: number;

  /** @param files in the order of the stream */
  constructor(
    files: readonly { readonly path: string; readonly bytes: number }[],
    readonly rowTokens: number,
  ) {
    this.rows = rowsIn(files, rowTokens);
    let start = 0;
    for (const { path, bytes } of files) {
      this.#files.push({ start, end: start + bytes, path, file: openRegularSync(path, "read") });
      start += bytes;
    }
  }

  /** Fills `into`, shape (rowTokens), with a row. */
  read(row: number, into: Uint16Array): void {
    const bytes = tokenBytes(into);
    const first = row * TOKEN_BYTES * this.rowTokens;
    for (const { start, end, path, file } of this.#files) {
      const from = Math.max(start, first), to = Math.min(end, first + bytes.length);
      if (from >= to) continue;
      if (readAt(file, from - start, bytes.subarray(from - first, to - first))) continue;
      throw new Error(`"${path}" ended before its byte ${to - start}`);
    }
  }

  close(): void {
    for (const { file } of this.#files) file.close();
  }
}
