/**
 * The Dockerfile carried out without a container engine, as far as that goes: what it copies and what it installs, in a
 * clean folder with an empty cache and no program but Deno and a few of the system's.
 */
import assert from "node:assert/strict";
import { lastStage, parseDockerfile, PROJECT, readDockerfile } from "../container/dockerfile.ts";
import { buildContext, filesBelow } from "../container/ignored_files.ts";

/** Programs of the base image that the install steps and the entrypoint may call. There is no Node.js among them. */
const PROGRAMS = ["sh", "env", "rm", "dirname", "stat", "id", "uname", "ldd", "cat"];

/** What a program left. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, without input. */
export async function run(command: readonly string[], options: Deno.CommandOptions): Promise<Ended> {
  const [program = "", ...args] = command;
  const { code, stdout, stderr } = await new Deno.Command(program, { args, ...options, stdin: "null" }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** A folder of programs in which nothing else is found. */
export async function makePrograms(folder: string): Promise<void> {
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
export async function buildImage(root: string, env: Record<string, string>): Promise<string> {
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
export async function serveDownloads(
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
export async function registryAnswers(folder: string): Promise<boolean> {
  const { code, stderr } = await run([Deno.execPath(), "cache", "--no-config", "--no-lock", "npm:hash-wasm@4.13.0"], {
    cwd: folder,
    env: { DENO_DIR: `${folder}/probe` },
  });
  if (code !== 0) console.error(`npm's registry does not answer, so that nothing is installed: ${stderr}`);
  return code === 0;
}
