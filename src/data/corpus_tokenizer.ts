/** Which tokenizer a source of text comes with. */
import { UserError } from "../errors.ts";
import type { DataLock } from "./data_lock.ts";
import { isNotFetched } from "./hub/lock.ts";
import { hubTokenizer } from "./hub/tokenizer.ts";
import type { CorpusSource, ScaleTokenizer } from "./options.ts";

/** What stands for a tokenizer's file where UTF-8 bytes are the tokens. */
const BYTES = "bytes";

/**
 * Path of the `tokenizer.json` that a source is read with; undefined where bytes are tokens.
 *
 * @throws {UserError} `TOKENIZER_NOT_FETCHED` if files are to be read with a scale's tokenizer that is not here; as
 * {@linkcode hubTokenizer} throws
 */
export async function corpusTokenizer(source: CorpusSource, lock: DataLock): Promise<string | undefined> {
  if (source.kind === "npm" || source.kind === "embedded") return undefined;
  if (source.kind === "huggingface") return await hubTokenizer(source, lock);
  const { tokenizer, scaleTokenizer } = source;
  if (tokenizer === BYTES) return undefined;
  if (tokenizer !== undefined || scaleTokenizer === undefined) return tokenizer;
  try {
    return await hubTokenizer(scaleTokenizer, lock);
  } catch (error) {
    throw error instanceof UserError ? notFetched(scaleTokenizer, error) : error;
  }
}

function notFetched({ scale, tokenizer }: ScaleTokenizer, cause: UserError): UserError {
  if (!isNotFetched(cause)) return cause;
  const fetch = `"deno task data fetch --scale ${scale} --only tokenizer"`;
  const commands = cause.code === "NOT_LOCKED"
    ? `"deno task data lock --scale ${scale} --only tokenizer" and ${fetch}`
    : fetch;
  return new UserError(
    "TOKENIZER_NOT_FETCHED",
    `The scale "${scale}" reads text with the tokenizer of "${tokenizer}", which is not here`,
    `run ${commands}, or name another with --tokenizer FILE, or --tokenizer ${BYTES} for UTF-8 bytes`,
    { cause },
  );
}
