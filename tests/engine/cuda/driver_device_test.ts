/** Device, its memory, launches and graphs, on a fake driver that can be told to fail. Needs gcc. */
import assert from "node:assert/strict";
import { Device } from "../../../src/engine/cuda/driver/device.ts";
import { CudaError } from "../../../src/engine/cuda/driver/errors.ts";
import { cString, textAt } from "../../../src/engine/cuda/driver/host_memory.ts";
import { NOTHING, slice, type View } from "../../../src/engine/cuda/driver/view.ts";
import { UserError } from "../../../src/errors.ts";
import { withFolder } from "../../temporary_folder.ts";
import { buildFake, testWithFakes } from "./fakes/build.ts";

const IMAGE = new TextEncoder().encode("echo image");

/** What the fake driver offers beside the driver's functions. */
const CONTROL = {
  fake_fail: { parameters: ["buffer", "i32"], result: "void" },
  fake_waits_need_context: { parameters: ["i32"], result: "void" },
  fake_freed: { parameters: [], result: "i32" },
  fake_launches: { parameters: [], result: "u64" },
  fake_calls: { parameters: [], result: "u64" },
} as const satisfies Deno.ForeignLibraryInterface;

interface FakeDriver {
  readonly folder: string;
  fail(name: string, status: number): void;
  readonly control: Deno.DynamicLibrary<typeof CONTROL>["symbols"];
}

function openFake({ folder }: Pick<FakeDriver, "folder">): Device {
  return Device.open({ libraryFolders: [folder], onlyThere: true });
}

function testWithFake(
  name: string,
  use: (fake: FakeDriver) => Promise<void> | void,
  definitions: readonly string[] = [],
): void {
  testWithFakes(name, [{ source: "fake_driver.c", library: "libcuda.so.1", definitions }], async (folder) => {
    const library = Deno.dlopen(`${folder}/libcuda.so.1`, CONTROL);
    try {
      const control = library.symbols;
      await use({ folder, control, fail: (name, status) => control.fake_fail(cString(name), status) });
    } finally {
      library.close();
    }
  });
}

/** The five kinds of parameters, and the launch's shape, as the kernel "echo" writes them. */
async function echo(device: Device, out: View): Promise<bigint[]> {
  const words = new BigUint64Array(12);
  await device.download(slice(out, 0, 96), words);
  return Array.from(words);
}

testWithFake("Device.open() reads the properties that the driver gives", (fake) => {
  using device = openFake(fake);
  assert.deepEqual(device.properties, {
    name: "Fake GPU 40",
    uuid: "GPU-00112233-4455-6677-8899-aabbccddeeff",
    computeCapability: [9, 0],
    multiprocessors: 1016,
    totalMemory: 64 << 20,
    sharedMemoryPerBlock: 100000,
    sharedMemoryPerMultiprocessor: 1081,
    l2CacheBytes: 1038,
    driverVersion: "12.4",
    clockKHz: 1013,
    memoryClockKHz: 1036,
    busWidth: 1037,
    errorCorrection: true,
  });
  assert.equal(device.driverPath, `${fake.folder}/libcuda.so.1`);
});

testWithFake("Device moves bytes to the device, within it and back", async (fake) => {
  using device = openFake(fake);
  const weights = device.allocate(4000, "weights");
  const copy = device.allocate(4000, "copy");
  assert.equal(weights.address % 256n, 0n);
  const source = Float32Array.from({ length: 1000 }, (_, i) => i / 7);
  device.upload(weights, source);
  device.copy(copy, weights);
  device.fill32(slice(copy, 40, 20), 0x3f800000);
  const found = new Float32Array(1000);
  await device.download(copy, found);
  source.fill(1, 10, 15);
  assert.deepEqual(found, source);
  // A typed array this small lies within V8's own heap, which moves.
  const small = new Uint16Array(2);
  await device.download(slice(weights, 0, 4), small);
  assert.deepEqual(small, new Uint16Array(Float32Array.of(0).buffer));
});

