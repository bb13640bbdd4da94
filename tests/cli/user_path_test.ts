import assert from "node:assert/strict";
import type { Command } from "../../src/cli/command.ts";
import { COMMANDS } from "../../src/cli/command_line.ts";
import { main } from "../../src/cli/main.ts";
import { parsePaths, withUserPaths } from "../../src/cli/typed_paths.ts";
import { projectPath, takeUserFolder, userPath, wholePath } from "../../src/cli/user_path.ts";
import { requireWritePermission } from "../../src/cli/write_permission.ts";
import { output } from "./output.ts";
import { withFolder } from "../temporary_folder.ts";

/** Commands with their subcommands. */
const ALL: readonly Command[] = Object.values(COMMANDS).flatMap((command) => [
  command,
  ...Object.values(command.subcommands ?? {}),
]);

Deno.test("every option that names a file or folder is taken from where the user stands", () => {
  let paths = 0;
  for (const { options } of ALL) {
    for (const [name, { value = "", path, words = [] }] of Object.entries(options)) {
      assert.equal(path === true, /\b(FILE|DIR|PATH|FOLDER)\b/.test(value), `--${name} ${value}`);
      if (path === true) paths++;
      for (const [option, word] of [["tokenizer", "bytes"], ["start", "train"]] as const) {
        // What export copies is a folder, and retraining starts from what is given alone.
        const isWord = name === option && (option === "tokenizer" ? value === "FILE" : value.includes("train"));
        assert.equal(words.includes(word), isWord, `--${name} ${value}`);
      }
    }
  }
  assert(paths > 30, `${paths} options`);
});

Deno.test("userPath() is from the folder that a task passes on, and leaves whole paths alone", () => {
  try {
    assert.deepEqual(takeUserFolder(["--from", "/home/ada/runs", "x", "--from", "y"]), ["x", "--from", "y"]);
    for (
      const [typed, meant] of [
        ["manifest.dsse.json", "/home/ada/runs/manifest.dsse.json"],
        ["./a/b", "/home/ada/runs/a/b"],
        [".//./a", "/home/ada/runs/a"],
        [".", "/home/ada/runs"],
        ["./", "/home/ada/runs"],
        ["..", "/home/ada/runs/.."],
        ["../a", "/home/ada/runs/../a"],
        [".hidden", "/home/ada/runs/.hidden"],
        ["08", "/home/ada/runs/08"],
        ["/mnt/x", "/mnt/x"],
        ["C:\\x", "C:\\x"],
        ["", ""],
      ]
    ) assert.equal(userPath(typed ?? ""), meant);
    assert.equal(projectPath("out/tiny"), `${Deno.cwd()}/out/tiny`);
    takeUserFolder(["--from", ""]);
    assert.equal(userPath("a"), "a");
    assert.throws(() => takeUserFolder(["--from", "relative"]), { code: "NOT_A_FOLDER" });
  } finally {
    takeUserFolder([]);
  }
  assert.equal(userPath("a/b"), "a/b");
  assert.equal(projectPath("out/tiny"), "out/tiny");
  assert.equal(wholePath("./a"), `${Deno.cwd()}/a`);
});

Deno.test("userPath() leaves paths as they are typed where user and process stand in one folder", () => {
  try {
    takeUserFolder(["--from", Deno.cwd()]);
    assert.equal(userPath("./a/../b"), "./a/../b");
  } finally {
    takeUserFolder([]);
  }
});

Deno.test("parsePaths() resolves positional words, values and lists, and no words that stand for no file", () => {
  const options = {
    key: { kind: "text", value: "FILE", path: true, help: "" },
    tokenizer: { kind: "text", value: "FILE", path: true, words: ["bytes"], help: "" },
    upstream: { kind: "list", value: "PATH…", path: true, help: "" },
    only: { kind: "list", value: "NAME…", help: "" },
    threads: { kind: "count", value: "N", help: "" },
    json: { kind: "flag", help: "" },
  } as const;
  try {
    takeUserFolder(["--from", "/u"]);
    const words = [
      "m",
      "--key",
      "k",
      "--tokenizer",
      "bytes",
      "--upstream",
      "a",
      "/b",
      "--only",
      "a/b",
      "--threads",
      "2",
    ];
    assert.deepEqual(parsePaths([...words, "--json"], options, 1), {
      positionals: ["/u/m"],
      values: {
        key: "/u/k",
        tokenizer: "bytes",
        upstream: ["/u/a", "/b"],
        only: ["a/b"],
        threads: 2,
        json: true,
      },
    });
    assert.deepEqual(withUserPaths({ tokenizer: "t" }, options), { tokenizer: "/u/t" });
  } finally {
    takeUserFolder([]);
  }
});

Deno.test("main() makes a key where the user stands, and says where that is", () =>
  withFolder(async (folder) => {
    const { code, text } = await output(["keygen", "--from", folder, "--out", "my.pem"]);
    assert.equal(code, 0);
    assert.ok(text.includes(`private key  ${folder}/my.pem `), text);
    assert.ok(text.includes(`public key   ${folder}/my.pub.pem `), text);
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), ["my.pem", "my.pub.pem"]);
  }));

Deno.test("requireWritePermission() stops in a folder whose name Deno would take for several", async () => {
  try {
    takeUserFolder(["--from", "/home/ada/a,/etc"]);
    await assert.rejects(requireWritePermission("out"), { code: "UNSAFE_PATH", message: /has a comma/ });
  } finally {
    takeUserFolder([]);
  }
});

Deno.test("main() removes the signing key from the environment before it starts an engine", async () => {
  Deno.env.set("REWARM_KEY", "a secret");
  try {
    await assert.rejects(main(["reproduce", "--engine", "cuda9"]), { code: "UNKNOWN_ENGINE" });
    assert.equal(Deno.env.get("REWARM_KEY"), undefined);
  } finally {
    Deno.env.delete("REWARM_KEY");
  }
});
