/** Files of the page's own origin, for `?url=`. Nothing is asked of any other. */
import { UserError } from "../../errors.ts";
import { printable } from "../../files/safe_name.ts";
import { MANIFEST_FILE } from "../../manifest/format/companions.ts";
import { mount } from "../platform/file_tree.ts";
import { emptyFolder } from "./given_files.ts";

/** A file is not fetched beyond this size, in bytes: it is held by the browser. */
const MAX_FETCHED_BYTES = 2 ** 31;

/**
 * The address that a page is asked to look at.
 *
 * @param url as the page's own address names it, relative to the page
 * @throws {UserError} `NOT_THIS_ORIGIN`
 */
export function ownAddress(url: string, page: string): URL {
  const address = URL.parse(url, page);
  const { origin, protocol } = new URL(page);
  if (!/^https?:$/.test(protocol)) {
    throw new UserError(
      "NOT_THIS_ORIGIN",
      `"${printable(url)}" cannot be fetched by a page that was opened as a file`,
      "drop it on the page, or its folder",
    );
  }
  if (address !== null && address.origin === origin) return address;
  throw new UserError(
    "NOT_THIS_ORIGIN",
    `"${printable(url)}" is not where this page comes from`,
    "download it, and drop it on the page",
  );
}

/**
 * Fetches a file, never beyond the limit.
 *
 * @returns undefined if there is none
 * @throws {UserError} `FILE_TOO_LARGE`, `UNREADABLE_FILE`
 */
export async function fetchBounded(address: URL, maxBytes = MAX_FETCHED_BYTES): Promise<Blob | undefined> {
  const shown = printable(address.pathname);
  const tooLarge = () =>
    new UserError("FILE_TOO_LARGE", `"${shown}" has more than ${maxBytes} bytes`, "download and drop it");
  let response: Response;
  try {
    response = await fetch(address, { redirect: "error", credentials: "omit", cache: "no-store" });
  } catch (cause) {
    throw new UserError("UNREADABLE_FILE", `"${shown}" could not be fetched`, "download it, and drop it here", {
      cause,
    });
  }
  if (response.status === 404) return undefined;
  if (!response.ok || response.body === null) {
    throw new UserError(
      "UNREADABLE_FILE",
      `The server answered ${response.status} for "${shown}"`,
      "check the address",
    );
  }
  if (Number(response.headers.get("content-length") ?? 0) > maxBytes) {
    await response.body.cancel();
    throw tooLarge();
  }
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  for await (const piece of response.body) {
    bytes += piece.length;
    if (bytes > maxBytes) throw tooLarge();
    pieces.push(piece as Uint8Array<ArrayBuffer>);
  }
  return new Blob(pieces);
}

/**
 * Makes what an address names available: a bundle, a manifest with the files beside it, or a folder with one.
 *
 * @returns the path in the page
 */
export function mountAddress(folder: string, address: URL): string {
  emptyFolder(folder);
  const name = decodeURIComponent(address.pathname.slice(address.pathname.lastIndexOf("/") + 1)) || MANIFEST_FILE;
  mount(folder, {
    fetch: (path) => fetchBounded(new URL(path.split("/").map(encodeURIComponent).join("/"), address)),
  });
  return `${folder}/${name}`;
}
