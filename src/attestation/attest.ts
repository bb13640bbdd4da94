/** A reviewer signs what a verification found, in a file beside the manifest. */
import { UserError } from "../errors.ts";
import { DENO_FILES } from "../files/deno_file_system.ts";
import { folderOf, nameOf, writeFileDurably } from "../files/durable.ts";
import { fileError } from "../files/file_error.ts";
import type { FileSystem } from "../files/file_system.ts";
import { filesWithin } from "../files/files_within.ts";
import { printable, unsafeNameReason } from "../files/safe_name.ts";
import type { SigningKey } from "../manifest/keys/keys.ts";
import type { Share } from "../retrain/share.ts";
import { MANIFEST_FILE, openManifest } from "../manifest/verify/open_manifest.ts";
import type { VerificationFindings } from "./build.ts";
import { attestationName } from "./predicate.ts";
import { requireReviewer, signAttestation, type SignOptions } from "./sign.ts";

/** How an attestation is made. */
export interface AttestOptions extends SignOptions {
  /** attests the retraining of one share of all segments, beside the key's attestations of others */
  readonly share?: Share;
  /** replaces an attestation of the same key */
  readonly replace?: boolean;
  /** the machine's own files if absent */
  readonly files?: FileSystem;
}

/** A manifest that a key may attest, and where. */
interface Attestable {
  /** name of its file */
  readonly name: string;
  /** path of the attestation */
  readonly target: string;
}

/**
 * Refuses what could not be attested in the end, before anything is verified: a manifest that the key itself signed, or
 * one that it attested already.
 *
 * @param path of the manifest or its folder
 * @throws {UserError} `OWN_MANIFEST`, `ATTESTATION_EXISTS`, `IS_A_BUNDLE`, `UNSAFE_PATH` for a name that not every
 * system takes, `NOT_A_FOLDER` where attestations would not lie beside the manifest, or if it cannot be read
 */
export async function requireAttestable(path: string, options: AttestOptions): Promise<Attestable> {
  const { key, share, replace = false, files = DENO_FILES } = options;
  const { bytes, bundled } = await openManifest(path, files);
  if (bundled !== undefined) {
    throw new UserError("IS_A_BUNDLE", `"${path}" is a bundle`, "unpack it, attest what is in it, and bundle it again");
  }
  await requireReviewer(bytes, key);
  const { folder, name } = await placeOf(path, files);
  const reason = unsafeNameReason(name);
  if (reason !== undefined) throw new UserError("UNSAFE_PATH", `The name "${printable(name)}" ${reason}`, "rename it");
  const target = `${folder}/${attestationName(key.keyId, share)}`;
  await requireFree(target, replace, key, files);
  return { name, target };
}

async function placeOf(path: string, files: FileSystem): Promise<{ folder: string; name: string }> {
  const isFolder = (await files.status(await files.realPath(path)))?.kind === "folder";
  return isFolder
    ? { folder: path.replace(/(?<=.)[/\\]+$/, ""), name: MANIFEST_FILE }
    : { folder: folderOf(path), name: nameOf(path) };
}

async function requireFree(target: string, replace: boolean, { keyId }: SigningKey, files: FileSystem): Promise<void> {
  const folder = folderOf(target);
  try {
    const status = await files.status(folder);
    if (status !== undefined && status.kind !== "folder") {
      throw new UserError("NOT_A_FOLDER", `"${folder}" is no folder, and attestations lie in it`, "remove it");
    }
    if (replace || await files.status(target) === undefined) return;
  } catch (error) {
    throw fileError(error, "read", target);
  }
  throw new UserError(
    "ATTESTATION_EXISTS",
    `Key ${keyId} has attested already, in "${target}"`,
    "keep that, or replace it with --replace; a manifest that was signed anew needs a new one",
  );
}

/**
 * Signs the outcome of a verification and writes it beside the manifest, whole or not at all.
 *
 * @param path of the manifest that was verified, or of its folder
 * @returns path of the attestation
 * @throws {UserError} `NOT_VERIFIED` for any verdict but "verified", `TOO_MANY_SEGMENTS`, `CLOCK_BEHIND`, and
 * as {@linkcode requireAttestable}
 */
export async function attest(path: string, findings: VerificationFindings, options: AttestOptions): Promise<string> {
  const { name, target } = await requireAttestable(path, options);
  const text = await signAttestation(name, findings, options);
  // Attestations lie in a folder below the manifest's, which came with it from somebody else.
  const files = options.files ?? filesWithin(folderOf(folderOf(target)));
  await writeFileDurably(target, text, { files });
  return target;
}