testWithFake("Device.launch() passes each kind of argument and the shape", async (fake) => {
  using device = openFake(fake);
  const out = device.allocate(1024, "out");
  const kernel = device.load(IMAGE).kernel("echo", "puiflp");
  device.launch(kernel, { grid: [2, 3, 4], block: 64, sharedBytes: 16 }, out, 0xffffffff, -5, 0.1, 2 ** 40, NOTHING);
  const tenth = BigInt(new Uint32Array(Float32Array.of(0.1).buffer)[0] ?? 0);
  const minusFive = BigInt.asUintN(64, -5n);
  assert.deepEqual(await echo(device, out), [
    4294967295n,
    minusFive,
    tenth,
    1n << 40n,
    0n,
    2n,
    3n,
    4n,
    64n,
    1n,
    1n,
    16n,
  ]);
  device.launch(kernel, { grid: 7, block: 1 }, out, 0, 2 ** 31 - 1, -0, (1n << 64n) - 1n, slice(out, 256, 8));
  const expected = [0n, 2147483647n, 0x80000000n, (1n << 64n) - 1n, out.address + 256n, 7n, 1n, 1n, 1n, 1n, 1n, 0n];
  assert.deepEqual(await echo(device, out), expected);
  assert.deepEqual(kernel.resources, { maxThreadsPerBlock: 256, registers: 34, localBytes: 33, sharedBytes: 1024 });
});

testWithFake("Device.launch() asks for more shared memory than 48 KiB once, up to the device's limit", (fake) => {
  using device = openFake(fake);
  const out = device.allocate(1024, "out");
  const kernel = device.load(IMAGE).kernel("echo", "puiflp");
  const launch = (sharedBytes: number) =>
    device.launch(kernel, { grid: 1, block: 1, sharedBytes }, out, 0, 0, 0, 0, NOTHING);
  const asked = () => textAt(fake.control.fake_calls())?.match(/cuFuncSetAttribute/g)?.length ?? 0;
  launch(48 * 1024 - 1024);
  assert.equal(asked(), 0);
  launch(98976);
  launch(60000);
  assert.equal(asked(), 1);
  assert.throws(() => launch(98977), /"echo" asks for 98977 bytes of shared memory a block; Fake GPU 40 has 98976/);
  for (const wrong of [-1, 0.5, NaN]) {
    assert.throws(() => launch(wrong), /shared memory/, String(wrong));
  }
});

testWithFake("Device.launch() refuses wrong shapes and arguments before the driver sees them", (fake) => {
  using device = openFake(fake);
  const out = device.allocate(1024, "out");
  const module = device.load(IMAGE);
  const kernel = module.kernel("echo", "puiflp");
  const shape = { grid: 1, block: 1 };
  for (const grid of [0, -1, 1.5, NaN, 2 ** 31, [1, 65536, 1], [1, 1, 0]] as (number | [number, number, number])[]) {
    assert.throws(() => device.launch(kernel, { grid, block: 1 }, out, 0, 0, 0, 0, NOTHING), /on a grid of/);
  }
  for (const block of [0, 257, 1.5]) {
    assert.throws(() => device.launch(kernel, { grid: 1, block }, out, 0, 0, 0, 0, NOTHING), /at most 256 threads/);
  }
  const untyped = module.kernel("echo", "puiflp" as string);
  const refuse = (args: (View | number | bigint)[], words: RegExp) =>
    assert.throws(() => device.launch(untyped, shape, ...args), words);
  refuse([out, 0, 0, 0, 0], /takes 6 arguments \(puiflp\), not 5/);
  refuse([0x1234n, 0, 0, 0, 0, NOTHING], /argument 0 is 4660, and "p" is needed/);
  refuse([out, -1, 0, 0, 0, NOTHING], /argument 1 is -1, and "u"/);
  refuse([out, 2 ** 32, 0, 0, 0, NOTHING], /argument 1 is 4294967296/);
  refuse([out, 0, 2 ** 31, 0, 0, NOTHING], /argument 2 is 2147483648, and "i"/);
  refuse([out, 0, 0.5, 0, 0, NOTHING], /argument 2 is 0.5/);
  refuse([out, 0, 0, 1n, 0, NOTHING], /argument 3 is 1, and "f"/);
  refuse([out, 0, 0, 0, -1n, NOTHING], /argument 4 is -1, and "l"/);
  refuse([out, 0, 0, 0, 2 ** 53, NOTHING], /argument 4/);
  refuse([out, 0, 0, 0, 0, 3], /argument 5 is 3, and "p"/);
  refuse([out, out, 0, 0, 0, NOTHING], /argument 1 is the view "out"/);
  assert.throws(() => module.kernel("echo", "pq"), /a signature has no "q"/);
  assert.equal(fake.control.fake_launches(), 0n);
  module.free();
  assert.throws(() => device.launch(kernel, shape, out, 0, 0, 0, 0, NOTHING), /module that was freed/);
  assert.throws(() => module.kernel("echo", "p"), /module that was freed/);
});

