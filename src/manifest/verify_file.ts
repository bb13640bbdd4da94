/** Verification of a manifest in a folder on disk. */
import { UserError } from "../errors.ts";
import { DENO_FILES } from "../files/deno_file_system.ts";
import { folderOf } from "../files/durable.ts";
import type { FileSystem } from "../files/file_system.ts";
import { readFileBounded } from "../files/read_file.ts";
import { folderArtefacts } from "./folder_artefacts.ts";
import { concludeVerification, type StepOutcome, type VerificationReport } from "./verification_report.ts";
import { MAX_MANIFEST_BYTES, verifyManifest, type VerifyOptions } from "./verify.ts";

/**
 * Verifies a manifest and the artefacts beside it; reads nothing outside its folder, and needs read permission only.
 * A file that cannot be read gives a report too, with exit code 2; one that is too large fails.
 *
 * @param path of `manifest.dsse.json`
 */
export async function verifyManifestFile(
  path: string,
  options: VerifyOptions & { readonly files?: FileSystem } = {},
): Promise<VerificationReport> {
  const { files = DENO_FILES } = options;
  let bytes: Uint8Array;
  try {
    bytes = await readManifest(path, files);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const status = error.code === "FILE_TOO_LARGE" ? "failed" : "not checked";
    const outcome: StepOutcome = { status, detail: error.message };
    return concludeVerification([{ name: "size", ...outcome }], { caveats: [], signers: [] });
  }
  return await verifyManifest(bytes, folderArtefacts(folderOf(path), files), options);
}

async function readManifest(path: string, files: FileSystem): Promise<Uint8Array> {
  // Looked at before it is opened: opening a named pipe would wait forever.
  const status = await files.realPath(path).then((real) => files.status(real)).catch(() => undefined);
  if (status?.kind === "other") {
    throw new UserError("NOT_A_FILE", `Cannot read "${path}", it is no regular file`, "give the path of a file");
  }
  return await readFileBounded(path, MAX_MANIFEST_BYTES, files);
}
