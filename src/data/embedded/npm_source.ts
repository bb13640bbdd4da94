/** Text that ships inside installed npm packages: the embedded corpora need no download of their own. */
import { z } from "zod";
import { ownMember } from "../../digest/own_member.ts";
import { createSha256, type Digest } from "../../digest/sha256.ts";
import { UserError } from "../../errors.ts";
import { type DataLock, requireDigest } from "../data_lock.ts";
import { installedPackage } from "./installed_package.ts";

const MAX_FILE_BYTES = 1 << 26;

/** `json values`: the strings that are values of the file's one object, in its order, a blank line after each. */
export type TextForm = "json values";

/** Which text of which package makes a domain. */
export interface PackageText {
  readonly domain: string;
  readonly package: string;
  /** name of its pin in the lockfile; the package's if not given */
  readonly pin?: string;
  /** which part of the files is the text; all of it if not given */
  readonly readAs?: TextForm;
  /** whether a file, by its path in the package with "/", is part of the text */
  readonly includes: (path: string) => boolean;
}

/** A package's text, read and checked against the lockfile. */
export interface PackageFiles {
  readonly domain: string;
  /** `typescript@5.9.3`, or that of the pin where it is a part of the package */
  readonly name: string;
  readonly readAs?: TextForm;
  /** text, in the order of their paths by UTF-16 code units */
  readonly files: readonly {
    readonly path: string;
    readonly content: Uint8Array;
  }[];
  /** of the files, one after the other */
  readonly bytes: number;
  /** of the files' contents, one after the other */
  readonly sha256: Digest;
}

/**
 * Reads a package's text and holds it against the lockfile.
 *
 * @throws {UserError} `PACKAGE_NOT_FOUND`, `PACKAGE_NOT_PINNED`, `PACKAGE_VERSION_MISMATCH`, `DIGEST_MISMATCH`
 */
export async function readPackage(
  text: PackageText,
  lock: DataLock,
): Promise<PackageFiles> {
  const { version, paths: all, read } = await installedPackage(text.package);
  const { pin: pinName = text.package, readAs } = text;
  const pin = ownMember(lock.packages, pinName);
  if (pin === undefined) {
    throw new UserError(
      "PACKAGE_NOT_PINNED",
      `The text of "${pinName}" is not pinned by ${lock.name}`,
      "add it there, as the project's own lockfile shows",
    );
  }
  if (version !== pin.version) {
    throw new UserError(
      "PACKAGE_VERSION_MISMATCH",
      `The package "${text.package}" is installed in version ${version}, but ${lock.name} pins ${pin.version}`,
      // Alone it leaves packages as they are that it finds there.
      'remove the folder node_modules, and run "deno install --frozen" in the project\'s folder',
    );
  }
  const paths: string[] = [];
  for await (const path of all) {
    if (text.includes(path)) paths.push(path);
  }
  paths.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const digest = await createSha256();
  const files: { path: string; content: Uint8Array }[] = [];
  let bytes = 0;
  for (const path of paths) {
    const content = await read(path, MAX_FILE_BYTES);
    digest.update(content);
    bytes += content.length;
    files.push({ path, content });
  }
  const sha256 = digest.finish();
  const name = pinName.replace(text.package, `${text.package}@${version}`);
  requireDigest(name, sha256, pin.sha256, lock.name);
  if (files.length !== pin.files || bytes !== pin.bytes) {
    throw new UserError(
      "DIGEST_MISMATCH",
      `"${name}" has ${files.length} files with ${bytes} bytes, but ${lock.name} pins ` +
        `${pin.files} files with ${pin.bytes} bytes`,
      // Alone it leaves packages as they are that it finds there.
      'remove the folder node_modules, and run "deno install --frozen" in the project\'s folder',
    );
  }
  return {
    domain: text.domain,
    name,
    ...(readAs === undefined ? { files } : {
      readAs,
      files: files.map(({ path, content }) => ({ path, content: jsonValues(content) })),
    }),
    bytes,
    sha256,
  };
}

/** The strings that are values of an object of strings, a blank line after each; the file is a pinned one. */
function jsonValues(content: Uint8Array): Uint8Array {
  const values = z.record(z.string(), z.string()).parse(JSON.parse(new TextDecoder().decode(content)));
  return new TextEncoder().encode(Object.values(values).map((value) => `${value}\n\n`).join(""));
}
