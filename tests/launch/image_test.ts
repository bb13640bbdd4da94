import assert from "node:assert/strict";
import { hasCode } from "../../src/errors.ts";
import { imageOutput, pinnedImage } from "../../src/launch/image.ts";

const DIGEST = `sha256:${"0123456789abcdef".repeat(4)}`;

Deno.test("pinnedImage() takes images by their digests alone", () => {
  for (const name of ["rewarm", "ghcr.io/someone/rewarm", "registry.example:5000/a/b", "rewarm:0.3.0"]) {
    assert.deepEqual(pinnedImage(`${name}@${DIGEST}`), { reference: `${name}@${DIGEST}`, digest: DIGEST });
  }
  for (
    const text of [
      "rewarm",
      "rewarm:latest",
      `rewarm@${DIGEST}0`,
      `@${DIGEST}`,
      `a b@${DIGEST}`,
      `-x@${DIGEST}`,
      DIGEST,
    ]
  ) {
    assert.throws(() => pinnedImage(text), (error) => hasCode(error, "BAD_IMAGE_DIGEST"), text);
  }
  assert.throws(() => pinnedImage(undefined), (error) => hasCode(error, "MISSING_OPTION"));
});

Deno.test("imageOutput() puts the output folder into the volume that all workers share", () => {
  for (const text of ["paper", "out/paper", "./out/paper", "/rewarm/out/paper", "/rewarm/out/paper/", "paper/"]) {
    assert.equal(imageOutput(text, "tiny"), "/rewarm/out/paper", text);
  }
  assert.equal(imageOutput(undefined, "tiny"), "/rewarm/out/tiny");
  assert.equal(imageOutput("a/b", "tiny"), "/rewarm/out/a/b");
});

Deno.test("imageOutput() refuses folders that the workers do not share", () => {
  for (
    const text of [
      "/data/paper",
      "/rewarm/out",
      "/rewarm/outside/a",
      "..",
      "../x",
      "a/../../b",
      "a b",
      "$(id)",
      "",
      "/rewarm/out/../x",
    ]
  ) {
    assert.throws(() => imageOutput(text, "tiny"), (error) => hasCode(error, "UNSAFE_PATH"), text);
  }
});
