/** Files that were damaged, removed, or left by another plan, rather than cut off by a stop. */
import assert from "node:assert/strict";
import type { FileSystem } from "../../src/files/file_system.ts";
import { faultyFiles } from "../files/faulty_files.ts";
import { below, type DiskImage, firstDifference } from "./disk_image.ts";
import { SimulatedDisk } from "./simulated_disk.ts";
import { comparable, EMPTY, folderOfRun, OUTPUT, SmallSmoke } from "./small_smoke.ts";
import { stopsOf } from "./stops.ts";

const UPSTREAM = `${OUTPUT}/runs/upstream_pretrain_seed-0`;

/** Trains all runs of a plan on a disk; what was warned of. */
async function train(smoke: SmallSmoke, files: FileSystem): Promise<string> {
  const warnings: string[] = [];
  await smoke.train(smoke.plan.runs, files, { onWarning: (warning) => warnings.push(warning) });
  return warnings.join("\n");
}

async function undisturbed(smoke: SmallSmoke): Promise<DiskImage> {
  const disk = new SimulatedDisk(EMPTY);
  await train(smoke, disk.files);
  return disk.afterStop("lost");
}

/** The part of a disk that a plan's runs are. */
function runsOf({ plan }: SmallSmoke, image: DiskImage): DiskImage {
  return below(image, plan.runs.map(folderOfRun));
}

function flipLastBit(contents: Uint8Array<ArrayBuffer> | undefined): Uint8Array<ArrayBuffer> {
  assert(contents !== undefined);
  const flipped = contents.slice();
  flipped[flipped.length - 1] = (flipped.at(-1) ?? 0) ^ 1;
  return flipped;
}

Deno.test("trainPlan() makes a checkpoint in the middle of a run again that is damaged or gone, since others start from it", async () => {
  const smoke = await SmallSmoke.make(["upstream", "earlier-checkpoints"]);
  const whole = await undisturbed(smoke);
  const path = `${UPSTREAM}/checkpoints/step-000012.safetensors`;
  const [upstream] = smoke.plan.runs;
  const alone = new Map(
    [...whole].filter(([path]) => !path.startsWith(`${OUTPUT}/runs/`) || path.startsWith(UPSTREAM)),
  );
  const damaged = new Map([...alone, [path, flipLastBit(alone.get(path))]]);
  const gone = new Map([...alone].filter(([name]) => name !== path));
  for (
    const [image, reason] of [[damaged, /"[^"]+step-000012[^"]+" has the digest/], [
      gone,
      /step-000012.*no such/,
    ]] as const
  ) {
    for (const isFinished of [true, false]) {
      const start = new Map([...image].filter(([name]) => isFinished || name !== `${UPSTREAM}/run.json`));
      const disk = new SimulatedDisk(start);
      const before = smoke.steps;
      const warnings = await train(smoke, disk.files);
      assert.match(warnings, /step 64 cannot be resumed from/);
      assert.match(warnings, reason);
      assert.equal(firstDifference(runsOf(smoke, disk.afterStop("lost")), runsOf(smoke, whole)), undefined);
      const steps = smoke.plan.runs.reduce((sum, run) => sum + run.steps, 0);
      assert.equal(smoke.steps - before, steps - 4, `from step 4 of ${upstream?.label}`);
    }
  }
});

Deno.test("trainPlan() leaves a longer plan's checkpoints out of a shorter run, wherever the longer one stopped", async () => {
  const longer = await SmallSmoke.make(["max-learning-rate/1x"]);
  const shorter = await SmallSmoke.make(["warmup-length/1%"]);
  const wholeLonger = runsOf(longer, await undisturbed(longer));
  const wholeShorter = runsOf(shorter, await undisturbed(shorter));
  const [, run] = shorter.plan.runs;
  assert(run !== undefined);
  assert.deepEqual(longer.plan.runs.map(({ label, steps }) => `${label} ${steps}`).at(-1), `${run.label} 52`);
  assert.equal(run.steps, 11);

  const process = (files: FileSystem) => longer.train(longer.plan.runs, files);
  const { stops } = await stopsOf(new SimulatedDisk(EMPTY), process, { known: () => undefined, fates: ["lost"] });
  const inRun = stops.filter(({ image }) => image.has(folderOfRun(run)) && !image.has(`${folderOfRun(run)}/run.json`));
  assert(inRun.length > 20, `${inRun.length} stops`);
  for (const { moment, restart } of inRun) {
    const disk = restart();
    await train(shorter, disk.files);
    assert.equal(firstDifference(runsOf(shorter, disk.afterStop("lost")), wholeShorter), undefined, moment);
    await process(disk.files);
    assert.equal(firstDifference(runsOf(longer, disk.afterStop("lost")), wholeLonger), undefined, `longer: ${moment}`);
  }
});

