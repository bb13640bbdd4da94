/**
 * How much text a file may give. Kilobytes of Zstandard, or a dictionary of one long text in Parquet, can stand for
 * terabytes; whoever is handed such a file would tokenise it for weeks and fill the disk.
 */
import { UserError } from "../../errors.ts";

/** Bytes that any file may give, and further ones for each of its bytes; text is compressed to a tenth at the best. */
const FREE_BYTES = 1 << 28;
const MOST_PER_BYTE = 1000;

/** Counts what a file gives. */
export class TextBudget {
  readonly #most: number;
  #given = 0;

  /** @param bytes size of the file on the disk */
  constructor(private readonly path: string, private readonly bytes: number) {
    this.#most = FREE_BYTES + MOST_PER_BYTE * bytes;
  }

  /**
   * Counts further bytes.
   *
   * @throws {UserError} `EXPANDS_TOO_FAR`
   */
  spend(bytes: number): void {
    this.#given += bytes;
    if (this.#given <= this.#most) return;
    throw new UserError(
      "EXPANDS_TOO_FAR",
      `"${this.path}" has ${this.bytes} bytes and gives more than ${this.#most} bytes of text`,
      "look at what it repeats; write out a part of it if that is meant",
    );
  }
}
