/**
 * What the Dockerfile makes, made without a container engine: its COPY and install steps in a clean folder with an empty
 * cache and no program but Deno and a few of the system's, then the program in it, as a user who owns none of it.
 */
import assert from "node:assert/strict";
import { IMAGE_FILE } from "../../src/container/describe.ts";
import type { ImageFacts } from "../../src/container/facts.ts";
import { readImageLock } from "../../src/container/image_lock.ts";
import { canonicalJson } from "../../src/digest/canonical_json.ts";
import { sha256 } from "../../src/digest/sha256.ts";
import { lastStage, parseDockerfile, PROJECT, readDockerfile } from "../container/dockerfile.ts";
import { buildContext, filesBelow } from "../container/ignored_files.ts";
import { withFolder } from "../temporary_folder.ts";

const ignore = Deno.build.os !== "linux" || Deno.build.arch !== "x86_64";

/** Programs of the base image that the install steps and the entrypoint may call. There is no Node.js among them. */
const PROGRAMS = ["sh", "env", "rm", "dirname", "stat", "id", "uname", "ldd", "cat"];
/** Folders of the image that every user may write in. */
const OPEN_FOLDERS = ["out", ".cache", ".rewarm"];

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(command: readonly string[], options: Deno.CommandOptions): Promise<Ended> {
  const [program = "", ...args] = command;
  const { code, stdout, stderr } = await new Deno.Command(program, { args, ...options, stdin: "null" }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** A folder of programs in which nothing else is found. */
async function makePrograms(folder: string): Promise<void> {
  await Deno.mkdir(folder);
  await Deno.copyFile(Deno.execPath(), `${folder}/deno`);
  for (const name of PROGRAMS) {
    const { stdout } = await run(["sh", "-c", `command -v ${name}`], {});
    await Deno.symlink(stdout.trim(), `${folder}/${name}`);
  }
}

/** Files of the build's context that a COPY takes, by their place in the image below its working folder. */
async function copied(source: string, target: string): Promise<[from: string, to: string][]> {
  const inContext = await buildContext();
  const files: [string, string][] = [];
  const add = (path: string, to: string) => inContext(path) ? files.push([path, to]) : 0;
  if (source === ".") {
    for await (const { name, isDirectory } of Deno.readDir(PROJECT)) {
      if (!isDirectory) add(name, name);
      else if (["src", "experiments", "lockfiles"].includes(name)) {
        for await (const path of filesBelow(name)) add(path, path);
      } else assert(!inContext(name), `"${name}" is let into the build`);
    }
  } else if ((await Deno.stat(new URL(source, PROJECT))).isDirectory) {
    for await (const path of filesBelow(source)) add(path, target + path.slice(source.length));
  } else add(source, target.endsWith("/") ? `${target}${source}` : target);
  return files;
}

/** Carries out the Dockerfile's COPY, WORKDIR and `deno install`; what the installs printed. */
async function buildImage(root: string, env: Record<string, string>): Promise<string> {
  const place = (path: string) =>
    path.startsWith("/rewarm") ? root + path.slice("/rewarm".length) : `${folder}/${path}`;
  const variables = { ...env };
  let folder = root;
  let printed = "";
  for (const { keyword, text, flags } of lastStage(parseDockerfile(await readDockerfile()))) {
    if (keyword === "WORKDIR") folder = place(text);
    if (keyword === "ARG") {
      const [, name = "", value = ""] = /^(\w+)=(.*)$/.exec(text) ?? [];
      variables[name] = value;
    }
    if (keyword === "COPY" && !flags.has("from")) {
      const words = text.split(" ");
      for (const source of words.slice(0, -1)) {
        for (const [from, to] of await copied(source, words.at(-1) ?? "")) {
          const path = place(to);
          await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
          await Deno.copyFile(new URL(from, PROJECT), path);
        }
      }
    }
    if (keyword === "RUN" && text.includes("deno install")) {
      const { code, stdout, stderr } = await run(["sh", "-c", text], { cwd: folder, env: variables });
      printed += stdout + stderr;
      assert.equal(code, 0, `${text}\n${printed}`);
    }
  }
  return printed;
}

/** Serves what TensorFlow.js's install script downloads, with text in place of code; its address and what was asked for. */
async function serveDownloads(
  folder: string,
): Promise<{ address: string; asked: string[]; stop: () => Promise<void> }> {
  const archives = {
    "libtensorflow-gpu-linux-x86_64-2.9.1.tar.gz": ["lib/libtensorflow.so.2", "lib/libtensorflow_framework.so.2"],
    "GPU-linux-4.22.0.tar.gz": ["napi-v8/tfjs_binding.node"],
  };
  for (const [archive, files] of Object.entries(archives)) {
    for (const file of files) {
      await Deno.mkdir(`${folder}/${file.slice(0, file.lastIndexOf("/"))}`, { recursive: true });
      await Deno.writeTextFile(`${folder}/${file}`, `a stand-in for ${file}`);
    }
    const { code, stderr } = await run(["tar", "czf", archive, ...files], { cwd: folder });
    assert.equal(code, 0, stderr);
  }
  const script = new URL("download_stand_in.ts", import.meta.url).pathname;
  const server = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-config", "--allow-read", "--allow-net=127.0.0.1", script, folder],
    stdout: "piped",
  }).spawn();
  const asked: string[] = [];
  const { promise: address, resolve, reject } = Promise.withResolvers<string>();
  const reading = (async () => {
    let rest = "";
    for await (const text of server.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) line.startsWith("http:") ? resolve(line) : asked.push(line);
    }
    reject(new Error("The server of downloads ended"));
  })();
  const stop = async () => {
    server.kill();
    await server.status;
    await reading;
  };
  return { address: await address, asked, stop };
}

/** Whether npm's registry answers: without it no image can be built, here or anywhere. */
async function registryAnswers(folder: string): Promise<boolean> {
  const { code, stderr } = await run([Deno.execPath(), "cache", "--no-config", "--no-lock", "npm:hash-wasm@4.13.0"], {
    cwd: folder,
    env: { DENO_DIR: `${folder}/probe` },
  });
  if (code !== 0) console.error(`npm's registry does not answer, so that nothing is installed: ${stderr}`);
  return code === 0;
}

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
