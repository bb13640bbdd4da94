/** `deno task data fetch`: downloads what a scale needs, and imports the checkpoints that it starts from. */
import { readDataLock } from "../../data/data_lock.ts";
import { requireBudget } from "../../data/hub/file_choice.ts";
import { importCheckpoint, importedBytes } from "../../data/hub/import_checkpoint.ts";
import { type LockedRepository, lockedRepository } from "../../data/hub/lock.ts";
import { namedPath, nameFiles, untouchedBytes } from "../../data/hub/named_files.ts";
import { importedPath, weightsHeader } from "../../data/hub/start_weights.ts";
import { DENO_FILES } from "../../files/deno_file_system.ts";
import { makeFolderDurably } from "../../files/durable.ts";
import { freeBytes, requireSpace } from "../../hub/disk_space.ts";
import { download, type DownloadProgress } from "../../hub/download.ts";
import type { PinnedFile } from "../../hub/listing.ts";
import { bytesIn, counted, type DataContext, describeLock, filesFor, type Use } from "../data_uses.ts";
import { DownloadView, formatBytes } from "../download_progress.ts";
import { print } from "../../terminal.ts";

/** How {@linkcode fetchData} works. */
export interface FetchOptions {
  /** bytes of files above which nothing is fetched */
  readonly budget: number;
  /** hash and import again what is here already */
  readonly verify: boolean;
  /** bytes free on the cache's disk; asked of the system if not given */
  readonly freeBytes?: number;
}

/** What is fetched of one repository. */
interface Chosen {
  readonly use: Use;
  readonly locked: LockedRepository;
  readonly files: readonly PinnedFile[];
}

/**
 * Downloads, names and imports what some uses need.
 *
 * @throws {UserError} `NOT_LOCKED`, `OVER_BUDGET` and `NO_SPACE` before anything large is fetched; as `download` and
 * `importCheckpoint` throw
 */
export async function fetchData(context: DataContext, options: FetchOptions): Promise<void> {
  const { uses, connection, cache, lockPath, signal } = context;
  const lock = await readDataLock(lockPath);
  print(await describeLock(lockPath));
  const chosen: Chosen[] = [];
  for (const use of uses) {
    const locked = await lockedRepository(connection, cache, lock, use.repository, signal);
    chosen.push({ use, locked, files: filesFor(use, locked) });
  }
  // What is small comes first: if something is wrong with it, that shows before days of downloading.
  chosen.sort((a, b) => bytesIn(a.files) - bytesIn(b.files));
  requireBudget(`What the scale "${uses[0]?.scale.name}" needs`, chosen.flatMap(({ files }) => files), options.budget);
  await announce(context, chosen, options);
  for (const one of chosen) {
    const { use, locked, files } = one;
    print(`${use.part}  ${locked.id}  ${counted(files.length)}, ${formatBytes(bytesIn(files))}`);
    await downloadFiles(context, one, options);
    print(`  all there and checked: ${namedPath(cache, locked, "")}`);
    if (use.part === "start") await importWeights(context, one, options);
  }
}

/** Says how much room all of it takes, and stops where the disk has less. */
async function announce({ cache }: DataContext, chosen: readonly Chosen[], options: FetchOptions): Promise<void> {
  let downloads = 0, weights = 0, missing = 0;
  for (const { use, locked, files } of chosen) {
    downloads += bytesIn(files);
    missing += await untouchedBytes(cache, files);
    if (use.part !== "start") continue;
    const bytes = importedBytes(use.scale.model.config);
    weights += bytes;
    if (await weightsHeader(importedPath(cache, locked)) === undefined) missing += bytes;
  }
  const imported = weights === 0 ? "" : `, and ${formatBytes(weights)} of weights that are imported from them as f32`;
  print(`${formatBytes(downloads)} of files${imported}, in ${cache.folder}`);
  await makeFolderDurably(cache.folder);
  requireSpace(cache.folder, missing, options.freeBytes ?? await freeBytes(cache.folder));
}

async function downloadFiles(
  { connection, cache, signal }: DataContext,
  { locked, files }: Chosen,
  { verify, freeBytes }: FetchOptions,
): Promise<void> {
  const view = new DownloadView();
  try {
    const cached = await download(connection, locked.repository, files, {
      cache,
      signal,
      verify,
      onProgress: (progress: DownloadProgress) => view.show(progress),
      freeBytes,
    });
    view.end();
    await nameFiles(cache, locked, cached);
  } finally {
    view.end();
  }
}

async function importWeights(
  { cache, signal }: DataContext,
  { use, locked }: Chosen,
  { verify, freeBytes }: FetchOptions,
): Promise<void> {
  const view = new DownloadView();
  const file = { doneFiles: 0, totalFiles: 1, path: importedPath(cache, locked), stage: "download" } as const;
  try {
    const imported = await importCheckpoint(cache, locked, use.scale.model.config, {
      signal,
      again: verify,
      onProgress: (doneBytes, totalBytes) => view.show({ ...file, doneBytes, totalBytes }),
      onWait: () => print("  another process imports it; waiting"),
      freeBytes,
    });
    view.end();
    const { path, weights, wasThere } = imported;
    const bytes = (await DENO_FILES.status(path))?.bytes ?? 0;
    print(`  ${wasThere ? "imported before" : "imported"}: ${path}, ${formatBytes(bytes)}\n  weights ${weights}`);
  } finally {
    view.end();
  }
}
