/** A manifest and what belongs to it, in one archive that verifies anywhere (docs/verification.md, "Bundles"). */
import { archiveSize, BLOCK_BYTES, looksLikeTar } from "../formats/tar/tar_format.ts";
import { tarBytes, type TarSource } from "../formats/tar/tar_writer.ts";
import { createSha256, type Digest, sha256 } from "../digest/sha256.ts";
import { UserError } from "../errors.ts";
import { DENO_FILES } from "../files/deno_file_system.ts";
import { writeFileDurably } from "../files/durable.ts";
import { fileError } from "../files/file_error.ts";
import type { FileSystem } from "../files/file_system.ts";
import { readStart } from "../files/read_file.ts";
import type { ArtefactFolder } from "../manifest/verify/artefacts.ts";
import { printable } from "../files/safe_name.ts";
import { MANIFEST_FILE, openManifest } from "../manifest/verify/open_manifest.ts";
import { RO_CRATE_FILE } from "../manifest/format/companions.ts";
import type { Statement } from "../manifest/format/predicate.ts";
import { type CrateFile, DEFAULT_LICENSE, roCrate } from "../manifest/format/ro_crate.ts";
import type { Artefact } from "../manifest/format/run.ts";
import type { Judge } from "../manifest/verify/verify_claims.ts";
import type { ReportRenderer } from "../manifest/verify/verify_report.ts";
import { findAttestations } from "./attestations.ts";
import { goodTimestamps, type LeftCompanion } from "./timestamps.ts";
import { chooseCheckpoints } from "./checkpoint_choice.ts";
import { artefactSource, memorySource } from "./sources.ts";
import { readStatement, requireVerified } from "./verified.ts";

