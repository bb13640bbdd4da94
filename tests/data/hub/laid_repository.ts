/** Repositories in the cache of downloads, as if they had been fetched. */
import type { HubPin } from "../../../src/data/data_lock.ts";
import { nameFiles } from "../../../src/data/hub/named_files.ts";
import { sha256 } from "../../../src/digest/sha256.ts";
import { folderOf } from "../../../src/files/durable.ts";
import type { HubCache } from "../../../src/hub/cache.ts";
import { formatListing } from "../../../src/hub/listing.ts";

/** The commit of all of them. */
export const COMMIT = "0123456789abcdef0123456789abcdef01234567";

/** What `data fetch` leaves of a dataset, and its pin. */
export async function lay(
  cache: HubCache,
  name: string,
  contents: Record<string, Uint8Array<ArrayBuffer>>,
  kind: "dataset" | "model" = "dataset",
): Promise<HubPin> {
  const files = await Promise.all(
    Object.entries(contents).map(async ([path, content]) => {
      const digest = sha256(content);
      const local = cache.pathOf(digest);
      await Deno.mkdir(folderOf(local), { recursive: true });
      await Deno.writeFile(local, content);
      return { path, bytes: content.length, sha256: digest, local };
    }),
  );
  const listing = formatListing(files);
  const pin = {
    revision: COMMIT,
    files: files.length,
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    listing: sha256(listing),
    trusted: "2026-11-23",
  };
  await Deno.mkdir(folderOf(cache.pathOf(pin.listing)), { recursive: true });
  await Deno.writeTextFile(cache.pathOf(pin.listing), listing);
  await nameFiles(cache, { id: `${kind}s/${name}`, repository: { kind, name, revision: COMMIT }, pin, files }, files);
  return pin;
}
