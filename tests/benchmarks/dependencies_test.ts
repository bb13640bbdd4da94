import assert from "node:assert/strict";

const read = (path: string) => Deno.readTextFileSync(new URL(`../../${path}`, import.meta.url));

Deno.test("TensorFlow.js is pinned for the benchmark only, and no other task downloads it", () => {
  const specifiers = read("benchmarks/peers/tensorflow_api.ts").match(/npm:@tensorflow\/[^"]+/g) ?? [];
  assert.equal(specifiers.length, 2);
  const benchmarkLock = JSON.parse(read("benchmarks/deno.lock"));
  for (const specifier of specifiers) {
    assert.match(specifier, /@\d+\.\d+\.\d+$/);
    assert(specifier in benchmarkLock.specifiers, `benchmarks/deno.lock does not pin ${specifier}`);
  }
  assert(!read("deno.lock").includes("@tensorflow/"));
});

Deno.test("benchmarks/deno.lock knows the project's own dependencies, as its frozen use needs", () => {
  const { workspace } = JSON.parse(read("benchmarks/deno.lock"));
  assert.deepEqual(workspace, JSON.parse(read("deno.lock")).workspace);
});
