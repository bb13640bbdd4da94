/** What the Dockerfile makes: what the install steps leave, and the program in it as a user who owns none of it. */
import assert from "node:assert/strict";
import { IMAGE_FILE } from "../../src/container/describe.ts";
import type { ImageFacts } from "../../src/container/facts.ts";
import { readImageLock } from "../../src/container/image_lock.ts";
import { canonicalJson } from "../../src/digest/canonical_json.ts";
import { sha256 } from "../../src/digest/sha256.ts";
import { readDockerfile } from "../container/dockerfile.ts";
import { withFolder } from "../temporary_folder.ts";
import { buildImage, makePrograms, registryAnswers, run, serveDownloads } from "./container_image.ts";

const ignore = Deno.build.os !== "linux" || Deno.build.arch !== "x86_64";

/** Folders of the image that every user may write in. */
const OPEN_FOLDERS = ["out", ".cache", ".rewarm"];

const FACTS: ImageFacts = {
  bases: [{ name: "a stand-in", sha256: sha256("base") }],
  recipe: [{ name: "Dockerfile", sha256: sha256(await readDockerfile()) }],
  libraries: [],
  source: "unknown",
  revision: "unknown",
};

Deno.test({
  name: "the Dockerfile's install steps give an image that reproduces, verifies, and says what it is",
  ignore,
  fn: (t) =>
    withFolder(async (folder) => {
      if (!await registryAnswers(folder)) return;
      await Deno.chmod(folder, 0o755);
      const root = `${folder}/rewarm`;
      const programs = `${folder}/programs`;
      await makePrograms(programs);
      await Deno.mkdir(root);
      const downloads = await serveDownloads(`${folder}/downloads`);
      try {
        const env = {
          PATH: programs,
          DENO_DIR: `${folder}/deno`,
          NO_COLOR: "1",
          TFJS_NODE_CDN_STORAGE: `${downloads.address}/`,
          npm_config_tfjs_binding_binary_host_mirror: downloads.address,
        };
        const printed = await buildImage(root, env);
        await t.step(
          "only the install script of tfjs-node-gpu runs, and it leaves its files where the lockfile says",
          async () => {
            assert.equal(printed.match(/running '\w+' script/g)?.length, 1, printed);
            assert.match(printed, /Initialize @tensorflow\/tfjs-node-gpu@[\d.]+: running 'install' script/);
            assert.deepEqual(downloads.asked, [
              "/tensorflow/libtensorflow/libtensorflow-gpu-linux-x86_64-2.9.1.tar.gz",
              "/napi-v8/4.22.0/GPU-linux-4.22.0.tar.gz",
            ]);
            const { libraries } = await readImageLock();
            const own = libraries.filter(({ folder }) => folder !== undefined);
            assert.equal(own.length, 3);
            for (const { folder, file } of own) {
              assert.match(await Deno.readTextFile(`${root}/${folder}/${file}`), /^a stand-in for /);
            }
          },
        );
      } finally {
        await downloads.stop();
      }
      await t.step("installed packages need no cache afterwards", async () => {
        await assert.rejects(Deno.stat(`${folder}/deno`), Deno.errors.NotFound);
      });

      // From here on as a user who owns nothing of it, as in the container.
      for (const name of OPEN_FOLDERS) {
        await Deno.mkdir(`${root}/${name}`);
        await Deno.chmod(`${root}/${name}`, 0o1777);
      }
      await Deno.writeTextFile(`${root}/${IMAGE_FILE}`, canonicalJson(FACTS));
      const digest = sha256("the image");
      const rewarm = (...args: string[]) =>
        run(["sh", `${root}/src/container/entrypoint.sh`, ...args], {
          cwd: root,
          clearEnv: true,
          env: { PATH: programs, DENO_DIR: `${folder}/nowhere/deno`, REWARM_IMAGE_DIGEST: `sha256:${digest}` },
          ...(Deno.uid() === 0 ? { uid: 65534, gid: 65534 } : {}),
        });

      await t.step("an unknown subcommand ends with help", async () => {
        const { code, stderr } = await rewarm("reprodce");
        assert.equal(code, 2);
        assert.match(stderr, /Unknown command "reprodce": did you mean "reproduce"\?/);
        assert.match((await rewarm("help")).stdout, /\n {2}reproduce /);
      });
      await t.step("reproduce writes a manifest with the container in it", async () => {
        const { code, stdout, stderr } = await rewarm("reproduce", "--scale", "smoke", "--threads", "1");
        assert.equal(code, 0, stdout + stderr);
        const { payload } = JSON.parse(await Deno.readTextFile(`${root}/out/smoke/manifest.dsse.json`));
        const { predicate } = JSON.parse(new TextDecoder().decode(Uint8Array.fromBase64(payload)));
        assert.deepEqual(predicate.container, { image: { sha256: digest }, built: FACTS });
        const report = await Deno.readTextFile(`${root}/out/smoke/report.html`);
        assert(report.includes(`image sha256:${digest}, built from a stand-in, revision unknown`));
      });
      await t.step("verify checks it", async () => {
        const { code, stdout, stderr } = await rewarm("verify", "out/smoke/manifest.dsse.json");
        assert.equal(code, 0, stdout + stderr);
      });
      await t.step("the build stops where CUDA's libraries are missing", async () => {
        const { code, stderr } = await run(
          [`${programs}/deno`, "run", "--cached-only", "--frozen", "-A", "src/container/record_image.ts"],
          { cwd: root, env: { LD_LIBRARY_PATH: "" } },
        );
        assert.equal(code, 2, stderr);
        assert.match(stderr, /"tfjs_binding.node" of .*, for the engine tensorflow: .*\n.*IMAGE_LIBRARY_MISSING/s);
      });
    }),
});
