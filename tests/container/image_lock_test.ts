import assert from "node:assert/strict";
import { imageName, imageReference, readImageLock } from "../../src/container/image_lock.ts";
import { CUBLASLT_LIBRARY, NVRTC_LIBRARY } from "../../src/engine/cuda/driver/library_search.ts";
import { userError } from "../data/user_error.ts";
import { withFolder } from "../temporary_folder.ts";

const text = await Deno.readTextFile(new URL("../../lockfiles/image.lock.yaml", import.meta.url));

Deno.test("readImageLock() reads the project's lockfile", async () => {
  const { platform, images, libraries } = await readImageLock();
  assert.equal(platform, "linux/amd64");
  assert.equal(imageName(images.deno), "denoland/deno:2.9.6");
  assert.equal(
    imageReference(images.base),
    "nvidia/cuda:11.8.0-cudnn8-runtime-ubuntu22.04@sha256:" +
      "85fb7ac694079fff1061a0140fd5b5a641997880e12112d92589c3bbb1e8b7ca",
  );
  assert(libraries.every(({ source }) => source.length > 0));
});

Deno.test("the lockfile of the image names the libraries of CUDA 11 that the CUDA engine asks for", async () => {
  const { libraries } = await readImageLock();
  for (const { names, what } of [NVRTC_LIBRARY, CUBLASLT_LIBRARY]) {
    const file = names.find(({ major }) => major === 11)?.file;
    assert(libraries.some((library) => library.file === file && library.engines.includes("cuda")), what);
  }
});

Deno.test("the lockfile says that its digests were read and not pulled", async () => {
  const { images } = await readImageLock();
  for (const { source } of Object.values(images)) assert.match(source, /^read .* not pulled here$/);
});

/** Edits of the lockfile, and what the message says of them. */
const REFUSED: readonly (readonly [what: string, from: string | RegExp, to: string, ...parts: string[]])[] = [
  ["a tag is latest", "tag: 2.9.6", "tag: latest", "images.deno.tag", '"latest"'],
  ["a digest is short", /sha256: "85fb../, 'sha256: "85fb', "images.base.sha256", "64 lower-case"],
  ["a digest is in upper case", 'sha256: "2014dc', 'sha256: "2014DC', "images.deno.sha256", "64 lower-case"],
  ["an image's name has a tag", "image: nvidia/cuda", "image: nvidia/cuda:11", "images.base.image", "without a tag"],
  ["a value has no source", /\n {4}source: read beside.*\n/, "\n", "images.base.source", "missing"],
  ["a library is elsewhere", "folder: lockfiles/", "folder: ../lockfiles/", "libraries[10].folder", "relative"],
  ["a library's file has a folder", "file: libcudnn.so.8", "file: lib/libcudnn.so.8", "libraries[9].file"],
  ["an engine is not known", "engines: [cuda]", "engines: [cudnn]", "libraries[0].engines[0]", "cuda"],
  ["a library stands there twice", "file: libcublas.so.11", "file: libcublasLt.so.11", "once"],
  ["the platform is another", "linux/amd64", "linux/arm64", "platform", "linux/amd64"],
  ["a key is not known", "version: 1\n", "version: 1\ndigest: 1\n", "unknown key digest"],
  ["the version is another", "version: 1\n", "version: 2\n", "version is 2"],
];

for (const [what, from, to, ...parts] of REFUSED) {
  Deno.test(`readImageLock() says where when ${what}`, () =>
    withFolder(async (folder) => {
      const edited = text.replace(from, to);
      assert.notEqual(edited, text);
      await Deno.writeTextFile(`${folder}/image.lock.yaml`, edited);
      await assert.rejects(
        readImageLock(`${folder}/image.lock.yaml`),
        userError("INVALID_FIELD", "image.lock.yaml", ...parts),
      );
    }));
}

Deno.test("readImageLock() names the file when it is missing or not text", () =>
  withFolder(async (folder) => {
    const path = `${folder}/image.lock.yaml`;
    await assert.rejects(readImageLock(path), userError("FILE_NOT_FOUND", path));
    await Deno.writeFile(path, Uint8Array.of(0xff, 0xfe, 0x00));
    await assert.rejects(readImageLock(path), userError("NOT_UTF8", path));
  }));
