/** Which library belongs to this machine. */
import record from "./libraries/digests.json" with { type: "json" };

const digests = record.libraries;

/** A library of the folder `libraries/`. */
export type LibraryName = keyof typeof digests;

/** Where the libraries are: what `--allow-ffi` is scoped to. */
export const LIBRARY_FOLDER = new URL("./libraries/", import.meta.url);

const EXTENSIONS: Readonly<Record<string, string>> = { linux: "so", darwin: "dylib", windows: "dll" };

/** The library for an operating system and processor, by Deno's names; undefined if there is none. */
export function libraryName({ os, arch }: Pick<typeof Deno.build, "os" | "arch">): LibraryName | undefined {
  const name = `${os}-${arch}.${EXTENSIONS[os] ?? ""}`;
  return name in digests ? name as LibraryName : undefined;
}

/** SHA-256 of a library as it was built from source/, in hexadecimal. */
export function libraryDigest(name: LibraryName): string {
  return digests[name];
}
