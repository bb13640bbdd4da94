/** The bytes of an archive, piece by piece: it is never held as a whole. */
import { UserError } from "../../errors.ts";
import { foldName, printable, unsafeNameReason } from "../../files/safe_name.ts";
import { END_BYTES, MAX_MEMBERS, memberHeader, paddingAfter, type TarMember } from "./tar_format.ts";

/** A file to be put into an archive. */
export interface TarSource extends TarMember {
  /** gives its contents, `size` bytes in all */
  readonly contents: () => AsyncIterable<Uint8Array>;
}

/**
 * An archive of files, which `readTarIndex` accepts.
 *
 * @param sources in any order
 * @throws {UserError} `UNSAFE_PATH` before the first byte if a name cannot be unpacked everywhere; `FILE_CHANGED` if
 * contents have another length than was said
 */
export async function* tarBytes(sources: readonly TarSource[]): AsyncGenerator<Uint8Array, void> {
  requireNames(sources);
  const sorted = sources.toSorted((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
  for (const { name, size, contents } of sorted) {
    yield memberHeader({ name, size });
    let bytes = 0;
    for await (const chunk of contents()) {
      bytes += chunk.length;
      if (bytes > size) break;
      yield chunk;
    }
    if (bytes !== size) {
      throw new UserError(
        "FILE_CHANGED",
        `"${printable(name)}" had ${size} bytes and then ${bytes < size ? bytes : "more"}`,
        "something writes to it; wait until that ends",
      );
    }
    yield new Uint8Array(paddingAfter(size));
  }
  yield new Uint8Array(END_BYTES);
}

function requireNames(sources: readonly TarSource[]): void {
  const refuse = (problem: string) => new UserError("UNSAFE_PATH", problem, "such an archive would not be read");
  if (sources.length > MAX_MEMBERS) throw refuse(`${sources.length} files are more than ${MAX_MEMBERS}`);
  const folded = new Set<string>();
  for (const { name } of sources) {
    const reason = unsafeNameReason(name);
    if (reason !== undefined) throw refuse(`The name "${printable(name)}" ${reason}`);
    if (folded.has(foldName(name))) throw refuse(`Two files are called "${printable(name)}"`);
    folded.add(foldName(name));
  }
}
