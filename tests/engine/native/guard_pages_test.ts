/** No kernel reads or writes beside its operands, packing included: pages that may not be touched lie around each. */
import assert from "node:assert/strict";
import { AVAILABLE } from "./available.ts";
import { CASES } from "./cases.ts";

const SCRIPT = new URL("guard_pages.ts", import.meta.url).pathname;

async function run(...args: string[]): Promise<{ code: number; signal: string | null; output: string }> {
  const { code, signal, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-read", "--allow-ffi", SCRIPT, ...args],
    stderr: "null",
  }).output();
  return { code, signal, output: new TextDecoder().decode(stdout).trim() };
}

const ignore = AVAILABLE.length === 0 || Deno.build.os === "windows";

Deno.test({
  name: "kernels keep to their operands, at both ends of guarded pages",
  ignore,
  fn: async () => {
    const { code, output } = await run();
    assert.deepEqual({ code, output }, {
      code: 0,
      output: `${AVAILABLE.length * Object.keys(CASES).length * 80} calls`,
    });
  },
});

Deno.test({
  name: "a kernel that is told to write beyond its operand does not survive the guard",
  ignore,
  fn: async () => {
    const { signal, output } = await run("--beyond");
    assert.equal(output, "");
    assert(signal === "SIGSEGV" || signal === "SIGBUS", `${signal}`);
  },
});
