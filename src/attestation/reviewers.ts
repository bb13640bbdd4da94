/** The list of reviewers whose attestations a user accepts: a YAML file of names and public keys. */
import { z } from "zod";
import { UserError } from "../errors.ts";
import { parseYaml, validate } from "../text/yaml.ts";
import { DENO_FILES } from "../files/deno_file_system.ts";
import { folderOf } from "../files/durable.ts";
import type { FileSystem } from "../files/file_system.ts";
import { readFileBounded } from "../files/read_file.ts";
import { readVerifyingKey } from "../manifest/keys/key_file.ts";
import { importVerifyingKey, type VerifyingKey } from "../manifest/keys/keys.ts";
import type { TrustedKey } from "../manifest/verify/verify_signature.ts";

const MAX_REVIEWERS_BYTES = 1 << 20;

const reviewersSchema = z.strictObject({
  reviewers: z.array(
    z.strictObject({
      /** how reports call the reviewer */
      name: z.string().min(1).max(100),
      /** path of the public key in PEM, relative to the list's folder */
      keyFile: z.string().min(1).max(4096).optional(),
      /** the public key as SPKI in DER, in base64, as envelopes hold it */
      publicKey: z.base64({ error: "a public key (SPKI) in base64" }).min(1).max(1000).optional(),
    }).refine(({ keyFile, publicKey }) => (keyFile === undefined) !== (publicKey === undefined), {
      error: 'either "keyFile" or "publicKey"',
    }),
  ).min(1).max(256),
});

/**
 * Reads a list of reviewers.
 *
 * @throws {UserError} if a member is missing, unknown or of another form, a key cannot be read, or a name or key stands
 * twice: the user would count one person as two
 */
export async function readReviewers(path: string, files: FileSystem = DENO_FILES): Promise<TrustedKey[]> {
  const text = new TextDecoder().decode(await readFileBounded(path, MAX_REVIEWERS_BYTES, files));
  const { reviewers } = validate(reviewersSchema, parseYaml(text, path), path);
  const found: TrustedKey[] = [];
  for (const { name, keyFile, publicKey } of reviewers) {
    const key = keyFile === undefined
      ? await inlineKey(publicKey ?? "", `"${path}": the public key of "${name}"`)
      : await readVerifyingKey(beside(path, keyFile), files);
    const twin = found.find((other) => other.name === name || other.key.keyId === key.keyId);
    if (twin !== undefined) {
      throw new UserError(
        "REVIEWER_TWICE",
        twin.name === name
          ? `"${path}": there are two reviewers "${name}"`
          : `"${path}": "${twin.name}" and "${name}" have the same key, ${key.keyId}`,
        "name each reviewer once, with one key",
      );
    }
    found.push({ name, key });
  }
  return found;
}

async function inlineKey(base64: string, source: string): Promise<VerifyingKey> {
  return await importVerifyingKey(Uint8Array.fromBase64(base64), source);
}

/** A path as a file in that folder means it. */
function beside(listPath: string, path: string): string {
  const isAbsolute = /^([/\\]|[a-z]:)/i.test(path);
  return isAbsolute ? path : `${folderOf(listPath)}/${path}`;
}