Deno.test("Device.launch() takes the arguments that a literal signature names", () => {
  // Checked by the compiler alone: the function is never called.
  ((device: Device, view: View) => {
    const kernel = device.load(IMAGE).kernel("echo", "pu");
    device.launch(kernel, { grid: 1, block: 1 }, view, 1);
    // @ts-expect-error: a number is no view
    device.launch(kernel, { grid: 1, block: 1 }, 1, 1);
    // @ts-expect-error: one is missing
    device.launch(kernel, { grid: 1, block: 1 }, view);
    // @ts-expect-error: one too many
    device.launch(kernel, { grid: 1, block: 1 }, view, 1, 1);
  });
});

testWithFake("Device.allocate() names what did not fit and how much is free", (fake) => {
  using device = openFake(fake);
  device.allocate(40 << 20, "weights");
  assert.equal(device.allocatedBytes, 40 << 20);
  assert.equal(device.freeMemory(), 24 << 20);
  assert.throws(() => device.allocate(30 << 20, "activations"), (error) => {
    assert(error instanceof CudaError);
    assert.equal(error.code, "OUT_OF_DEVICE_MEMORY");
    assert.equal(
      error.message,
      "Fake GPU 40 has no 31457280 bytes left for activations: of its 67108864, this run has taken 41943040, and " +
        "25165824 are free: choose a smaller micro-batch or model, or stop what else uses the GPU",
    );
    return true;
  });
  for (const bytes of [0, -1, 1.5, NaN]) assert.throws(() => device.allocate(bytes, "none"), RangeError);
});

testWithFake("Device.free() refuses a slice and a second time, and freed views cannot be used", (fake) => {
  using device = openFake(fake);
  const view = device.allocate(256, "moments");
  const half = slice(view, 0, 128);
  assert.throws(() => device.free(half), /"moments" is no allocation of this device/);
  assert.throws(() => device.free({ ...view, allocation: { live: true } }), /no allocation/);
  device.free(view);
  assert.equal(fake.control.fake_freed(), 1);
  assert.throws(() => device.free(view), /was freed before/);
  assert.throws(() => device.fill32(half, 0), /"moments" was freed/);
  assert.throws(() => device.upload(half, new Uint8Array(128)), /was freed/);
  const kernel = device.load(IMAGE).kernel("echo", "p");
  assert.throws(() => device.launch(kernel, { grid: 1, block: 1 }, half), /was freed/);
});

testWithFake("Device refuses copies of unequal size", async (fake) => {
  using device = openFake(fake);
  const view = device.allocate(256, "tokens");
  assert.throws(() => device.upload(view, new Uint8Array(255)), /"tokens" has 256 bytes, its counterpart 255/);
  await assert.rejects(() => device.download(view, new Uint8Array(257)), /counterpart 257/);
  assert.throws(() => device.copy(view, slice(view, 0, 8)), /counterpart 8/);
  assert.throws(() => device.fill32(slice(view, 0, 6), 0), /no whole words/);
});

testWithFake("PinnedMemory copies without a wait, and is empty once it is freed", async (fake) => {
  using device = openFake(fake);
  const pinned = device.pin(64, "tokens of a step");
  const view = device.allocate(64, "tokens");
  pinned.bytes.set(Array.from({ length: 64 }, (_, i) => i));
  device.uploadPinned(view, pinned);
  assert.equal(pinned.isIdle, true);
  pinned.bytes.fill(0);
  device.downloadPinned(view, pinned);
  await device.synchronize();
  const bytes = pinned.bytes;
  assert.deepEqual(bytes[63], 63);
  pinned.wait();
  pinned.free();
  pinned.free();
  assert.equal(bytes.length, 0);
  assert.equal(bytes[63], undefined);
  assert.throws(() => device.uploadPinned(view, pinned), /was freed/);
  assert.throws(() => pinned.isIdle, /tokens of a step was freed/);
});

