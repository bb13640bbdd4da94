/** `prepared.json`, which stands beside the prepared files: what they are and which digests they have. */
import { z } from "zod";
import { canonicalJson } from "../../digest/canonical_json.ts";
import { type Digest, isDigest, sha256, shortDigest } from "../../digest/sha256.ts";
import { UserError } from "../../errors.ts";
import { digestFile } from "../../files/file_digest.ts";
import { type FileRange, readFileBounded } from "../../files/read_file.ts";
import { oddRowsSchema } from "../text/odd_rows.ts";

/** Name of the manifest in its folder. */
export const PREPARED_FILE = "prepared.json";
/** 64 domains with names of 8192 characters, each escaped, fit. */
const MAX_MANIFEST_BYTES = 1 << 23;

const digest = z.string().refine(isDigest);
const count = z.int().nonnegative();
/** See {@linkcode PreparedFile}. */
export const preparedFile = z.strictObject({ bytes: count, sha256: digest });
/** See {@linkcode PreparedSplit}. */
export const preparedSplit = z.strictObject({
  name: z.string().regex(/^[a-z0-9.-]+$/),
  documents: count,
  tokens: count,
  textBytes: count,
  bin: preparedFile,
  idx: preparedFile,
});
const manifest = z.strictObject({
  format: z.literal(1),
  digest,
  domains: z.array(
    z.strictObject({ name: z.string(), train: preparedSplit, validation: preparedSplit }),
  ).min(1),
  /** of the sources; absent if there are none */
  oddRows: oddRowsSchema.optional(),
});

/** A written file. */
export type PreparedFile = z.infer<typeof preparedFile>;
/** One `.bin`/`.idx` pair: a domain's documents of one split, `tokens` with their ends, `textBytes` without. */
export type PreparedSplit = z.infer<typeof preparedSplit>;
/** A whole prepared corpus; domains in the order of their names by UTF-16 code units. */
export type PreparedManifest = z.infer<typeof manifest>;

/** What was found in a folder that should hold a prepared corpus. */
export type PreparedState =
  | { readonly kind: "ready"; readonly manifest: PreparedManifest }
  | { readonly kind: "absent" }
  /** `reason` names the file, what was found and what was expected */
  | { readonly kind: "damaged"; readonly reason: string };

/**
 * Looks at a prepared corpus and hashes all its files.
 *
 * @param expectedDigest the prepared digest that its sources and options give
 * @param onBytes called with the bytes of each piece hashed and of all files together
 * @param isVerified the files are those that were hashed before, and are not hashed again
 */
export async function inspectPrepared(
  folder: string,
  expectedDigest: string,
  onBytes: (bytes: number, totalBytes: number) => void,
  isVerified = false,
): Promise<PreparedState> {
  const path = `${folder}/${PREPARED_FILE}`;
  const damaged = (reason: string) => ({ kind: "damaged", reason } as const);
  let text: string;
  try {
    text = new TextDecoder().decode(
      await readFileBounded(path, MAX_MANIFEST_BYTES),
    );
  } catch (error) {
    if (error instanceof UserError && error.code === "FILE_NOT_FOUND") {
      return { kind: "absent" };
    }
    throw error;
  }
  const found = parseManifest(text);
  if (found === null) return damaged(`"${path}" is not what was written there`);
  if (found.digest !== expectedDigest) {
    return damaged(
      `"${path}" describes the corpus ${shortDigest(found.digest)}, expected ${shortDigest(expectedDigest)}`,
    );
  }
  if (isVerified) return { kind: "ready", manifest: found };
  const files = found.domains.flatMap(({ train, validation }) =>
    [train, validation].flatMap(({ name, bin, idx }) => [
      { path: `${folder}/${name}.bin`, ...bin },
      { path: `${folder}/${name}.idx`, ...idx },
    ])
  );
  const totalBytes = files.reduce((total, { bytes }) => total + bytes, 0);
  for (const file of files) {
    const problem = await checkFile(
      file.path,
      file,
      (chunk) => onBytes(chunk.length, totalBytes),
    );
    if (problem !== null) return damaged(problem);
  }
  return { kind: "ready", manifest: found };
}

/** The file's text: the manifest, and the digest of its canonical form, since nothing else vouches for the counts. */
export function formatPrepared(manifest: PreparedManifest): string {
  return `${canonicalJson({ manifest, sha256: sha256(canonicalJson(manifest)) })}\n`;
}

function parseManifest(text: string): PreparedManifest | null {
  try {
    const { data } = z.strictObject({ manifest, sha256: digest }).safeParse(JSON.parse(text));
    return data !== undefined && formatPrepared(data.manifest) === text ? data.manifest : null;
  } catch {
    return null;
  }
}

/**
 * What is wrong with a file, or null.
 *
 * @param onChunk sees all its bytes
 * @param range only these are looked at; all if not given
 */
export async function checkFile(
  path: string,
  expected: PreparedFile,
  onChunk: (bytes: Uint8Array) => void,
  range?: FileRange,
): Promise<string | null> {
  let bytes = 0, found: Digest;
  const onBytes = (chunk: Uint8Array) => {
    bytes += chunk.length;
    onChunk(chunk);
  };
  try {
    found = await digestFile(path, { onBytes, range });
  } catch (error) {
    if (error instanceof UserError && error.code === "FILE_NOT_FOUND") {
      return `"${path}" is missing`;
    }
    throw error;
  }
  if (bytes !== expected.bytes) {
    return `"${path}" has ${bytes} bytes, expected ${expected.bytes}`;
  }
  if (found === expected.sha256) return null;
  return `Digest of "${path}" is ${shortDigest(found)}, expected ${shortDigest(expected.sha256)}`;
}
