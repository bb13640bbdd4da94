import assert from "node:assert/strict";
import { ControlCode, draw, print, printError, printFailure, printJson } from "../../src/terminal.ts";
import { UserError } from "../../src/errors.ts";
import { visible } from "../../src/files/safe_name.ts";

/** One of each kind that a terminal acts upon, and what stands for it. */
const HOSTILE: readonly (readonly [string, string])[] = [
  ["\x1b[2J", "\\u001b[2J"],
  ["\r", "\\u000d"],
  ["\b", "\\u0008"],
  ["\t", "\\u0009"],
  ["\0", "\\u0000"],
  ["\x7f", "\\u007f"],
  ["\x9b31m", "\\u009b31m"],
  ["\x85", "\\u0085"],
  ["\u202e", "\\u202e"],
  ["\u2066", "\\u2066"],
  ["\u200f", "\\u200f"],
  ["\u061c", "\\u061c"],
  ["\u2028", "\\u2028"],
  ["\ufeff", "\\ufeff"],
  ["\u{e0041}", "\\udb40\\udc41"],
  ["\ud800", "\\ud800"],
];

function captured(work: () => void): string {
  const { log, error } = console;
  const lines: string[] = [];
  console.log = console.error = (...words: unknown[]) => void lines.push(words.join(" "));
  try {
    work();
  } finally {
    Object.assign(console, { log, error });
  }
  return lines.join("\n");
}

Deno.test("visible() escapes what a terminal acts upon and leaves all writing systems as they are", () => {
  for (const [text, shown] of HOSTILE) assert.equal(visible(`a${text}b`), `a${shown}b`);
  for (const text of ["two\nlines", "naïve 日本語 مرحبا", "می\u200cخواهم", "👩\u200d🔬"]) {
    assert.equal(visible(text), text);
  }
});

Deno.test("print(), printError() and printFailure() show hostile characters and do nothing", () => {
  for (const [text, shown] of HOSTILE) {
    assert.equal(captured(() => print(text)), shown);
    assert.equal(captured(() => printError(text)), shown);
    assert.equal(captured(() => printFailure(new UserError("BAD_NUMBER", text))), `error: ${shown} [BAD_NUMBER]`);
    const bug = captured(() => printFailure(new TypeError(text, { cause: new Error(text) })));
    assert.ok(bug.startsWith("This is a bug in rewarm: TypeError: "));
    assert.match(bug, /terminal_test\.ts/, "the stack is shown");
    assert.equal(visible(bug), bug);
  }
});

Deno.test("printJson() escapes within strings, and the JSON says the same", () => {
  for (const [text] of HOSTILE) {
    const value = { [`key ${text}`]: [text] };
    for (const compact of [true, false]) {
      const printed = captured(() => printJson(value, { compact }));
      assert.equal(visible(printed), printed);
      assert.deepEqual(JSON.parse(printed), value);
    }
  }
});

Deno.test("printError() sets in what follows a line feed, so that it poses as no line of ours", () => {
  assert.equal(captured(() => printError("no file\nVerified: all")), "no file\n  Verified: all");
});

Deno.test("print() lets colours pass only where they are said to be our own, and no other sequence", () => {
  const text = "\x1b[32mgood\x1b[0m\x1b[2J";
  assert.equal(captured(() => print(text, { colours: true })), "\x1b[32mgood\x1b[0m\\u001b[2J");
  assert.equal(captured(() => print(text)), "\\u001b[32mgood\\u001b[0m\\u001b[2J");
});

Deno.test("draw() sends control codes and shows those in texts", () => {
  const written: string[] = [];
  const { writeSync } = Deno.stdout;
  Deno.stdout.writeSync = (bytes) => written.push(new TextDecoder().decode(bytes)) && bytes.length;
  try {
    draw("stdout", ControlCode.up(2), ControlCode.eraseBelow, "run \x1b[1A\n");
  } finally {
    Deno.stdout.writeSync = writeSync;
  }
  assert.deepEqual(written, ["\x1b[2A\x1b[0Jrun \\u001b[1A\n"]);
});

/** Lines of code that reach a terminal: not those of examples in comments. */
function* writers(folder: URL): Generator<string, void> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) yield* writers(new URL(`${name}/`, folder));
    else if (/\.[jt]sx?$/.test(name) && !folder.href.endsWith("/engine/exact/kernels/")) {
      for (const line of Deno.readTextFileSync(new URL(name, folder)).split("\n")) {
        if (/^\s*(\*|\/\*|\/\/)/.test(line)) continue;
        if (
          /\bconsole\b\s*[.[\]})]|\bDeno\.(stdout|stderr|consoleSize)|\bprocess\.std(out|err)|\b(alert|prompt|confirm)\(/
            .test(
              line,
            )
        ) {
          yield `${name}: ${line.trim()}`;
        }
      }
    }
  }
}

Deno.test("nothing in src writes to the terminal but src/terminal.ts", () => {
  const found = [...writers(new URL("../../src/", import.meta.url))];
  assert.deepEqual(found.filter((line) => !line.startsWith("terminal.ts: ")), []);
  assert.ok(found.length > 0);
});