Deno.test("trainPlan() cuts a torn journal back, and says so", async () => {
  const smoke = await SmallSmoke.make(["upstream"]);
  const whole = await undisturbed(smoke);
  const process = (files: FileSystem) => smoke.train(smoke.plan.runs, files);
  const { stops } = await stopsOf(new SimulatedDisk(EMPTY), process, { known: () => undefined });
  const torn = stops.filter(({ operation, fate, image }) =>
    fate === "torn" && operation?.name === "sync" && operation.path.endsWith("/journal.jsonl") &&
    image.has(`${UPSTREAM}/checkpoints/step-000048.safetensors`)
  ).at(-1);
  assert(torn !== undefined);
  const disk = torn.restart();
  const warnings = await train(smoke, disk.files);
  assert.match(warnings, /^Journal of run "upstream_pretrain_seed-0" was cut back to step 48: line \d+: it is torn/);
  assert.equal(firstDifference(runsOf(smoke, disk.afterStop("lost")), runsOf(smoke, whole)), undefined);
});

Deno.test("trainPlan() stops where a checkpoint may not be read, and trains nothing anew in its place", async () => {
  const smoke = await SmallSmoke.make(["upstream"]);
  const whole = await undisturbed(smoke);
  const start = new Map([...whole].filter(([path]) => path !== `${UPSTREAM}/run.json`));
  let at = -1;
  await train(
    smoke,
    faultyFiles({ at: Infinity, how: "" }, new SimulatedDisk(start).files, ({ name, path }, number) => {
      if (name === "open" && path.endsWith("step-000064.safetensors") && at < 0) at = number;
    }),
  );
  const disk = new SimulatedDisk(start);
  await assert.rejects(train(smoke, faultyFiles({ at, how: "EACCES" }, disk.files)), {
    name: "UserError",
    code: "PERMISSION_DENIED",
    message: /step-000064\.safetensors", the operating system denies access/,
  });
  assert.equal(firstDifference(runsOf(smoke, disk.afterStop("lost")), runsOf(smoke, start)), undefined);
});

Deno.test("trainPlan() makes a curves.json again that is damaged, of what the journal records, and says so", async () => {
  const smoke = await SmallSmoke.make(["upstream"]);
  const whole = await undisturbed(smoke);
  for (const text of ["", "{", "null", "{}", `{"runKey":"${smoke.plan.runs[0]?.key}"}`]) {
    const disk = new SimulatedDisk(new Map([...whole, [`${UPSTREAM}/curves.json`, new TextEncoder().encode(text)]]));
    const before = smoke.steps;
    assert.match(await train(smoke, disk.files), /is not taken as it lies in the folder.*curves\.json/);
    assert.equal(firstDifference(runsOf(smoke, disk.afterStop("lost")), runsOf(smoke, whole)), undefined);
    assert.equal(smoke.steps, before, "every step is in the newest checkpoint");
  }
});

Deno.test("carryOut() signs for the checkpoints of its runs, and for no other file in their folders", async () => {
  const smoke = await SmallSmoke.make(["upstream"]);
  const disk = new SimulatedDisk(EMPTY);
  await smoke.carryOut(disk.files);
  const whole = disk.afterStop("lost");
  const stray = `${UPSTREAM}/checkpoints/step-000099.safetensors`;
  const restarted = new SimulatedDisk(new Map([...whole, [stray, new Uint8Array(1)]]));
  await smoke.carryOut(restarted.files);
  const end = new Map([...restarted.afterStop("lost")].filter(([path]) => path !== stray));
  assert.equal(firstDifference(comparable(end), comparable(whole)), undefined);
});