testWithFake("Device.capture() records launches and refuses what waits", (fake) => {
  using device = openFake(fake);
  const out = device.allocate(1024, "out");
  const pinned = device.pin(1024, "staging");
  const kernel = device.load(IMAGE).kernel("echo", "puiflp");
  const graph = device.capture(() => {
    device.uploadPinned(out, pinned);
    device.launch(kernel, { grid: 1, block: 1 }, out, 0, 0, 0, 0, NOTHING);
    assert.throws(() => device.allocate(8, "late"), /Allocating cannot be part of a graph/);
    assert.throws(() => device.upload(out, new Uint8Array(1024)), /cannot be part of a graph/);
    assert.throws(() => device.capture(() => {}), /Another graph cannot be part of a graph/);
  });
  assert.equal(fake.control.fake_launches(), 0n);
  graph.launch();
  graph.free();
  assert.throws(() => graph.launch(), /The graph was freed/);
});

testWithFake("Device.capture() ends the recording when its body throws, and later work goes on", async (fake) => {
  using device = openFake(fake);
  assert.throws(() =>
    device.capture(() => {
      throw new Error("of the body");
    }), /of the body/);
  await device.synchronize();
});

testWithFake("TimedEvent gives the milliseconds between two points", (fake) => {
  using device = openFake(fake);
  const [start, end] = [device.event(), device.event()];
  start.record();
  end.record();
  assert.equal(end.millisecondsSince(start), 1.5);
  end.free();
  assert.throws(() => end.record(), /The event was freed/);
});

testWithFake("Device.synchronize() polls where the waiting thread has no context", async (fake) => {
  using device = openFake(fake);
  fake.control.fake_waits_need_context(1);
  await device.synchronize();
  await device.synchronize();
  const calls = textAt(fake.control.fake_calls()) ?? "";
  assert.equal(calls.match(/cuStreamSynchronize/g)?.length, 1);
  assert.equal(calls.match(/cuStreamQuery/g)?.length, 6);
});

testWithFake("Device.synchronize() names the failure of work given before", async (fake) => {
  using device = openFake(fake);
  fake.fail("cuStreamSynchronize", 700);
  await assert.rejects(() => device.synchronize(), (error) => {
    assert(error instanceof CudaError);
    assert.equal(error.status, 700);
    assert.equal(error.statusName, "CUDA_ERROR_ILLEGAL_ADDRESS");
    assert.match(
      error.message,
      /^Work on the device failed with CUDA_ERROR_ILLEGAL_ADDRESS \(700\): .*compute-sanitizer/,
    );
    return true;
  });
});

testWithFake("Device refuses everything once it is closed, and close() may be called again", async (fake) => {
  const device = openFake(fake);
  const view = device.allocate(256, "weights");
  const graph = device.capture(() => {});
  const event = device.event();
  const pinned = device.pin(8, "loss");
  const module = device.load(IMAGE);
  device.close();
  device.close();
  assert.equal(fake.control.fake_freed(), 1);
  assert.throws(() => device.allocate(1, "x"), /The device Fake GPU 40 was closed/);
  assert.throws(() => device.fill32(view, 0), /was closed/);
  await assert.rejects(() => device.synchronize(), /was closed/);
  assert.throws(() => graph.launch(), /was freed/);
  assert.throws(() => event.record(), /was freed/);
  assert.throws(() => pinned.wait(), /was freed/);
  assert.throws(() => module.kernel("echo", "p"), /was freed/);
});

testWithFake("Two devices in one thread take turns", async (fake) => {
  await withFolder(async (folder) => {
    await buildFake(folder, { source: "fake_driver.c", library: "libcuda.so.1" });
    using first = openFake(fake);
    using second = openFake({ folder });
    const [a, b] = [first.allocate(4, "a"), second.allocate(4, "b")];
    first.fill32(a, 1);
    second.fill32(b, 2);
    const words = new Uint32Array(1);
    await first.download(a, words);
    assert.equal(words[0], 1);
    await second.download(b, words);
    assert.equal(words[0], 2);
    assert.throws(() => first.free(b), /no allocation of this device/);
  });
});

testWithFake("Device.open() says how many GPUs there are when there is not the one asked for", (fake) => {
  for (const ordinal of [1, -1, 0.5]) {
    assert.throws(
      () => Device.open({ libraryFolders: [fake.folder], onlyThere: true, ordinal }),
      (error) =>
        error instanceof UserError && error.code === "CUDA_UNAVAILABLE" && /sees 1: look at/.test(error.message),
    );
  }
});

