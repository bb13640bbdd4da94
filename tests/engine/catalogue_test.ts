import assert from "node:assert/strict";
import { chooseEngine, describeMemory, DOCTOR_OPTIONS, ENGINE_OPTIONS, ENGINES } from "../../src/engine/catalogue.ts";
import { mixedArithmetic } from "../../src/engine/cuda/mixed/precision.ts";
import { kernelChoice } from "../../src/engine/exact/definition.ts";
import { ARITHMETIC_VERSION } from "../../src/engine/ordered/arithmetic.ts";
import { threadCount } from "../../src/engine/threads.ts";
import { UserError } from "../../src/errors.ts";
import { presetModel } from "../../src/model/presets.ts";
import { smallTraining } from "./fixture.ts";

const ROOT = new URL("../../", import.meta.url);

/** Texts of the files below a folder. */
async function* textsBelow(folder: URL, ending: string): AsyncGenerator<{ readonly path: string; text: string }> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const url = new URL(isDirectory ? `${name}/` : name, folder);
    if (isDirectory) yield* textsBelow(url, ending);
    else if (name.endsWith(ending)) {
      yield { path: url.pathname.slice(ROOT.pathname.length), text: await Deno.readTextFile(url) };
    }
  }
}

const texts = (folder: string, ending = ".ts") => Array.fromAsync(textsBelow(new URL(folder, ROOT), ending));

Deno.test("chooseEngine() knows what each engine promises before it is started", () => {
  const identityOf = (engine?: string) => chooseEngine(engine === undefined ? {} : { engine }).identity;
  const exact = { level: "machine_to_machine", arithmetic: ARITHMETIC_VERSION };
  assert.deepEqual(identityOf(), exact);
  assert.deepEqual(identityOf("exact"), exact);
  assert.deepEqual(identityOf("cuda-ordered"), exact);
  for (const precision of ["bf16", "fp16"] as const) {
    const identity = { level: "run_to_run", arithmetic: mixedArithmetic(precision) };
    assert.deepEqual(identityOf(`cuda-${precision}`), identity);
  }
});

Deno.test("chooseEngine() names the nearest engine when it does not know one", () => {
  assert.throws(
    () => chooseEngine({ engine: "cuda-orderd" }),
    (error) =>
      error instanceof UserError && error.code === "UNKNOWN_ENGINE" && error.message.includes('"cuda-ordered"'),
  );
});

Deno.test("the catalogue has every folder of src/engine/ that defines engines", async () => {
  const folders: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(new URL("src/engine/", ROOT))) {
    if (!isDirectory) continue;
    const files = await Array.fromAsync(Deno.readDir(new URL(`src/engine/${name}/`, ROOT)));
    if (files.some((file) => file.name === "definition.ts")) folders.push(name);
  }
  const catalogue = await Deno.readTextFile(new URL("src/engine/catalogue.ts", ROOT));
  const imported = [...catalogue.matchAll(/from "\.\/(\w+)\/definition\.ts"/g)].map(([, folder]) => folder);
  assert.deepEqual(imported.sort(), folders.sort());
  assert(folders.length >= 3, folders.join(", "));
});

Deno.test("every engine of the catalogue is put to the contract", async () => {
  const suites = (await texts("tests/engine/")).filter(({ text }) =>
    /^ *engineContract\($|^ *engineContract\("/m.test(text)
  );
  for (const { name } of ENGINES) assert(suites.some(({ text }) => text.includes(`"${name}"`)), name);
});

Deno.test("no file of the command line, of reproductions and of what checks them knows an engine by its name", async () => {
  const named = new RegExp(
    `["'\`](${ENGINES.map(({ name }) => name).join("|")})["'\`]|/engine/(exact|cuda|tensorflow)/`,
  );
  const files = (await Promise.all(
    ["cli", "reproduce", "train", "manifest", "report", "experiment", "inference", "attestation"]
      .map((folder) => texts(`src/${folder}/`)),
  )).flat();
  assert(files.length > 150, `${files.length} files`);
  // `deno task kernels` is about the kernels of one engine.
  const found = files.filter(({ text }) => named.test(text.replace(/\/\*[\s\S]*?\*\//g, ""))).map(({ path }) => path);
  assert.deepEqual(found, ["src/cli/commands/kernels.ts"]);
});

Deno.test("every engine names a task that reproduces with its permissions, and the documentation has it", async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  const documents = (await texts("docs/", ".md")).map(({ text }) => text).join("\n");
  for (const { name, task } of ENGINES) {
    assert.match(tasks[task].command, / src\/cli\/main\.ts reproduce /, name);
    assert(documents.includes(`\`${name}\``), `docs/ does not name ${name}`);
    assert(documents.includes(`| \`${task}\``), `docs/permissions.md does not name ${task}`);
  }
});

Deno.test("options of engines and of the doctor come from the catalogue", () => {
  const own = ["engine", "threads", "kernels", "device", "recompute", "cuda-lib", "backend"];
  assert.equal(Object.keys(ENGINE_OPTIONS)[0], "engine");
  assert.deepEqual(own.filter((name) => !Object.hasOwn(ENGINE_OPTIONS, name)), []);
  assert.deepEqual(["threads", "cuda", "cuda-lib"].filter((name) => !Object.hasOwn(DOCTOR_OPTIONS, name)), []);
  for (const { name } of ENGINES) assert(ENGINE_OPTIONS.engine.help.includes(name), name);
});

Deno.test("describeMemory() names the engine and its need, or says why it cannot hold a model", async () => {
  const huge = { ...smallTraining(), model: { ...presetModel("pythia-410m").config, layers: 4096 } };
  for (const { name: engine } of ENGINES) {
    const need = await describeMemory([smallTraining(), smallTraining({}, 4)], { engine, threads: 2 });
    assert.match(need, new RegExp(`\\b${engine}\\b.* takes \\d[\\d.]*[kMG]?B `));
  }
  assert.match(
    await describeMemory([huge], { threads: 2 }),
    /^The exact engine needs .* but WebAssembly addresses 4 GiB/,
  );
});

Deno.test("threadCount() refuses more threads than the exact engine takes", () => {
  assert.equal(threadCount({ threads: 3 }), 3);
  assert.throws(() => threadCount({ threads: 65 }), /at most 64/);
});

Deno.test("kernelChoice() is automatic unless told otherwise, and names the nearest choice to one that it does not know", () => {
  assert.equal(kernelChoice({}), "auto");
  assert.equal(kernelChoice({ kernels: "wasm" }), "wasm");
  assert.throws(
    () => kernelChoice({ kernels: "nativ" }),
    (error) => error instanceof UserError && error.code === "UNKNOWN_KERNELS" && error.message.includes('"native"'),
  );
});

Deno.test("speedHint() tells those of native kernels who could have them and did not decline", async () => {
  const isOffered = Deno.build.arch === "x86_64" && ["linux", "darwin", "windows"].includes(Deno.build.os);
  const hintFor = (values: { readonly engine?: string; readonly kernels?: string }) =>
    chooseEngine(values).speedHint?.(values, "reproduce:native");
  const hint = await hintFor({});
  assert.equal(hint?.includes("deno task reproduce:native"), isOffered ? true : undefined);
  assert.equal(await hintFor({ kernels: "wasm" }), undefined);
  assert.equal(await hintFor({ engine: "cuda-ordered" }), undefined);
});
