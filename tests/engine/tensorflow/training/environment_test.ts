import assert from "node:assert/strict";
import process from "node:process";
import { installedPackages } from "../../../../src/engine/tensorflow/packages.ts";
import { chooseBackend } from "../../../../src/engine/tensorflow/choice.ts";

Deno.test("packages see an environment of no variables, and need none", async () => {
  Deno.env.set("HF_TOKEN", "a secret");
  const packages = installedPackages();
  assert.deepEqual(Object.keys(process.env), []);
  assert.equal(process.env["HF_TOKEN"], undefined);
  packages.load("@tensorflow/tfjs");
  const { backend } = await chooseBackend(packages, "cpu");
  assert.equal(backend.name, "cpu");
});

Deno.test("the loader of the native bindings comes as far as its library without a variable", () => {
  // Not installed by default: its library is fetched by a script that has to be allowed.
  const error = (() => {
    try {
      installedPackages().load("@tensorflow/tfjs-node-gpu");
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  })();
  assert.doesNotMatch(error ?? "", /env access/);
  if (error !== undefined) assert.match(error, /native addon module|not installed|shared object/);
});
