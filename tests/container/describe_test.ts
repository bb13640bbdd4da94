import assert from "node:assert/strict";
import fc from "fast-check";
import { describeContainer, DIGEST_VARIABLE, parseImageDigest } from "../../src/container/describe.ts";
import { containerInWords, containerSchema, type ImageFacts } from "../../src/container/facts.ts";
import { canonicalJson } from "../../src/digest/canonical_json.ts";
import { sha256 } from "../../src/digest/sha256.ts";
import { userError } from "../data/user_error.ts";
import { withFolder } from "../temporary_folder.ts";
import { present } from "../present.ts";

const digest = sha256("an image");
const FACTS: ImageFacts = {
  bases: [{ name: "nvidia/cuda:11.8.0", sha256: sha256("base") }, {
    name: "denoland/deno:2.9.6",
    sha256: sha256("deno"),
  }],
  recipe: [{ name: "Dockerfile", sha256: sha256("FROM") }],
  libraries: [{ name: "libnvrtc.so.11.2", sha256: sha256("library") }],
  source: "https://example.org/rewarm",
  revision: "0dff50d3c963534b03c8657387ede15825a215e4",
};

/** Calls `use` with the path of a file that holds a text. */
function withImageFile(text: string, use: (imageFile: string) => Promise<void>): Promise<void> {
  return withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/image.json`, text);
    await use(`${folder}/image.json`);
  });
}

Deno.test("describeContainer() says that there is no container when no build left a file", () =>
  withFolder(async (folder) => {
    const none = { none: "run outside the container" };
    assert.deepEqual(await describeContainer({ imageFile: `${folder}/image.json` }), none);
    assert.deepEqual(await describeContainer(), none, "the project's folder is no image");
    assert.equal(containerInWords(none), "run outside the container");
  }));

Deno.test("describeContainer() gives what the build left, and the digest it is told", () =>
  withImageFile(canonicalJson(FACTS), async (imageFile) => {
    const unnamed = await describeContainer({ imageFile });
    assert.deepEqual(present(unnamed), { built: FACTS });
    const named = await describeContainer({ imageFile, digest: `ghcr.io/someone/rewarm@sha256:${digest}` });
    assert.deepEqual(named, { image: { name: "ghcr.io/someone/rewarm", sha256: digest }, built: FACTS });
    for (const container of [unnamed, named]) assert.deepEqual(containerSchema.parse(container), container);
    assert.equal(
      containerInWords(named),
      `image ghcr.io/someone/rewarm@sha256:${digest}, built from nvidia/cuda:11.8.0 and denoland/deno:2.9.6, ` +
        `revision ${FACTS.revision}`,
    );
    assert.match(containerInWords(unnamed), /^image not named, built from /);
  }));

Deno.test("describeContainer() refuses a digest when there is no container", () =>
  withFolder(async (folder) => {
    await assert.rejects(
      describeContainer({ imageFile: `${folder}/image.json`, digest: `sha256:${digest}` }),
      userError("BAD_IMAGE_DIGEST", DIGEST_VARIABLE, "image.json", "unset it"),
    );
  }));

Deno.test("describeContainer() refuses a file that no build left", async () => {
  const refused = async (text: string, code: string, ...parts: string[]) => {
    await withImageFile(text, async (imageFile) => {
      await assert.rejects(describeContainer({ imageFile }), userError(code, imageFile, ...parts));
    });
  };
  await refused("", "BAD_IMAGE_FILE");
  await refused('{"source":"a","source":"b"}', "BAD_IMAGE_FILE", "not JSON");
  await refused("{}", "INVALID_FIELD", "bases is missing");
  await refused(canonicalJson({ ...FACTS, bases: [] }), "INVALID_FIELD", "bases");
  await refused(canonicalJson({ ...FACTS, more: 1 }), "INVALID_FIELD", "unknown key more");
  await refused(
    canonicalJson({ ...FACTS, recipe: [{ name: "Dockerfile", sha256: "FF" }] }),
    "INVALID_FIELD",
    "recipe[0].sha256",
  );
  await refused(" ".repeat(2 ** 21), "FILE_TOO_LARGE");
});

const names = fc.array(fc.stringMatching(/^[a-z0-9]{1,8}([._-][a-z0-9]{1,8})?$/), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join("/"));

Deno.test("parseImageDigest() takes what Docker prints of images", () => {
  assert.deepEqual(present(parseImageDigest(`sha256:${digest}`)), { sha256: digest });
  assert.deepEqual(parseImageDigest(`localhost:5000/rewarm@sha256:${digest}`), {
    name: "localhost:5000/rewarm",
    sha256: digest,
  });
  fc.assert(fc.property(names, fc.uint8Array({ minLength: 32, maxLength: 32 }), (name, bytes) => {
    assert.deepEqual(parseImageDigest(`${name}@sha256:${bytes.toHex()}`), { name, sha256: bytes.toHex() });
  }));
});

for (
  const text of [
    "",
    "rewarm",
    "rewarm:latest",
    digest,
    `sha256:${digest}0`,
    `sha256:${digest.toUpperCase()}`,
    `sha512:${digest}`,
    `@sha256:${digest}`,
    `Rewarm@sha256:${digest}`,
    `rewarm\u001b[2J@sha256:${digest}`,
    `rewarm@sha256:${digest}\n`,
    `${"a".repeat(300)}@sha256:${digest}`,
  ]
) {
  Deno.test(`parseImageDigest() refuses ${JSON.stringify(text.replace(digest, "…")).slice(0, 40)}`, () => {
    assert.throws(() => parseImageDigest(text), userError("BAD_IMAGE_DIGEST", "docker image inspect"));
  });
}

Deno.test("containerSchema refuses a manifest's container that says both, neither, or more", () => {
  for (
    const container of [
      {},
      { none: "" },
      { none: "outside", built: FACTS },
      { image: { sha256: digest } },
      { image: { name: "Upper", sha256: digest }, built: FACTS },
      { image: digest, built: FACTS },
      { built: { ...FACTS, libraries: [{ name: "libcuda.so.1" }] } },
    ]
  ) assert.equal(containerSchema.safeParse(container).success, false, JSON.stringify(container));
});
