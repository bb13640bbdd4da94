import assert from "node:assert/strict";
import { main } from "../../src/cli/main.ts";
import { output } from "./output.ts";
import { withFolder } from "../temporary_folder.ts";

async function withFile(name: string, contents: string | Uint8Array, use: (path: string) => Promise<void>) {
  await withFolder(async (folder) => {
    const path = `${folder}/${name}`;
    if (typeof contents === "string") await Deno.writeTextFile(path, contents);
    else await Deno.writeFile(path, contents);
    await use(path);
  });
}

for (
  const { args, code, message } of [
    { args: ["reproduec"], code: "UNKNOWN_COMMAND", message: /Unknown command "reproduec": did you mean "reproduce"/ },
    {
      args: ["plan", "--scale", "tinny"],
      code: "UNKNOWN_SCALE",
      message: /Unknown scale "tinny": did you mean "tiny"/,
    },
    {
      args: ["plan", "--only", "warmup-lenght"],
      code: "UNKNOWN_EXPERIMENT",
      message: /Unknown experiment "warmup-lenght": did you mean "warmup-length"/,
    },
    {
      args: ["plan", "--only", "max-learning-rate/3x"],
      code: "UNKNOWN_ARM",
      message: /Unknown arm "max-learning-rate\/3x": did you mean "max-learning-rate\/[0-9.]+x"/,
    },
    { args: ["constructor"], code: "UNKNOWN_COMMAND", message: /Unknown command "constructor"/ },
    { args: ["__proto__", "--help"], code: "UNKNOWN_COMMAND", message: /Unknown command "__proto__"/ },
    { args: ["plan", "--gpu", "toString"], code: "UNKNOWN_GPU", message: /Unknown GPU "toString"/ },
    { args: ["plan", "--engine", "exakt"], code: "UNKNOWN_ENGINE", message: /did you mean "exact"/ },
    { args: ["reproduce", "--engine", "cuda9"], code: "UNKNOWN_ENGINE", message: /Unknown engine "cuda9"/ },
    { args: ["reproduce", "--threads", "65"], code: "TOO_MANY_THREADS", message: /at most 64/ },
    { args: ["reproduce", "--kernels", "wsam"], code: "UNKNOWN_KERNELS", message: /"wsam": did you mean "wasm"/ },
    { args: ["reproduce", "--kernels", "native"], code: "NO_NATIVE_KERNELS", message: /without --allow-ffi/ },
    {
      args: ["verify", "a", "--retrain", "1", "--kernels", "native"],
      code: "NO_NATIVE_KERNELS",
      message: /"verify" loads no native code/,
    },
    { args: ["reproduce", "--upstream", "a.txt"], code: "MISSING_CORPUS", message: /No downstream files are given/ },
    { args: ["reproduce", "--scale", "paper"], code: "NOT_LOCKED", message: /run "deno task data lock" first/ },
    { args: ["reproduce", "--transport", "mpii"], code: "UNKNOWN_OPTION", message: /did you mean "mpi"/ },
    { args: ["reproduce", "--transport", "mpi"], code: "NO_RANKS", message: /start it by "mpirun -n RANKS/ },
    {
      args: ["reproduce", "--transport", "mpi", "--plan-only"],
      code: "UNUSED_OPTION",
      message: /"--transport" is for training: leave it out with "--plan-only"/,
    },
    { args: ["reproduce", "--rank-timeout", "9"], code: "UNUSED_OPTION", message: /add --transport mpi/ },
    {
      args: ["launch", "kubernetes", "--claim", "c", "--ranks", "2"],
      code: "UNUSED_OPTION",
      message: /"--ranks" is for Slurm/,
    },
    {
      args: ["launch", "skypilot", "--volume", "v", "--accelerators", "H100:1", "--ranks", "2"],
      code: "UNUSED_OPTION",
      message: /"--ranks" is for Slurm/,
    },
    {
      args: ["launch", "slurm", "--scale", "smoke", "--out", "out/none", "--ranks", "3"],
      code: "TOO_MANY_RANKS",
      message: /3 ranks cannot share a step of run ".*", which has 2 gradient blocks: give at most --ranks 2/,
    },
    {
      args: ["launch", "slurm", "--scale", "smoke", "--out", "out/none", "--mpi", "pmix"],
      code: "UNUSED_OPTION",
      message: /"--mpi" is for "--ranks"/,
    },
    {
      args: ["launch", "slurm", "--scale", "smoke", "--out", "out/none", "--ranks", "2", "--engine", "cuda-bf16"],
      code: "TOO_MANY_RANKS",
      message: /2 ranks cannot share a step of run ".*", which has 1 pair of gradient blocks: give at most --ranks 1/,
    },
    {
      args: ["launch", "slurm", "--scale", "smoke", "--out", "out/none", "--ranks", "2", "--engine", "tensorflow"],
      code: "NOT_SHAREABLE",
      message: /The engine "tensorflow" cannot share its steps/,
    },
    { args: ["verify"], code: "MISSING_ARGUMENT", message: /No manifest is named/ },
    { args: ["verify", "a", "b"], code: "UNKNOWN_ARGUMENT", message: /Unexpected argument "b"/ },
  ]
) {
  Deno.test(`main() explains what is wrong with "${args.join(" ")}"`, async () => {
    await assert.rejects(main(args), { name: "UserError", code, message });
  });
}

for (
  const { name, contents, message } of [
    { name: "empty.txt", contents: "", message: /empty\.txt/ },
    { name: "latin1.txt", contents: Uint8Array.of(0x61, 0xe9, 0x20), message: /latin1\.txt.*UTF-8/ },
    { name: "short.txt", contents: "only a few words", message: /./ },
    { name: "bad.jsonl", contents: '{"text":"a"}\n{"text":\n', message: /bad\.jsonl.*line 2/ },
    { name: "fields.jsonl", contents: '{"txt":"a"}\n', message: /fields\.jsonl/ },
    { name: "words.docx", contents: "words", message: /words\.docx/ },
  ]
) {
  Deno.test(`main() names what is wrong with the corpus "${name}"`, async () => {
    await withFile(name, contents, async (path) => {
      const args = ["reproduce", "--scale", "smoke", "--upstream", path, "--downstream", path, "--out", `${path}.out`];
      await assert.rejects(main(args), { name: "UserError", message });
    });
  });
}

Deno.test("main() names a corpus that is not there", async () => {
  const args = ["plan", "--scale", "smoke", "--upstream", "nowhere.txt", "--downstream", "nowhere.txt"];
  await assert.rejects(main(args), { name: "UserError", message: /nowhere\.txt/ });
});

Deno.test("main() says that a manifest could not be checked, with exit code 2, when it is not there", async () => {
  const { code, text } = await output(["verify", "nowhere/manifest.dsse.json"]);
  assert.equal(code, 2);
  assert.match(text, /Could not check/);
});

Deno.test("main() fails a manifest that is not JSON, with exit code 1", async () => {
  await withFile("manifest.dsse.json", "not JSON", async (path) => {
    const { code, text } = await output(["verify", path]);
    assert.equal(code, 1);
    assert.match(text, /Failed: envelope/);
  });
});

Deno.test("main() prints the plan as JSON that reads back", async () => {
  const { code, text } = await output([
    "plan",
    "--scale",
    "smoke",
    "--json",
    "--seeds",
    "2",
    "--only",
    "warmup-length",
  ]);
  assert.equal(code, 0);
  const plan = JSON.parse(text);
  assert.equal(plan.seeds, 2);
  assert.equal(plan.runs.length, 10);
});

Deno.test("main() shows the options of every command", async () => {
  for (const name of ["reproduce", "plan", "verify", "attest", "doctor", "keygen"]) {
    const { code, text } = await output([name, "--help"]);
    assert.equal(code, 0);
    assert.match(text, new RegExp(`Usage: deno task ${name}`));
  }
});

Deno.test("main() makes a key that only its owner can read, and never overwrites one", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/key.pem`;
    const { code, text } = await output(["keygen", "--out", path]);
    assert.equal(code, 0);
    assert.match(text, /key id {7}[0-9a-f]{64}/);
    if (Deno.build.os !== "windows") assert.equal(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
    await assert.rejects(main(["keygen", "--out", path]), { code: "KEY_EXISTS" });
  });
});
