import assert from "node:assert/strict";
import { annotationCommand, withoutCommands } from "../../src/pull_request/workflow_commands.ts";
import { print } from "../../src/terminal.ts";
import { HOSTILE_NAMES } from "../markdown.ts";

Deno.test("annotationCommand() is one command whatever names and messages are", () => {
  assert.equal(
    annotationCommand({ level: "error", file: "a,line=1::b\n%", message: "50%\r\n::error::forged" }),
    "::error file=a%2Cline=1%3A%3Ab%0A%25,title=rewarm::50%25%0D%0A::error::forged",
  );
  assert.equal(annotationCommand({ level: "notice", message: "all" }), "::notice title=rewarm::all");
  for (const name of HOSTILE_NAMES) {
    const command = annotationCommand({ level: "warning", file: name, message: name });
    assert.match(command, /^::warning file=[^\n\r:,]*,title=rewarm::[^\n\r]*$/);
  }
});

Deno.test("withoutCommands() stops commands by a token of its own, and starts them again after a failure", async () => {
  const lines: string[] = [];
  const { log } = console;
  console.log = (line: string) => lines.push(line);
  try {
    for (let i = 0; i < 2; i++) {
      await assert.rejects(withoutCommands(() => {
        print("::error::forged");
        return Promise.reject(new Error("bad"));
      }));
    }
  } finally {
    console.log = log;
  }
  const tokens = [0, 3].map((at) => /^::stop-commands::([0-9a-f-]{36})$/.exec(lines[at] ?? "")?.[1] ?? "none");
  assert.notEqual(tokens[0], tokens[1]);
  assert.deepEqual(lines, tokens.flatMap((token) => [`::stop-commands::${token}`, "::error::forged", `::${token}::`]));
});
