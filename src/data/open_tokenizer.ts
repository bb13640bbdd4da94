/** The tokenizer that options name: bytes, or the file of another one. */
import { ownMember } from "../digest/own_member.ts";
import { sha256 } from "../digest/sha256.ts";
import { UserError } from "../errors.ts";
import { readFileBounded } from "../files/read_file.ts";
import { BpeTokenizer } from "../formats/bpe/bpe_tokenizer.ts";
import { MAX_TOKENIZER_BYTES, readTokenizerFile } from "../formats/bpe/tokenizer_file.ts";
import { type DataLock, requireDigest } from "./data_lock.ts";
import { nameOf } from "../files/durable.ts";
import { BYTE_TOKENIZER, type Tokenizer } from "../formats/tokenizer.ts";

/**
 * Opens a tokenizer.
 *
 * @param path of a `tokenizer.json`; bytes are tokens if it is not given
 * @param vocabularySize ids that the model has; any number if not given
 * @throws {UserError} `DIGEST_MISMATCH` if the lockfile pins another file of this name, `VOCABULARY_TOO_LARGE` if the
 * model has no place for all ids, and as {@linkcode readTokenizerFile} throws
 */
export async function openTokenizer(
  path: string | undefined,
  lock: DataLock,
  vocabularySize = Infinity,
): Promise<Tokenizer> {
  const tokenizer = path === undefined ? BYTE_TOKENIZER : await readTokenizer(path, lock);
  if (tokenizer.vocabularySize <= vocabularySize) return tokenizer;
  throw new UserError(
    "VOCABULARY_TOO_LARGE",
    `Tokenizer "${tokenizer.name}" has ${tokenizer.vocabularySize} ids, but the model has ${vocabularySize}`,
    "choose a scale whose vocabulary holds them (small, medium and paper have 50304), or a smaller tokenizer",
  );
}

async function readTokenizer(path: string, lock: DataLock): Promise<BpeTokenizer> {
  const bytes = await readFileBounded(path, MAX_TOKENIZER_BYTES);
  const digest = sha256(bytes);
  const pin = ownMember(lock.files, nameOf(path));
  if (pin !== undefined) requireDigest(path, digest, pin.sha256, lock.name);
  return new BpeTokenizer({ definition: readTokenizerFile(bytes, path), sha256: digest });
}
