/** Programs that the GPU benchmark starts, and what they leave behind. */
import assert from "node:assert/strict";
import { askProgram, lastWords, runProgram } from "../../benchmarks/gpu/processes.ts";
import { withFolder } from "../temporary_folder.ts";

Deno.test("runProgram() gives what a program printed and how it ended", async () => {
  const printed: string[] = [];
  const script = "echo one; echo two >&2; exit 3";
  const ended = await runProgram("sh", ["-c", script], { seconds: 10, onOutput: (text) => void printed.push(text) });
  assert.deepEqual(ended, { success: false, how: "code 3", stdout: "one\n", stderr: "two\n" });
  assert.deepEqual(printed.sort(), ["one\n", "two\n"]);
  const killed = await runProgram("sh", ["-c", "kill -SEGV $$"], { seconds: 10 });
  assert.deepEqual([killed.success, killed.how], [false, "signal SIGSEGV"]);
});

Deno.test("runProgram() ends a program and all that it started when its time is over, and keeps what it said", () =>
  withFolder(async (folder) => {
    const script = `(sleep 2; touch ${folder}/outlived) & echo started; sleep 60`;
    const { success, how, stdout } = await runProgram("sh", ["-c", script], { seconds: 0.3, group: true });
    assert.deepEqual([success, how, stdout], [false, "stopped after 0 s", "started\n"]);
    await new Promise((resolve) => setTimeout(resolve, 2500));
    assert.deepEqual([...Deno.readDirSync(folder)], []);
  }));

Deno.test("runProgram() ends what a program of a group leaves behind", () =>
  withFolder(async (folder) => {
    const script = `(sleep 1; touch ${folder}/outlived) > /dev/null 2>&1 & echo done`;
    const { success } = await runProgram("sh", ["-c", script], { seconds: 10, group: true });
    assert(success);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    assert.deepEqual([...Deno.readDirSync(folder)], []);
  }));

Deno.test("askProgram() is undefined for a program that is missing or fails", async () => {
  assert.equal(await askProgram("sh", "-c", "echo first; echo second"), "first");
  assert.equal(await askProgram("no-such-program"), undefined);
  assert.equal(await askProgram("sh", "-c", "exit 1"), undefined);
});

Deno.test("lastWords() leaves the stack of calls out", () => {
  const text = [
    "error: Uncaught Error: it broke",
    "    at file:///a.ts:1:1",
    '  File "/b.py", line 3, in main',
    "      ^^^^",
    "",
    "ValueError: too large",
  ];
  assert.equal(lastWords(text.join("\n")), "error: Uncaught Error: it broke\nValueError: too large");
});
