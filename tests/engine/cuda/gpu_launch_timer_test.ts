/** The stopwatch of benchmarks/gpu around launches, matmuls and copies, on fake libraries. Needs gcc. */
import assert from "node:assert/strict";
import { LaunchTimer, type Timed } from "../../../benchmarks/gpu/launch_timer.ts";
import { CublasLt } from "../../../src/engine/cuda/driver/cublaslt.ts";
import { Device } from "../../../src/engine/cuda/driver/device.ts";
import { Matmul } from "../../../src/engine/cuda/driver/matmul.ts";
import { NOTHING } from "../../../src/engine/cuda/driver/view.ts";
import { testWithFakes } from "./fakes/build.ts";

const FAKES = [
  { source: "fake_driver.c", library: "libcuda.so.1" },
  { source: "fake_cublaslt.c", library: "libcublasLt.so.12" },
];
/** What the fake driver says is between any two events. */
const MILLISECONDS = 1.5;

function nameOf(what: Timed): string {
  return "launch" in what ? what.launch.kernel : `${what.name} ${what.cost.shape ?? what.cost.bytes}`;
}

testWithFakes(
  "LaunchTimer times launches, copies, fills and cuBLASLt's matmuls, each by itself",
  FAKES,
  async (folder) => {
    const timer = new LaunchTimer();
    const places = { libraryFolders: [folder], onlyThere: true };
    using device = Device.open(places);
    const library = CublasLt.open(places, device.properties.driverVersion);
    const handle = library.createHandle(device);
    const kernel = device.load(new TextEncoder().encode("echo image")).kernel("echo", "puiflp");
    const out = device.allocate(512, "out"), other = device.allocate(512, "other");
    const [a, b, d] = [[4, 16], [16, 8], [4, 8]].map(([m = 0, n = 0]) => device.allocate(2 * m * n, "factor"));
    if (a === undefined || b === undefined || d === undefined) throw new Error("No memory");
    const workspace = device.allocate(8192, "workspace");
    const matmul = new Matmul(
      { rows: 4, columns: 8, inner: 16, transposeA: false, transposeB: true, input: "bf16", output: "bf16" },
      { device, library, handle, workspaceBytes: 8192 },
    );
    const work = () => {
      device.launch(kernel, { grid: [2, 1, 1], block: 32 }, out, 7, 0, 0, 0, NOTHING);
      matmul.run({ a, b, d, workspace });
      device.fill32(out, 0);
      device.copy(other, out);
      return Promise.resolve();
    };
    await work(); // before it records, it only watches
    for (let again = 0; again < 2; again++) {
      const timed = await timer.record(work);
      assert.deepEqual(timed.map(({ what }) => nameOf(what)), ["echo", "cuBLASLt nt 4×8×16", "fill 512", "copy 1024"]);
      assert(timed.every(({ milliseconds }) => milliseconds === MILLISECONDS));
      const [launch, matmul] = timed;
      assert(launch !== undefined && "launch" in launch.what && launch.what.launch.args[1] === 7);
      assert(matmul !== undefined && "cost" in matmul.what && matmul.what.cost.flops === 2 * 4 * 8 * 16);
    }
    assert.deepEqual(await timer.record(() => Promise.resolve()), []);
    matmul.close();
    library.destroyHandle(handle);
    library.close();
  },
);
