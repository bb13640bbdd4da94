/** Named pipes wherever a user may name a file: none is waited for. */
import assert from "node:assert/strict";
import { main } from "../../src/cli/main.ts";
import { withFolder } from "../temporary_folder.ts";

const ignore = Deno.build.os === "windows";

/** Far more than any of these calls takes. */
const PATIENCE_MS = 60_000;

/** Runs a command line that must be refused; what is said of it. */
async function refusalOf(words: readonly string[]): Promise<string> {
  const { log, error } = console;
  const lines: string[] = [];
  console.log = console.error = (...words: unknown[]) => void lines.push(words.join(" "));
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`Still waiting: ${words.join(" ")}`)), PATIENCE_MS);
    });
    const code = await Promise.race([main(words), late]);
    assert.notEqual(code, 0, words.join(" "));
  } catch (thrown) {
    if (!(thrown instanceof Error && thrown.name === "UserError")) throw thrown;
    lines.push(thrown.message);
  } finally {
    clearTimeout(timer);
    console.log = log;
    console.error = error;
  }
  return lines.join("\n");
}

Deno.test({
  name: "no command waits for a named pipe, whatever it is named for",
  ignore,
  fn: () =>
    withFolder(async (folder) => {
      const pipes = ["pipe", "pipe.jsonl", "pipe.jsonl.zst", "pipe.txt", "pipe.parquet", "a.bin", "b.idx", "pipe.pem"];
      await Deno.mkdir(`${folder}/model`);
      await Deno.mkdir(`${folder}/out`);
      const inside = ["model/config.json", "model/tokenizer.json", "out/.lock", "out/manifest.dsse.json"];
      for (const name of [...pipes, ...inside]) {
        assert((await new Deno.Command("mkfifo", { args: [`${folder}/${name}`] }).output()).success, name);
      }
      await Deno.writeTextFile(`${folder}/a.txt`, "some words. ".repeat(20_000));
      await Deno.writeTextFile(`${folder}/b.txt`, "more words. ".repeat(20_000));
      await Deno.writeTextFile(`${folder}/a.idx`, "");
      const smoke = ["reproduce", "--scale", "smoke", "--only", "upstream", "--out", `${folder}/new`];
      const texts = ["--upstream", `${folder}/a.txt`, "--downstream", `${folder}/b.txt`];
      const pipe = `${folder}/pipe`;
      for (
        const words of [
          ["verify", pipe],
          ["verify", `${folder}/out`],
          ["verify", `${folder}/out/manifest.dsse.json`],
          ["verify", "deno.json", "--public-key", pipe],
          ["verify", "deno.json", "--require", "1", "--keys", pipe],
          ["retrain", pipe],
          ["diff", pipe, pipe],
          ["attest", pipe, "--key", pipe],
          ["bundle", pipe, "--output", `${folder}/new.tar`],
          ["bundle", `${folder}/out`, "--output", pipe],
          ["import", pipe, "--out", `${folder}/new.safetensors`],
          ["import", `${folder}/model`, "--out", pipe],
          ["import", `${folder}/model`, "--out", `${folder}/new.safetensors`],
          ["export", pipe, "--out", `${folder}/exported`],
          ["sample", pipe],
          ["evaluate", pipe, "--plan", pipe],
          ["data", "order", "--idx", `${folder}/b.idx`, "--samples", "2048"],
          ["data", "status", "--lockfile", pipe],
          ["keygen", "--out", `${folder}/pipe.pem`],
          [...smoke, ...texts, "--key", pipe],
          [...smoke, ...texts, "--lockfile", pipe],
          [...smoke, ...texts, "--tokenizer", `${folder}/model/tokenizer.json`],
          ["reproduce", "--scale", "smoke", "--only", "warmup-length/0%", "--out", `${folder}/new`, "--start", pipe],
          [...smoke, "--upstream", `${folder}/a.bin`, "--downstream", `${folder}/a.bin`],
          ...["jsonl", "jsonl.zst", "txt", "parquet"].map((
            ending,
          ) => [...smoke, "--upstream", `${pipe}.${ending}`, "--downstream", `${folder}/b.txt`]),
          ["reproduce", "--scale", "smoke", "--only", "upstream", "--out", `${folder}/out`],
        ]
      ) {
        const said = await refusalOf(words);
        assert.match(said, /no regular file|OUTPUT_FOLDER|holds "manifest|not a bundle|cannot be read|Could not check/);
      }
    }),
});
