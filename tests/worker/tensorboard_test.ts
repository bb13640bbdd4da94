import assert from "node:assert/strict";
import { TensorboardWriter } from "../../src/worker/tensorboard.ts";
import { SimulatedDisk } from "../faults/simulated_disk.ts";
import { EMPTY, OUTPUT, SmallSmoke } from "../faults/small_smoke.ts";

const smoke = await SmallSmoke.make(["warmup-length/0%"]);

Deno.test("event files are written of journals that have grown, and of no others", async () => {
  const disk = new SimulatedDisk(EMPTY);
  await smoke.share(disk.files);
  const writer = new TensorboardWriter(smoke.plan, OUTPUT, disk.files);
  assert.deepEqual(await writer.write(), []);
  await smoke.work(disk.files);
  const written = await writer.write();
  assert.ok(written.length > 0);
  assert.deepEqual(await writer.write(), []);
  const again = new TensorboardWriter(smoke.plan, OUTPUT, disk.files);
  assert.deepEqual(await again.write(), written);
  const [label = ""] = written;
  const folder = `${OUTPUT}/tensorboard/${label}`;
  assert.deepEqual(await disk.files.readFolder(folder), ["events.out.tfevents.0.rewarm"]);
});
