import assert from "node:assert/strict";
import { UserError } from "../../src/errors.ts";
import type { FileSystem } from "../../src/files/file_system.ts";
import { lockOutputFolder } from "../../src/files/output_lock.ts";
import { type Fault, faultyFiles, type Operation } from "../files/faulty_files.ts";
import { below, type DiskImage, firstDifference, imageDigest } from "./disk_image.ts";
import { SimulatedDisk } from "./simulated_disk.ts";
import { comparable, EMPTY, folderOfRun, interruptedDisk, isLease, OUTPUT, SmallSmoke } from "./small_smoke.ts";
import { stopsOf } from "./stops.ts";

/** A way to fail, and what the message must say of it; without words it is none. */
interface Failure extends Omit<Fault, "at"> {
  readonly words?: string;
}

/** A process that may fail, and what is to come of it in the end. */
interface Process {
  readonly start: DiskImage;
  readonly run: (files: FileSystem, onWarning?: (message: string) => void) => Promise<void>;
  /** the part of a disk that matters */
  readonly outcome: (image: DiskImage) => DiskImage;
  readonly expected: DiskImage;
}

/** What an operation may fail with. */
function failuresOf({ name, changes }: Operation): Failure[] {
  const full = { how: "ENOSPC", words: "the disk is full" };
  return [
    { how: "EIO", words: "the disk reports an input/output error" },
    ...(changes && name !== "remove" ? [full] : []),
    ...(name === "write" ? [{ ...full, shortWrite: true }, { how: "short" }] : []),
  ];
}

async function operationsOf({ start, run }: Process): Promise<Operation[]> {
  const log: Operation[] = [];
  const { files } = new SimulatedDisk(start);
  await run(faultyFiles({ at: Infinity, how: "" }, files, (operation) => void log.push(operation)));
  return log;
}

/** A message speaks of a file by the name that it has or is to get. */
function isNamed({ path }: Operation, message: string): boolean {
  return message.includes(path) || message.includes(path.replace(/\/\.([^/]+)\.[0-9a-f]{8}\.partial$/, "/$1"));
}

/** The lock's file says who held the folder before; that it cannot be read, or emptied in the end, harms nothing. */
function isCourtesy({ name, path }: Operation): boolean {
  // A lease that cannot be given back is taken over.
  if (isLease(path)) return true;
  return path === `${OUTPUT}/.lock` && ["seek", "read", "truncate"].includes(name);
}

/**
 * Lets every operation fail in every way that it can, then makes the same call again: in the same process, and in
 * another one after a power cut.
 *
 * @param isTried by the operation's number
 * @returns failures tried
 */
async function failEverywhere(
  process: Process,
  isTried: (at: number, log: readonly Operation[]) => boolean = () => true,
): Promise<number> {
  const { start, run, outcome, expected } = process;
  const log = await operationsOf(process);
  const seen = new Set<string>();
  let tried = 0;
  for (const [at, operation] of log.entries()) {
    if (!isTried(at, log)) continue;
    for (const { words, ...failure } of failuresOf(operation)) {
      tried++;
      const what = `${failure.how} at operation ${at}, ${operation.name} of ${operation.path}`;
      const disk = new SimulatedDisk(start);
      const warnings: string[] = [];
      const error = await run(faultyFiles({ at, ...failure }, disk.files), (warning) => warnings.push(warning))
        .then(() => undefined, (error) => error);
      if (words === undefined) {
        assert.equal(error, undefined, what);
        assert.equal(firstDifference(outcome(disk.afterStop("lost")), expected), undefined, what);
        continue;
      }
      if (error !== undefined) assert(error instanceof UserError, `${what}: ${error?.stack}`);
      const message: string = error?.message ?? warnings.join("\n");
      if (message !== "" || !isCourtesy(operation)) {
        assert(message.includes(words) && isNamed(operation, message), `${what}: "${message}"`);
      }

      const afterCut = new SimulatedDisk(disk.afterStop("lost"));
      await (await lockOutputFolder(OUTPUT, disk.files)).release(); // nothing holds it any more
      for (const again of [disk, afterCut]) {
        const digest = imageDigest(again.afterStop("kept"));
        if (seen.has(digest)) continue;
        seen.add(digest);
        await run(again.files);
        assert.equal(firstDifference(outcome(again.afterStop("lost")), expected), undefined, what);
      }
    }
  }
  return tried;
}

