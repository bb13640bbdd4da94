import assert from "node:assert/strict";
import { buildContext, filesBelow } from "./ignored_files.ts";

const inContext = await buildContext();

for (
  const path of [
    ".rewarm/signing-key.pem",
    "signing-key.pem",
    "src/signing-key.pem",
    "lockfiles/my.key",
    ".env",
    "src/.env",
    ".git/config",
    ".gitignore",
    ".cache/data/corpus.bin",
    "out/tiny/manifest.dsse.json",
    "node_modules/zod/package.json",
    "lockfiles/tensorflow/node_modules/@tensorflow/tfjs/package.json",
    "experiments/.DS_Store",
    "tests/container/dockerignore_test.ts",
    "benchmarks/speed.ts",
    "docs/container.md",
    "notes.txt",
  ]
) {
  Deno.test(`.dockerignore keeps ${path} out`, () => assert.equal(inContext(path), false));
}

Deno.test(".dockerignore lets in every file that the program is made of", async () => {
  const files = ["Dockerfile", "LICENSE", "deno.json", "deno.lock", "mod.ts"];
  for (const folder of ["src", "experiments", "lockfiles"]) {
    for await (const path of filesBelow(folder)) if (!path.includes("/node_modules/")) files.push(path);
  }
  assert(files.length > 200, `${files.length} files`);
  assert.deepEqual(files.filter((path) => !inContext(path)), []);
});
