/** Where a manifest lies with its artefacts: in a folder, or in a bundle. What a path is, is seen from its contents. */
import { BLOCK_BYTES, looksLikeTar } from "../../formats/tar/tar_format.ts";
import { UserError } from "../../errors.ts";
import { DENO_FILES } from "../../files/deno_file_system.ts";
import { folderOf } from "../../files/durable.ts";
import { fileError } from "../../files/file_error.ts";
import type { FileSystem } from "../../files/file_system.ts";
import { readFileBounded, readStart } from "../../files/read_file.ts";
import { type ArtefactFolder, readArtefact } from "./artefacts.ts";
import { bundleArtefacts } from "./bundle_artefacts.ts";
import { MANIFEST_FILE } from "../format/companions.ts";
import { folderArtefacts } from "./folder_artefacts.ts";
import { MAX_MANIFEST_BYTES } from "./verify.ts";

export { MANIFEST_FILE };

/** A manifest's bytes, nothing of them checked, and the files that lie beside it. */
export interface OpenedManifest {
  /** whole path, through no link, of the manifest or of the bundle that it is in */
  readonly path: string;
  /** contents of `manifest.dsse.json` */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** the files that lie beside it */
  readonly artefacts: ArtefactFolder;
  /** all names in the bundle; absent for a folder, where other files do not matter */
  readonly bundled?: readonly string[];
}

/** First bytes of files that hold another, smaller. */
const COMPRESSED: readonly (readonly [name: string, start: string])[] = [
  ["gzip", "1f8b"],
  ["zstd", "28b52ffd"],
  ["xz", "fd377a585a00"],
  ["zip", "504b0304"],
];

/**
 * Opens a manifest: its own path, that of its folder, or a bundle.
 *
 * @throws {UserError} if it is not there, too large (`FILE_TOO_LARGE`), or an archive that is refused (`BAD_ARCHIVE`)
 */
export async function openManifest(path: string, files: FileSystem = DENO_FILES): Promise<OpenedManifest> {
  const { kind, realPath } = await lookAt(path, files);
  // Looked at before it is opened: opening a named pipe would wait forever.
  if (kind === "other") {
    throw new UserError("NOT_A_FILE", `Cannot read "${path}", it is no regular file`, "give the path of a file");
  }
  if (kind === "folder") {
    const inside = `${path}/${MANIFEST_FILE}`;
    return await openInFolder(inside, (await lookAt(inside, files)).realPath, files);
  }
  const start = await readStart(path, BLOCK_BYTES, files);
  if (looksLikeTar(start)) return await openBundle(path, realPath, files);
  const compression = COMPRESSED.find(([, bytes]) => start.toHex().startsWith(bytes))?.[0];
  if (compression !== undefined) {
    throw new UserError("COMPRESSED", `"${path}" is compressed (${compression})`, "decompress it first");
  }
  return await openInFolder(path, realPath, files);
}

async function lookAt(path: string, files: FileSystem) {
  try {
    const realPath = await files.realPath(path);
    return { kind: (await files.status(realPath))?.kind, realPath };
  } catch (error) {
    throw fileError(error, "read", path);
  }
}

async function openInFolder(path: string, realPath: string, files: FileSystem): Promise<OpenedManifest> {
  return {
    path: realPath,
    bytes: await readFileBounded(path, MAX_MANIFEST_BYTES, files),
    artefacts: folderArtefacts(folderOf(path), files),
  };
}

async function openBundle(path: string, realPath: string, files: FileSystem): Promise<OpenedManifest> {
  const artefacts = await bundleArtefacts(path, files);
  return {
    path: realPath,
    bytes: await readArtefact(artefacts, MANIFEST_FILE, MAX_MANIFEST_BYTES),
    artefacts,
    bundled: artefacts.names,
  };
}