Deno.test("training names the file and the cause when any operation fails, and the same call then ends with the same bytes", async () => {
  const smoke = await SmallSmoke.make();
  const undisturbed = new SimulatedDisk(EMPTY);
  await smoke.train(smoke.plan.runs, undisturbed.files);
  const whole = undisturbed.afterStop("lost");
  let tried = 0;
  for (const [index, run] of smoke.plan.runs.entries()) {
    const runs = smoke.withParent(run);
    const own = folderOfRun(run);
    const isOther = (path: string) =>
      path.startsWith(`${OUTPUT}/runs/`) && !path.startsWith(folderOfRun(runs[0] ?? run));
    // What comes before is the same for all runs with the same parent.
    // Locks are taken, and parents read, in the same way for all.
    const isOfAll = (path = "") => isLease(path) || (runs.length > 1 && path.startsWith(folderOfRun(runs[0] ?? run)));
    const isTried = (at: number, log: readonly Operation[]) =>
      index <= 1 || (!isOfAll(log[at]?.path) && at >= log.findIndex(({ path }) => path.startsWith(own)));
    tried += await failEverywhere({
      start: runs.length === 1 ? EMPTY : new Map([...whole].filter(([path]) => !isOther(path))),
      run: (files, onWarning) => smoke.train(runs, files, onWarning === undefined ? {} : { onWarning }),
      outcome: (image) => below(image, [own]),
      expected: below(whole, [own]),
    }, isTried);
  }
  console.log(`${tried} failures in ${smoke.plan.runs.length} runs`);
});

Deno.test("resuming names the file and the cause when any operation fails, and the same call then ends with the same bytes", async () => {
  const smoke = await SmallSmoke.make(["upstream"]);
  const run = (files: FileSystem, onWarning?: (message: string) => void) =>
    smoke.train(smoke.plan.runs, files, onWarning === undefined ? {} : { onWarning });
  const undisturbed = new SimulatedDisk(EMPTY);
  const { stops } = await stopsOf(undisturbed, run, { known: () => undefined });
  // A temporary file, and a journal whose last record is torn and that knows more than the last checkpoint.
  const torn = stops.find(({ operation, fate }) =>
    operation?.name === "sync" && operation.path.includes("/.step-000048") && fate === "torn"
  );
  assert(torn !== undefined);
  const interrupted = await interruptedDisk(smoke);
  const outcome = (image: DiskImage) => below(image, smoke.plan.runs.map(folderOfRun));
  const expected = outcome(undisturbed.afterStop("lost"));
  let tried = 0;
  for (const start of [torn.image, interrupted.afterStop("lost")]) {
    tried += await failEverywhere({ start, run, outcome, expected });
  }
  console.log(`${tried} failures`);
});

Deno.test("carryOut() names the file and the cause when any operation fails, and the same call then ends with the same bytes", async () => {
  const smoke = await SmallSmoke.make(["earlier-checkpoints/7%-warmup-0%"]);
  const run = (files: FileSystem, onWarning?: (message: string) => void) =>
    smoke.carryOut(files, onWarning === undefined ? {} : { onWarning });
  // Training is tried by itself.
  const isTried = (at: number, log: readonly Operation[]) =>
    at < log.findIndex(({ path }) => path.startsWith(`${OUTPUT}/runs/`)) ||
    at > log.findLastIndex(({ name, path }) => name === "rename" && path.endsWith("/run.json"));
  const undisturbed = new SimulatedDisk(EMPTY);
  await run(undisturbed.files);
  const expected = comparable(undisturbed.afterStop("lost"));
  const tried = await failEverywhere({ start: EMPTY, run, outcome: comparable, expected }, isTried);
  console.log(`${tried} failures`);
});
