/** The CPU stand-in keeps the driver's rules, and is built once. */
import assert from "node:assert/strict";
import { Device } from "../../../src/engine/cuda/driver/device.ts";
import { buildStandIn } from "./stand_in/build.ts";
import { withFolder } from "../../temporary_folder.ts";
import { OBJECTS, test, TEST_KERNELS, withStandIn } from "./stand_in_fixture.ts";

test("allocate() names what did not fit when the stand-in's memory is limited", () =>
  withStandIn("probe", ({ device, controls }) => {
    controls.memory(2 ** 20);
    const most = device.allocate(2 ** 19, "half");
    assert.equal(device.freeMemory(), 2 ** 19);
    assert.throws(() => device.allocate(2 ** 19 + 1, "too much"), { code: "OUT_OF_DEVICE_MEMORY" });
    device.free(most);
    assert.equal(device.freeMemory(), 2 ** 20);
    return Promise.resolve();
  }));

test("work is done only when something waits for it when there is a seed", () =>
  withStandIn("probe", async ({ device, controls, kernel, upload, floats }) => {
    const n = 64;
    const [x, y] = [upload(new Float32Array(n).fill(2)), upload(new Float32Array(n).fill(1))];
    const pinned = device.pin(n * 4, "staging");
    const staged = new Float32Array(pinned.bytes.buffer, pinned.bytes.byteOffset, n);
    controls.seed(1);
    staged.fill(3);
    device.uploadPinned(x, pinned);
    device.launch(kernel("axpy"), { grid: 1, block: n }, y, x, 10, n);
    assert.equal(controls.launches, 0);
    staged.fill(4); // too early: the copy has not been waited for, and so sees this
    assert.deepEqual(await floats(y), new Float32Array(n).fill(41));
    assert.equal(controls.launches, 1);
  }));

test("a graph repeats its launches with the arguments they were captured with when it is launched", () =>
  withStandIn("probe", async ({ device, controls, kernel, upload, floats }) => {
    for (const seed of [0, 1]) {
      controls.seed(seed);
      const n = 64;
      const [x, y] = [upload(new Float32Array(n).fill(2)), upload(new Float32Array(n).fill(1))];
      const axpy = kernel("axpy");
      const graph = device.capture(() => {
        device.launch(axpy, { grid: 1, block: n }, y, x, 10, n);
        device.launch(axpy, { grid: 1, block: n }, y, x, 100, n);
      });
      assert.deepEqual(await floats(y), new Float32Array(n).fill(1));
      device.launch(axpy, { grid: 1, block: n }, y, x, 0, n);
      graph.launch();
      graph.launch();
      assert.deepEqual(await floats(y), new Float32Array(n).fill(441));
    }
  }));

test("allocating and waiting fail when a stream is captured", () =>
  withStandIn("probe", ({ device }) => {
    assert.throws(() => device.capture(() => device.allocate(4, "inside")));
    return Promise.resolve();
  }));

test("synchronize() goes on by polling when waits need a context that their thread has not", () =>
  withStandIn("probe", async ({ device, controls, kernel, upload, floats }) => {
    controls.waitsNeedContext(true);
    controls.seed(1);
    const [x, y] = [upload(new Float32Array([2])), upload(new Float32Array([1]))];
    device.launch(kernel("axpy"), { grid: 1, block: 1 }, y, x, 10, 1);
    await device.synchronize();
    assert.equal(controls.launches, 1);
    assert.deepEqual(await floats(y), new Float32Array([21]));
  }));

test("launches are refused when a block is beyond the kernel's bounds, or wants more shared memory than allowed", () =>
  withStandIn("probe", (bench) => {
    const { device, kernel } = bench;
    const y = device.allocate(4096, "y");
    assert.throws(() => device.launch(kernel("row_sum"), { grid: 1, block: 512 }, y, y, 1), /512/);
    assert.throws(() => device.launch(kernel("row_sum"), { grid: 0, block: 32 }, y, y, 1), RangeError);
    assert.throws(
      () => device.launch(kernel("row_sum"), { grid: 1, block: 32, sharedBytes: 300_000 }, y, y, 1),
      /300000/,
    );
    device.launch(kernel("row_sum"), { grid: 1, block: 32, sharedBytes: 200_000 }, y, y, 1);
    return Promise.resolve();
  }));

test("load() and kernel() fail with words when the image is foreign or stale, or a kernel is unknown", () =>
  withStandIn("probe", ({ device, kernel }) => {
    const image = (text: string) => new TextEncoder().encode(text);
    assert.throws(() => device.load(image("\x7fELF")), /no image of the stand-in/);
    const stale = `rewarm stand-in image of probe ${"0".repeat(64)}\n`;
    assert.throws(() => device.load(image(stale)), /of other sources than the stand-in: build it again/);
    assert.throws(() => kernel("no_such_kernel"), /CUDA_ERROR_NOT_FOUND/);
    return Promise.resolve();
  }));

test("buildStandIn() compiles nothing again when nothing changed, and a stand-in may have one unit twice", async () => {
  const units = [
    { name: "probe", definitions: { VARIANT: 1 } },
    { name: "probe", definitions: { VARIANT: 2 } },
    "racing",
  ];
  const folder = ".cache/stand_in/tests-twice";
  const options = { units, kernels: TEST_KERNELS, objects: OBJECTS };
  const first = await buildStandIn(folder, options);
  assert.deepEqual(first.units.map(({ name }) => name), ["probe", "probe", "racing"]);
  assert.notEqual(first.units[0]?.digest, first.units[1]?.digest);
  assert.equal((await buildStandIn(folder, options)).compiled, 0);
});

test("a process can load forty stand-ins when each has kernels of its own", () =>
  withFolder(async (folder) => {
    const { folder: built } = await buildStandIn(".cache/stand_in/tests-twice", {
      units: ["racing"],
      kernels: TEST_KERNELS,
      objects: OBJECTS,
    });
    for (let i = 0; i < 40; i++) {
      await Deno.mkdir(`${folder}/${i}`);
      await Deno.copyFile(`${built}/libcuda.so.1`, `${folder}/${i}/libcuda.so.1`);
      const device = Device.open({ libraryFolders: [`${folder}/${i}`], onlyThere: true });
      assert.equal(device.driverPath, `${folder}/${i}/libcuda.so.1`);
      device.close();
    }
  }));
