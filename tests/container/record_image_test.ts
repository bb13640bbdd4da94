import assert from "node:assert/strict";
import { imageFactsSchema } from "../../src/container/facts.ts";
import { readImageLock } from "../../src/container/image_lock.ts";
import { recordImage, type RecordOptions } from "../../src/container/record_image.ts";
import { sha256 } from "../../src/digest/sha256.ts";
import { userError } from "../data/user_error.ts";
import { withFolder } from "../temporary_folder.ts";

const lock = await readImageLock();
const RECIPE = ["Dockerfile", "deno.lock", "lockfiles/image.lock.yaml", "lockfiles/tensorflow/deno.lock"];

/** Calls `use` with options for a folder that stands for an image, where every library is one file. */
function withImage(use: (options: RecordOptions, asked: string[]) => Promise<void>): Promise<void> {
  return withFolder(async (root) => {
    await Deno.mkdir(`${root}/lockfiles/tensorflow`, { recursive: true });
    for (const name of RECIPE) await Deno.writeTextFile(`${root}/${name}`, name);
    await Deno.writeTextFile(`${root}/library`, "native code");
    const asked: string[] = [];
    const load = (name: string) => {
      asked.push(name.replace(`${root}/`, ""));
      return Promise.resolve(`${root}/library`);
    };
    await use({ root, lock, platform: "linux/amd64", tensorflow: true, source: "here", revision: "1a2b", load }, asked);
  });
}

Deno.test("recordImage() measures recipe and libraries, and takes the bases from the lockfile", () =>
  withImage(async (options, asked) => {
    const facts = await recordImage(options);
    assert.deepEqual(imageFactsSchema.parse(facts), facts);
    assert.deepEqual(facts.bases.map(({ sha256 }) => sha256), [lock.images.base.sha256, lock.images.deno.sha256]);
    assert.deepEqual(facts.recipe, RECIPE.map((name) => ({ name, sha256: sha256(name) })));
    assert.deepEqual(
      facts.libraries,
      lock.libraries.map(({ file }) => ({ name: file, sha256: sha256("native code") })),
    );
    assert.deepEqual([facts.source, facts.revision], ["here", "1a2b"]);
    assert(asked.includes("libnvrtc.so.11.2"), "the loader finds CUDA's libraries by their names");
    assert(
      asked.includes("lockfiles/tensorflow/node_modules/@tensorflow/tfjs-node-gpu/lib/napi-v8/tfjs_binding.node"),
      "TensorFlow's lie in the project's folder",
    );
  }));

Deno.test("recordImage() leaves TensorFlow's own libraries out when they were not installed", () =>
  withImage(async (options, asked) => {
    const facts = await recordImage({ ...options, tensorflow: false });
    assert(facts.libraries.some(({ name }) => name === "libcudnn.so.8"));
    assert(!asked.some((name) => name.includes("tensorflow")), asked.join(" "));
  }));

Deno.test("recordImage() names every library that cannot be loaded, in the loader's words", () =>
  withImage(async (options) => {
    const load = (name: string) =>
      /cudnn|nvrtc-builtins/.test(name) ? Promise.reject(new Error(`${name}: no such file`)) : options.load(name);
    await assert.rejects(
      recordImage({ ...options, load }),
      userError(
        "IMAGE_LIBRARY_MISSING",
        '"libcudnn.so.8" of libcudnn8',
        "for the engine tensorflow: libcudnn.so.8: no such file",
        '"libnvrtc-builtins.so.11.8" of cuda-nvrtc-11-8',
        "2 of the libraries",
        "docs/container.md",
      ),
    );
  }));

Deno.test("recordImage() stops when the image is for another machine", () =>
  withImage(async (options) => {
    await assert.rejects(
      recordImage({ ...options, platform: "linux/arm64" }),
      userError("IMAGE_PLATFORM", "linux/arm64", "--platform linux/amd64"),
    );
  }));
