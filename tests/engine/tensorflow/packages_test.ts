/** TensorFlow.js's packages: pinned apart from the project's own, and loaded only where they are asked for. */
import assert from "node:assert/strict";
import { installedPackages } from "../../../src/engine/tensorflow/packages.ts";
import { withFolder } from "../../temporary_folder.ts";

const read = (path: string) => Deno.readTextFileSync(new URL(`../../../${path}`, import.meta.url));

Deno.test("lockfiles/tensorflow pins every package by exact version and digest, of one release", () => {
  const { imports, lock } = JSON.parse(read("lockfiles/tensorflow/deno.json"));
  const pinned = JSON.parse(read("lockfiles/tensorflow/deno.lock"));
  assert.equal(lock.frozen, true);
  assert("@tensorflow/tfjs-node-gpu" in imports);
  for (const [name, specifier] of Object.entries<string>(imports)) {
    assert.equal(specifier, `npm:${name}@4.22.0`);
    assert(specifier in pinned.specifiers, `the lockfile does not pin ${specifier}`);
  }
  for (const [name, entry] of Object.entries<{ integrity: string }>(pinned.npm)) {
    assert.match(entry.integrity, /^sha512-/, name);
  }
});

Deno.test("who does not use the TensorFlow engine does not download it", () => {
  assert(!read("deno.lock").includes("@tensorflow/"));
  const { imports } = JSON.parse(read("deno.json"));
  assert.deepEqual(Object.values<string>(imports).filter((specifier) => specifier.includes("@tensorflow/")), []);
});

Deno.test("installedPackages() says how a package that is missing is installed", async () => {
  await withFolder((folder) => {
    const packages = installedPackages(new URL(`file://${folder}/`));
    assert.throws(() => packages.load("@tensorflow/tfjs"), {
      code: "TENSORFLOW_NOT_INSTALLED",
      message:
        'The package "@tensorflow/tfjs" is not installed: run "deno task tensorflow:install" in the project\'s folder',
    });
    return Promise.resolve();
  });
});