testWithFake("Device.open() says so when the driver sees no GPU", (fake) => {
  assert.throws(() => openFake(fake), /There is no GPU 0: the NVIDIA driver sees 0: .*CUDA_VISIBLE_DEVICES/);
}, ["FAKE_DEVICES=0"]);

testWithFake("Device.open() explains a driver that starts without a GPU", (fake) => {
  assert.throws(() => openFake(fake), (error) => {
    assert(error instanceof CudaError);
    assert.equal(error.code, "CUDA_UNAVAILABLE");
    assert.match(error.message, /^Starting the NVIDIA driver failed with CUDA_ERROR_NO_DEVICE \(100\): .*--gpus all/);
    return true;
  });
}, ["FAKE_STATUS_CUINIT=100"]);

testWithFake(
  "Device.open() works with a driver without the optional functions, and capture() says what is missing",
  (fake) => {
    using device = openFake(fake);
    assert.equal(device.properties.uuid, undefined);
    assert.throws(() => device.capture(() => {}), /too old for CUDA graphs: install one for CUDA 11\.8 or newer/);
    device.fill32(device.allocate(4, "after"), 0);
  },
  ["FAKE_OLD"],
);

testWithFake("Device.open() names the function that a driver lacks", (fake) => {
  assert.throws(
    () => openFake(fake),
    /libcuda\.so\.1: it is too old, since it lacks cuLaunchKernel: install the NVIDIA driver, one for CUDA 11\.8/,
  );
}, ["FAKE_ANCIENT"]);

/** Uses every function of the driver. */
async function useEverything(folder: string): Promise<void> {
  const device = Device.open({ libraryFolders: [folder], onlyThere: true });
  try {
    const view = device.allocate(256, "view");
    device.freeMemory();
    device.upload(view, new Uint8Array(256));
    device.copy(slice(view, 0, 8), slice(view, 8, 8));
    device.fill32(view, 0);
    const pinned = device.pin(256, "pinned");
    device.uploadPinned(view, pinned);
    device.downloadPinned(view, pinned);
    assert.equal(pinned.isIdle, true);
    pinned.wait();
    const kernel = device.load(IMAGE).kernel("echo", "puiflp");
    device.launch(kernel, { grid: 1, block: 1, sharedBytes: 60000 }, view, 0, 0, 0, 0, NOTHING);
    device.capture(() => {}).launch();
    const event = device.event();
    event.record();
    event.millisecondsSince(event);
    await device.download(view, new Uint8Array(256));
    device.free(view);
  } finally {
    device.close();
  }
}

testWithFake("Every failing call becomes an error that names its status, and nothing is left open", async (fake) => {
  await useEverything(fake.folder);
  const atTheEnd = /Destroy|Unload|Release|FreeHost/;
  const names = new Set(textAt(fake.control.fake_calls())?.trim().split("\n"));
  // Asked only when something failed, and only where a wait finds no context.
  const never = ["cuGetErrorName", "cuGetErrorString", "cuStreamQuery"];
  const { DRIVER_SYMBOLS } = await import("../../../src/engine/cuda/driver/abi.ts");
  assert.deepEqual([...names, ...never].sort(), Object.keys(DRIVER_SYMBOLS).sort());
  for (const name of names) {
    if (atTheEnd.test(name)) continue;
    for (const status of [999, 12345]) {
      fake.fail(name, status);
      await assert.rejects(() => useEverything(fake.folder), (error) => {
        assert(error instanceof CudaError, `${name}: ${error}`);
        assert.equal(error.status, status, name);
        assert.match(error.message, status === 999 ? /CUDA_ERROR_OTHER \(999\)/ : /status 12345 \(12345\)/, name);
        return true;
      });
    }
  }
  for (const name of names) {
    if (!atTheEnd.test(name)) continue;
    fake.fail(name, 999);
    await useEverything(fake.folder);
  }
});

testWithFake("Device.load() repeats what the driver's compiler says", (fake) => {
  using device = openFake(fake);
  assert.throws(
    () => device.load(new TextEncoder().encode("another image")),
    /^UserError: Loading 13 bytes of kernels \("ptxas: no image of mine"\) failed with .*\(200\): .*delete the kernel cache/,
  );
  assert.throws(() => device.load(IMAGE).kernel("absent", "p"), /Looking up kernel "absent" failed/);
});
