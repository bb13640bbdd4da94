/** The tokenizer of a repository on the hub, as it was downloaded. */
import { sha256 } from "../../digest/sha256.ts";
import { readFileBounded } from "../../files/read_file.ts";
import { HubCache } from "../../hub/cache.ts";
import { MAX_TOKENIZER_BYTES } from "../../formats/bpe/tokenizer_file.ts";
import { type DataLock, requireDigest } from "../data_lock.ts";
import type { HubCorpora } from "../options.ts";
import { lockedRepository, TOKENIZER_FILE } from "./lock.ts";
import { namedPath, requireFetched } from "./named_files.ts";

/**
 * Path of the tokenizer that the corpora share.
 *
 * @throws {UserError} `NOT_LOCKED`, `DATA_NOT_FETCHED`, `DIGEST_MISMATCH`
 */
export async function hubTokenizer(
  { tokenizer, hubCache }: Pick<HubCorpora, "tokenizer" | "hubCache">,
  lock: DataLock,
): Promise<string> {
  const cache = new HubCache(hubCache);
  const locked = await lockedRepository(undefined, cache, lock, { kind: "model", name: tokenizer });
  await requireFetched(cache, locked, locked.files);
  const path = namedPath(cache, locked, TOKENIZER_FILE);
  const found = sha256(await readFileBounded(path, MAX_TOKENIZER_BYTES));
  for (const file of locked.files) requireDigest(path, found, file.sha256, lock.name);
  return path;
}
