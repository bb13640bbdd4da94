import assert from "node:assert/strict";
import { UserError } from "../../src/errors.ts";
import type { FileSystem } from "../../src/files/file_system.ts";
import { lockOutputFolder } from "../../src/files/output_lock.ts";
import { type Fault, faultyFiles, type Operation } from "../files/faulty_files.ts";
import { below, type DiskImage, firstDifference, imageDigest, SimulatedDisk } from "./simulated_disk.ts";
import { comparable, EMPTY_DISK, folderOfRun, OUTPUT, SmallSmoke } from "./small_smoke.ts";
import { stopsOf } from "./stops.ts";

/** A way to fail, and what the message must say of it; without words it is none. */
interface Failure extends Omit<Fault, "at"> {
  readonly words?: string;
}

/** A process that may fail, and what it must leave in the end. */
interface Process {
  readonly start: DiskImage;
  readonly run: (files: FileSystem, onWarning?: (message: string) => void) => Promise<void>;
  readonly outcome: (image: DiskImage) => DiskImage;
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

async function operationsOf({ start, run }: Process): Promise<{ log: Operation[]; end: DiskImage }> {
  const log: Operation[] = [];
  const disk = new SimulatedDisk(start);
  await run(faultyFiles({ at: Infinity, how: "" }, disk.files, (operation) => void log.push(operation)));
  return { log, end: disk.afterStop("kept") };
}

/** A message speaks of a file by the name that it has or is to get. */
function isNamed({ path }: Operation, message: string): boolean {
  return message.includes(path) || message.includes(path.replace(/\/\.([^/]+)\.[0-9a-f]{8}\.partial$/, "/$1"));
}

/** The lock's file says who held the folder before; that it cannot be read, or emptied in the end, harms nothing. */
function isCourtesy({ name, path }: Operation): boolean {
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
  const { start, run, outcome } = process;
  const { log, end } = await operationsOf(process);
  const expected = outcome(end);
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
  const undisturbed = new SimulatedDisk(EMPTY_DISK);
  await smoke.train(smoke.plan.runs, undisturbed.files);
  const whole = undisturbed.afterStop("lost");
  let tried = 0;
  for (const run of smoke.plan.runs) {
    const runs = smoke.withParent(run);
    const [parent] = runs;
    const isThere = (path: string) =>
      !path.startsWith(`${OUTPUT}/runs/`) || `${path}/`.startsWith(`${folderOfRun(parent ?? run)}/`);
    tried += await failEverywhere({
      start: runs.length === 1 ? EMPTY_DISK : new Map([...whole].filter(([path]) => isThere(path))),
      run: (files, onWarning) => smoke.train(runs, files, onWarning === undefined ? {} : { onWarning }),
      outcome: (image) => below(image, [folderOfRun(run)]),
    });
  }
  console.log(`${tried} failures in ${smoke.plan.runs.length} runs`);
});

Deno.test("resuming names the file and the cause when any operation fails, and the same call then ends with the same bytes", async () => {
  const smoke = await SmallSmoke.make(["upstream"]);
  const train = (files: FileSystem, onWarning?: (message: string) => void) =>
    smoke.train(smoke.plan.runs, files, onWarning === undefined ? {} : { onWarning });
  const { stops } = await stopsOf(EMPTY_DISK, train, { known: () => undefined });
  // A temporary file, a journal with more than the checkpoint knows, its last record torn.
  const start = stops.find(({ operation, fate }) =>
    operation?.name === "sync" && operation.path.includes("/.step-000048") && fate === "torn"
  );
  assert(start !== undefined);
  const outcome = (image: DiskImage) => below(image, smoke.plan.runs.map(folderOfRun));
  const tried = await failEverywhere({ start: start.image, run: train, outcome });
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
  const tried = await failEverywhere({ start: EMPTY_DISK, run, outcome: comparable }, isTried);
  console.log(`${tried} failures`);
});
