/** Verification of a manifest on disk, in a folder or in a bundle. */
import { type ErrorCode, UserError } from "../../errors.ts";
import { DENO_FILES } from "../../files/deno_file_system.ts";
import type { FileSystem } from "../../files/file_system.ts";
import { isWitnessName, RO_CRATE_FILE } from "../format/companions.ts";
import { licenseOf, roCrate } from "../format/ro_crate.ts";
import { readArtefact } from "./artefacts.ts";
import { MANIFEST_FILE, type OpenedManifest, openManifest } from "./open_manifest.ts";
import { concludeVerification, type VerificationReport } from "./verification_report.ts";
import { verifyManifest } from "./verify.ts";
import { listed } from "./verify_artefacts.ts";
import type { VerifyOptions } from "./verify_options.ts";
import { TOOL_VERSION } from "../format/predicate.ts";

/** A description of a thousand files has some hundred kilobytes. */
const MAX_CRATE_BYTES = 2 ** 26;

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
  const caveats = [...report.caveats, ...strangerCaveat(opened, report)];
  const found = { ...report, path: opened.path, caveats };
  return await isDescribed(opened, report) ? found : misdescribed(found);
}

/** Files of a bundle that nobody vouches for: whoever unpacks it gets them too. */
function strangerCaveat({ bundled = [] }: OpenedManifest, { statement }: VerificationReport): string[] {
  const known = new Set([MANIFEST_FILE, ...(statement?.subject ?? []).map(({ name }) => name)]);
  const strangers = bundled.filter((name) => !known.has(name) && !isWitnessName(name) && name !== RO_CRATE_FILE);
  if (strangers.length === 0) return [];
  return [`Anything about what the bundle holds and the manifest does not name: ${listed(strangers)}.`];
}

/** Whether the description for archives is what follows from the statement and the files that are there. */
async function isDescribed(
  { bundled = [], artefacts }: OpenedManifest,
  { statement, manifestDigest }: VerificationReport,
): Promise<boolean> {
  if (statement === undefined || manifestDigest === undefined || !bundled.includes(RO_CRATE_FILE)) return true;
  const digests = new Map(statement.subject.map(({ name, digest }) => [name, digest.sha256]));
  digests.set(MANIFEST_FILE, manifestDigest);
  try {
    const found = new TextDecoder().decode(await readArtefact(artefacts, RO_CRATE_FILE, MAX_CRATE_BYTES));
    const files = await Promise.all(
      bundled.filter((name) => digests.has(name) || isWitnessName(name))
        .map(async (name) => ({ name, size: await artefacts.size(name), sha256: digests.get(name) })),
    );
    return roCrate(statement, { manifest: manifestDigest, files, license: licenseOf(found) ?? "" }) === found;
  } catch (error) {
    // What cannot be written again is not what was written: names that no description can hold, a file too large.
    if (!(error instanceof UserError || error instanceof TypeError || error instanceof URIError)) throw error;
    return false;
  }
}

/** Fails where this version wrote the manifest, and so would have written the description as it does; else says so. */
function misdescribed({ verdict: _, exitCode: __, steps, ...rest }: VerificationReport): VerificationReport {
  const words = `"${RO_CRATE_FILE}" is not what follows from the statement and the files`;
  if (rest.statement?.predicate.tool.version !== TOOL_VERSION) {
    return concludeVerification(steps, { ...rest, caveats: [...rest.caveats, `What describes the bundle: ${words}.`] });
  }
  return concludeVerification(
    steps.map((step) => step.name === "artefacts" ? { name: step.name, status: "failed", detail: words } : step),
    rest,
  );
}