/** What is packed, and where to. */
export interface BundleOptions {
  /** path of the archive; a bundle that is there is replaced, any other file is not */
  readonly output: string;
  /** `all`, `landmarks`, `last`, `none`, or any number of `RUN:STEP`; if absent `all`, or with segments `none` */
  readonly checkpoints?: readonly string[];
  /** `RUN:FROM..TO`: the checkpoints that retraining such segments reads are taken too */
  readonly segments?: readonly string[];
  /** SPDX identifier of the license that the archive's description states; default: {@linkcode DEFAULT_LICENSE} */
  readonly license?: string;
  /** judges the claims again before anything is packed */
  readonly judge?: Judge;
  /** renders the page again before anything is packed */
  readonly renderer?: ReportRenderer;
  /** where it is read and written; the machine's own files if absent */
  readonly files?: FileSystem;
  /** aborted: nothing is left behind, and the signal's reason is thrown */
  readonly signal?: AbortSignal;
  /** told after every piece: bytes of the archive that are written, and in all */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What was packed. */
export interface Bundle {
  /** the manifest that was packed: the whole path that it was read from, and the digest of its bytes */
  readonly manifest: { readonly path: string; readonly sha256: Digest };
  /** path of the archive */
  readonly path: string;
  /** of the whole archive: the same for the same files, on every machine */
  readonly sha256: Digest;
  /** size of the archive */
  readonly bytes: number;
  /** the one folder in it, which unpacking makes */
  readonly folder: string;
  /** number of files in it */
  readonly files: number;
  /** how many checkpoints are in it, how many it leaves out, and what those would have added */
  readonly checkpoints: { readonly taken: number; readonly left: number; readonly bytesLeft: number };
  /** how many of reviewers' attestations are in it, and those beside the manifest that are not good */
  readonly attestations: { readonly taken: number; readonly left: readonly LeftCompanion[] };
  /** the same of timestamps; whose word they are is not asked */
  readonly timestamps: { readonly taken: number; readonly left: readonly LeftCompanion[] };
}

/**
 * Packs a manifest, the files that it names, the chosen ones of its checkpoints, reviewers' attestations and timestamps
 * into a tar archive. The manifest is verified first, and every file is hashed again while it is packed.
 *
 * @param path of the manifest, of its folder, or of a bundle, of which a smaller one may be made
 * @throws {UserError} `NOT_VERIFIED`, `DIGEST_MISMATCH`, and others; no archive is written then
 */
export async function bundle(path: string, options: BundleOptions): Promise<Bundle> {
  const { output, segments = [], license = DEFAULT_LICENSE, files = DENO_FILES, judge, renderer } = options;
  const { checkpoints = segments.length === 0 ? ["all"] : ["none"] } = options;
  requireLicense(license);
  await requireReplaceable(output, files);
  const { bytes: manifest, artefacts, path: manifestPath } = await openManifest(path, files);
  const statement = await readStatement(path, manifest, artefacts);
  const { taken, left } = chooseCheckpoints({ checkpoints, segments }, statement.predicate.runs);
  await requireVerified(path, manifest, artefacts, {
    checkpoints: taken.union(left),
    judge,
    renderer,
  });

  const manifestDigest = sha256(manifest);
  const folder = folderName(statement, manifestDigest);
  // Who signed the manifest matters to those who count attestations, not here.
  const attestations = await findAttestations(artefacts, { sha256: manifestDigest, statement, signers: [] });
  const sources = [memorySource(`${folder}/${MANIFEST_FILE}`, manifest)];
  const described: CrateFile[] = [{ name: MANIFEST_FILE, size: manifest.length, sha256: manifestDigest }];
  const add = async (artefact: Artefact, isNamed: boolean) => {
    const source = await artefactSource(`${folder}/${artefact.name}`, artefacts, artefact);
    sources.push(source);
    const { name, sha256 } = artefact;
    described.push({ name, size: source.size, sha256: isNamed ? sha256 : undefined });
  };
  const named = statement.subject.map(({ name, digest }) => ({ name, ...digest }));
  for (const artefact of named.filter(({ name }) => !left.has(name))) await add(artefact, true);
  const timestamps = await goodTimestamps(artefacts, manifest, statement);
  for (const companion of [...attestations.good, ...timestamps.good]) await add(companion, false);
  const crate = roCrate(statement, { manifest: manifestDigest, files: described, license });
  sources.push(memorySource(`${folder}/${RO_CRATE_FILE}`, new TextEncoder().encode(crate)));
  const bytesLeft = await totalSize(artefacts, left);
  return {
    ...await writeArchive(sources, { ...options, files }),
    path: output,
    manifest: { path: manifestPath, sha256: manifestDigest },
    folder,
    files: sources.length,
    checkpoints: { taken: taken.size, left: left.size, bytesLeft },
    attestations: { taken: attestations.good.length, left: attestations.left },
    timestamps: { taken: timestamps.good.length, left: timestamps.left },
  };
}

/** @throws {UserError} `BAD_LICENSE` */
function requireLicense(license: string): void {
  if (/^[A-Za-z0-9.+-]{1,64}$/.test(license)) return;
  throw new UserError("BAD_LICENSE", `"${printable(license)}" is no SPDX identifier`, "such as CC-BY-4.0, or CC0-1.0");
}

/** A file that nobody asked to lose is not overwritten. */
async function requireReplaceable(path: string, files: FileSystem): Promise<void> {
  try {
    const status = await files.status(path);
    if (status === undefined) return;
    if (status.kind === "file" && looksLikeTar(await readStart(path, BLOCK_BYTES, files))) return;
    throw new UserError("OUTPUT_EXISTS", `"${path}" is there already and is no bundle`, "give another --output FILE");
  } catch (error) {
    throw fileError(error, "write", path);
  }
}

/** The same for the same manifest, wherever it lies; bundles of two manifests unpack side by side. */
function folderName({ predicate }: Statement, manifest: Digest): string {
  const scale = predicate.scale.replace(/[^A-Za-z0-9-]+/g, "-").slice(0, 32);
  return `rewarm-${scale}-${manifest.slice(0, 12)}`;
}

/** Bytes of those files that are there. */
async function totalSize(artefacts: ArtefactFolder, names: ReadonlySet<string>): Promise<number> {
  let total = 0;
  for (const name of names) {
    try {
      total += await artefacts.size(name);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
    }
  }
  return total;
}

async function writeArchive(
  sources: readonly TarSource[],
  { output, files, signal, onProgress }: BundleOptions & { readonly files: FileSystem },
): Promise<Pick<Bundle, "sha256" | "bytes">> {
  const hasher = await createSha256();
  const total = archiveSize(sources);
  let bytes = 0;
  const chunks = async function* () {
    for await (const chunk of tarBytes(sources)) {
      signal?.throwIfAborted();
      hasher.update(chunk);
      yield chunk;
      bytes += chunk.length;
      onProgress?.(bytes, total);
    }
  };
  await writeFileDurably(output, chunks(), { files });
  return { sha256: hasher.finish(), bytes };
}
