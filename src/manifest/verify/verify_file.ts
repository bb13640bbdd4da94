/** Verification of a manifest on disk, in a folder or in a bundle. */
import { type ErrorCode, UserError } from "../../errors.ts";
import { DENO_FILES } from "../../files/deno_file_system.ts";
import type { FileSystem } from "../../files/file_system.ts";
import { isAttestationName } from "../format/companions.ts";
import { MANIFEST_FILE, type OpenedManifest, openManifest } from "./open_manifest.ts";
import { concludeVerification, type VerificationReport } from "./verification_report.ts";
import { verifyManifest } from "./verify.ts";
import { listed } from "./verify_artefacts.ts";
import type { VerifyOptions } from "./verify_options.ts";

/** What is wrong with a file, where it is wrong: these fail, other errors mean that it could not be checked. */
const FAILURES: readonly ErrorCode[] = ["FILE_TOO_LARGE", "BAD_ARCHIVE"];

/**
 * Verifies a manifest and the artefacts beside it; reads nothing outside its folder or bundle, and needs read
 * permission only. A file that cannot be read gives a report too, with exit code 2; one that is too large, or an archive
 * that is no bundle, fails.
 *
 * @param path of `manifest.dsse.json`, of its folder, or of a bundle
 */
export async function verifyManifestFile(
  path: string,
  options: VerifyOptions & { readonly files?: FileSystem } = {},
): Promise<VerificationReport> {
  let opened: OpenedManifest;
  try {
    opened = await openManifest(path, options.files ?? DENO_FILES);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const status = FAILURES.includes(error.code) ? "failed" : "not checked";
    return concludeVerification([{ name: "size", status, detail: error.message }], { caveats: [], signers: [] });
  }
  const report = await verifyManifest(opened.bytes, opened.artefacts, options);
  return { ...report, path: opened.path, caveats: [...report.caveats, ...strangerCaveat(opened, report)] };
}

/** Files of a bundle that nobody vouches for: whoever unpacks it gets them too. */
function strangerCaveat({ bundled = [] }: OpenedManifest, { statement }: VerificationReport): string[] {
  const known = new Set([MANIFEST_FILE, ...(statement?.subject ?? []).map(({ name }) => name)]);
  const strangers = bundled.filter((name) => !known.has(name) && !isAttestationName(name));
  if (strangers.length === 0) return [];
  return [`Anything about what the bundle holds and the manifest does not name: ${listed(strangers)}.`];
}
