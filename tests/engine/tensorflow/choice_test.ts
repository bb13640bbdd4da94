/** The choice of a backend, with packages that only say whether they start. */
import assert from "node:assert/strict";
import { UserError } from "../../../src/errors.ts";
import { chooseBackend } from "../../../src/engine/tensorflow/choice.ts";
import { createTensorFlowEngine, describeBackend } from "../../../src/engine/tensorflow/engine.ts";
import type { TensorFlowPackages } from "../../../src/engine/tensorflow/packages.ts";

/** TensorFlow.js in which some backends start, and nothing computes. */
function packagesWith(...starting: string[]): TensorFlowPackages & { readonly loaded: string[] } {
  const loaded: string[] = [];
  const nothing = () => {};
  const tf = {
    version_core: "4.22.0",
    tensor: nothing,
    variable: nothing,
    tidy: nothing,
    variableGrads: nothing,
    customGrad: nothing,
    matMul: nothing,
    getKernel: nothing,
    registerBackend: nothing,
    memory: nothing,
    backend: () => ({}),
    setBackend: (name: string) => Promise.resolve(starting.includes(name)),
  };
  return {
    loaded,
    load(name) {
      loaded.push(name);
      if (name.startsWith("@tensorflow/tfjs-node")) throw new UserError("TENSORFLOW_NOT_INSTALLED", name);
      return name === "@tensorflow/tfjs" ? tf : {};
    },
  };
}

Deno.test("chooseBackend() takes the first backend that runs, and keeps the reason of each one before it", async () => {
  const { backend, refusals } = await chooseBackend(packagesWith("wasm", "cpu"));
  assert.equal(backend.name, "wasm");
  assert.deepEqual(refusals.map(({ backend }) => backend), ["tfjs-node-gpu", "tfjs-node", "webgpu"]);
  for (const { reason } of refusals) assert.notEqual(reason, "");
  assert.match(refusals[0]?.reason ?? "", /^it needs --allow-ffi( and --allow-env(=\w+)?)?$|^it is not installed$/);
});

Deno.test("chooseBackend() goes on to the last backend when those before it do not start", async () => {
  const { backend, refusals } = await chooseBackend(packagesWith("cpu"));
  assert.equal(backend.name, "cpu");
  assert.deepEqual(refusals.at(-1), { backend: "wasm", reason: "TensorFlow.js could not start it" });
});

Deno.test("chooseBackend() starts a backend that is asked for by name, and loads no other", async () => {
  const packages = packagesWith("wasm", "cpu");
  const { backend, refusals } = await chooseBackend(packages, "cpu");
  assert.equal(backend.name, "cpu");
  assert.deepEqual(refusals, []);
  assert.deepEqual([...new Set(packages.loaded)], ["@tensorflow/tfjs"]);
});

Deno.test("chooseBackend() never replaces a backend that is asked for by name", async () => {
  await assert.rejects(chooseBackend(packagesWith("cpu"), "wasm"), {
    name: "UserError",
    code: "BACKEND_UNAVAILABLE",
    message: 'The backend "wasm" of TensorFlow.js does not run here, since TensorFlow.js could not start it: ' +
      'docs/tensorflow.md says what it needs; without "--backend", the first that runs is taken',
  });
});

Deno.test("chooseBackend() suggests a name for an unknown backend", async () => {
  await assert.rejects(chooseBackend(packagesWith("cpu"), "wsam"), {
    code: "UNKNOWN_BACKEND",
    message: 'Unknown backend "wsam": did you mean "wasm"? (known: tfjs-node-gpu, tfjs-node, webgpu, wasm, cpu)',
  });
});

Deno.test("chooseBackend() says once what is missing where TensorFlow.js is not installed", async () => {
  const load = () => {
    throw new UserError("TENSORFLOW_NOT_INSTALLED", "not installed");
  };
  await assert.rejects(chooseBackend({ load }), { code: "TENSORFLOW_NOT_INSTALLED", message: "not installed" });
});

Deno.test("chooseBackend() refuses a package that is not TensorFlow.js", async () => {
  await assert.rejects(chooseBackend({ load: () => ({ version_core: "9" }) }), /is not TensorFlow\.js as this engine/);
});

Deno.test("describeBackend() names the backend, its device and versions, and every refusal", async () => {
  const engine = await createTensorFlowEngine({ backend: "cpu", packages: packagesWith("cpu") });
  const refusals = [
    { backend: "tfjs-node", reason: "it is not installed" },
    { backend: "wasm", reason: "TensorFlow.js could not start it" },
  ] as const;
  assert.equal(
    describeBackend({ ...engine, refusals }),
    "backend   cpu: CPU, one thread; @tensorflow/tfjs 4.22.0\n" +
      "  not tfjs-node  it is not installed\n" +
      "  not wasm       TensorFlow.js could not start it",
  );
});

Deno.test("createTensorFlowEngine() promises no bits, and says what computes", async () => {
  const engine = await createTensorFlowEngine({ backend: "cpu", packages: packagesWith("cpu") });
  assert.equal(engine.level, "not_guaranteed");
  assert.equal(engine.arithmetic, "tensorflow-f32/1");
  assert.deepEqual(engine.description, { backend: "cpu", device: "CPU, one thread", "@tensorflow/tfjs": "4.22.0" });
  assert.deepEqual(engine.machine, { gpu: "none", libraries: { "@tensorflow/tfjs": "4.22.0" } });
});
