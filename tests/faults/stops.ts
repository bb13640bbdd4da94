/**
 * Every point at which a process can stop, out of one undisturbed run of it: a process that stops before operation N has
 * done the N before it, so that it leaves what the disk holds there.
 */
import type { FileSystem } from "../../src/files/file_system.ts";
import { faultyFiles, type Operation } from "../files/faulty_files.ts";
import { type DiskImage, imageDigest } from "./disk_image.ts";
import { type Fate, FATES, SimulatedDisk } from "./simulated_disk.ts";

/** What a process that stopped left, and what was known then. */
export interface Stop<Known> {
  /** for messages */
  readonly moment: string;
  /** that was not done any more; undefined at the end */
  readonly operation: Operation | undefined;
  readonly fate: Fate;
  /** what the next process sees */
  readonly image: DiskImage;
  /** the disk for the next process */
  readonly restart: () => SimulatedDisk;
  readonly known: Known;
}

/** All stops of a process. */
export interface Stops<Known> {
  /** operations times fates, writes counted as two operations */
  readonly points: number;
  /** those that differ in their image or in what was known */
  readonly stops: readonly Stop<Known>[];
}

/** Every write in two, so that a process can stop in the midst of one. */
function inHalves(files: FileSystem): FileSystem {
  return {
    ...files,
    open: async (...args) => {
      const handle = await files.open(...args);
      return {
        ...handle,
        write: async (bytes) => {
          const half = bytes.length >> 1;
          return await handle.write(bytes.subarray(0, half)) + await handle.write(bytes.subarray(half));
        },
      };
    },
  };
}

/** How stops are told apart. */
interface StopOptions<Known> {
  /** what a restart must come up to; called before each operation with the one before it */
  readonly known: (done: Operation | undefined) => Known;
  /** all by default */
  readonly fates?: readonly Fate[];
  /** the part of a disk that matters; all of it by default */
  readonly relevant?: (image: DiskImage) => DiskImage;
}

/** Lets a process run to its end, and looks at the disk before each of its operations and at the end. */
export async function stopsOf<Known>(
  disk: SimulatedDisk,
  process: (files: FileSystem) => Promise<void>,
  { known, fates = FATES, relevant = (image) => image }: StopOptions<Known>,
): Promise<Stops<Known>> {
  const stops: Stop<Known>[] = [];
  const seen = new Set<string>();
  let points = 0;
  let previous: Operation | undefined;

  const look = (moment: string, operation?: Operation) => {
    points += fates.length;
    const knownNow = known(previous);
    const flushed = imageDigest(relevant(disk.afterStop("lost")));
    for (const fate of fates) {
      const image = disk.afterStop(fate, moment);
      // After a kill more is seen than is flushed; after a power cut what is seen is all there is.
      const digests = [imageDigest(relevant(image)), ...(fate === "kept" ? [flushed] : [])];
      const digest = `${[...new Set(digests)].join()} ${JSON.stringify(knownNow)}`;
      if (seen.has(digest)) continue;
      seen.add(digest);
      const killed = fate === "kept" ? disk.afterKill() : undefined;
      const restart = () => killed?.afterKill() ?? new SimulatedDisk(image);
      stops.push({ moment: `${moment}; ${fate}`, operation, fate, image, restart, known: knownNow });
    }
  };
  const files = faultyFiles({ at: Infinity, how: "" }, disk.files, (operation, at) => {
    look(`stopped before operation ${at}, ${operation.name} of ${operation.path}`, operation);
    previous = operation;
  });
  await process(inHalves(files));
  look("stopped at the end");
  return { points, stops };
}
