import assert from "node:assert/strict";
import { validate, ValidationSeverity } from "dockerfile-utils";
import { imageName, imageReference, readImageLock } from "../../src/container/image_lock.ts";
import { sha256 } from "../../src/digest/sha256.ts";
import { lastStage, parseDockerfile, PROJECT, readDockerfile } from "./dockerfile.ts";
import { offences, RULES } from "./dockerfile_rules.ts";

const dockerfile = await readDockerfile();
const steps = parseDockerfile(dockerfile);

/** A value that `ARG NAME=VALUE` gives. */
function argument(name: string): string | undefined {
  return steps.map(({ keyword, text }) => keyword === "ARG" ? new RegExp(`^${name}=(.*)$`).exec(text)?.[1] : undefined)
    .find((value) => value !== undefined);
}

/** The linter's findings, each with its line. */
function lint(text: string): string[] {
  const all = ValidationSeverity.ERROR;
  return validate(text, {
    deprecatedMaintainer: all,
    directiveCasing: all,
    emptyContinuationLine: all,
    instructionCasing: all,
    instructionCmdMultiple: all,
    instructionEntrypointMultiple: all,
    instructionHealthcheckMultiple: all,
    instructionJSONInSingleQuotes: all,
    instructionWorkdirRelative: all,
  }).map(({ message, range }) => `line ${range.start.line + 1}: ${message}`);
}

Deno.test("the Dockerfile gives the linter nothing to say", () => {
  assert.deepEqual(lint(dockerfile), []);
  assert.deepEqual(lint(dockerfile.replace("WORKDIR /rewarm\n", "WORKDIR rewarm\n")).length, 1);
});

Deno.test("the Dockerfile breaks no rule", () => {
  assert.deepEqual(offences(dockerfile), []);
});

/** Edits of the Dockerfile, and the rule that each one breaks. */
const BREAKS: readonly (readonly [rule: string, from: string | RegExp, to: string])[] = [
  ["every FROM names a digest", /@sha256:\w+\n/, "\n"],
  ["every FROM names a digest", /FROM nvidia\/cuda:[^@]+@/, "FROM nvidia/cuda@"],
  ["nothing is called latest", /denoland\/deno:2[.\d]+/, "denoland/deno:latest"],
  ["COPY takes from the context and from named stages", "--from=deno", "--from=krallin/ubuntu-tini"],
  ["ADD, which may fetch and unpack, is not used", "COPY . .", "ADD https://example.org/rewarm.tar.gz ."],
  [
    "RUN fetches nothing that is not locked",
    "RUN groupadd",
    "RUN apt-get update && apt-get install -y tini && groupadd",
  ],
  ["RUN pipes nothing into a shell", "RUN groupadd", "RUN cat install.sh | sh && groupadd"],
  ["RUN pipes nothing into a shell", "RUN groupadd", "RUN cat install.sh \\\n    | bash -s && groupadd"],
  ["deno installs by the lockfile only", "RUN deno install --frozen", "RUN deno install"],
  ["an install runs no script, or named ones", '--allow-scripts="$TENSORFLOW"', "--allow-scripts"],
  ["packages are installed before the source is copied", "COPY deno.json deno.lock ./", "COPY . ."],
  ["the image runs as a user by number, and not as root", "USER 1000:1000\n", ""],
  ["the image runs as a user by number, and not as root", "USER 1000:1000", "USER rewarm"],
  ["the image runs as a user by number, and not as root", "USER 1000:1000", "USER 0:0"],
  ["nothing runs as root after USER", "USER 1000:1000", "USER 1000:1000\nRUN chmod -R a+w /rewarm"],
  ["ENTRYPOINT, CMD and HEALTHCHECK start no shell of their own", /ENTRYPOINT .*/, "ENTRYPOINT sh entrypoint.sh"],
  ["ENTRYPOINT, CMD and HEALTHCHECK start no shell of their own", /HEALTHCHECK .*\n.*\n/, ""],
  ["no name and no value looks like a secret", "ARG SOURCE", "ARG REGISTRY_TOKEN\nARG SOURCE"],
];

for (const [rule, from, to] of BREAKS) {
  Deno.test(`offences() says "${rule}" when ${JSON.stringify(to).slice(0, 60)} stands in the Dockerfile`, () => {
    const edited = dockerfile.replace(from, to);
    assert.notEqual(edited, dockerfile);
    assert(offences(edited).some((offence) => offence.startsWith(`${rule}: `)), offences(edited).join("\n"));
  });
}

Deno.test("every rule for Dockerfiles is seen to be broken by some edit", () => {
  assert.deepEqual(new Set(BREAKS.map(([rule]) => rule)), new Set(Object.keys(RULES)));
});

Deno.test("the Dockerfile builds from the images that lockfiles/image.lock.yaml pins, and from no others", async () => {
  const { images: { base, deno } } = await readImageLock();
  const from = steps.filter(({ keyword }) => keyword === "FROM").map(({ text }) => text);
  assert.deepEqual(from, [`${imageReference(deno)} AS deno`, imageReference(base)]);
  const labels = lastStage(steps).find(({ keyword }) => keyword === "LABEL")?.text ?? "";
  assert(labels.includes(`org.opencontainers.image.base.name="docker.io/${imageName(base)}"`), labels);
  assert(labels.includes(`org.opencontainers.image.base.digest="sha256:${base.sha256}"`), labels);
});

Deno.test("the Dockerfile's label names the lockfile as it is", async () => {
  const digest = sha256(await Deno.readFile(new URL("lockfiles/image.lock.yaml", PROJECT)));
  assert.equal(argument("IMAGE_LOCK_SHA256"), digest, "write this digest into the Dockerfile");
});

Deno.test("the image's Deno is the one that the project is tested with", async () => {
  const { images: { deno } } = await readImageLock();
  const ci = await Deno.readTextFile(new URL(".ci/run", PROJECT));
  assert.equal(/deno@([\d.]+)/.exec(ci)?.[1], deno.tag);
});

Deno.test("the only script that an install may run is that of the TensorFlow.js package that is pinned", async () => {
  const { imports } = JSON.parse(await Deno.readTextFile(new URL("lockfiles/tensorflow/deno.json", PROJECT)));
  assert.equal(argument("TENSORFLOW"), imports["@tensorflow/tfjs-node-gpu"]);
});

Deno.test("every argument of the build is used", () => {
  const names = steps.flatMap(({ keyword, text }) => keyword === "ARG" ? [text.split("=")[0] ?? ""] : []);
  const recorder = Deno.readTextFileSync(new URL("src/container/record_image.ts", PROJECT));
  const uses = `${steps.filter(({ keyword }) => keyword !== "ARG").map(({ text }) => text).join("\n")}\n${recorder}`;
  assert.deepEqual(names.filter((name) => !new RegExp(`\\$${name}\\b|get\\("${name}"\\)`).test(uses)), []);
  assert.equal(names.length, 4);
});
