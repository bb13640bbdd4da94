/** Predicted peak memory against what the operating system counted (Linux). */
import assert from "node:assert/strict";
import { finish, startSmoke } from "./smoke_process.ts";

const ignore = Deno.build.os !== "linux";

/** Runs the command in a fresh cache folder and gives its output and its largest resident size in bytes. */
async function peakOf(args: readonly string[], folder: string): Promise<{ stdout: string; bytes: number }> {
  const process = startSmoke(args, folder);
  let bytes = 0;
  let running = true;
  const output = finish(process).finally(() => running = false);
  while (running) {
    // Deno withholds /proc from a process without all permissions; cat does not.
    const { stdout } = await new Deno.Command("cat", { args: [`/proc/${process.pid}/status`], stderr: "null" })
      .output();
    const status = new TextDecoder().decode(stdout);
    const match = /VmHWM:\s+(\d+) kB/.exec(status);
    if (match !== null) bytes = Math.max(bytes, Number(match[1]) * 1024);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  const { code, stdout, stderr } = await output;
  assert.equal(code, 0, stderr);
  return { stdout, bytes };
}

/** V8's heap grows by so much, seen from 216 to 304 MB in all, where its collector gets no core of a busy machine. */
const HEAP_BYTES = 64 * 2 ** 20;

/** Bytes in `… and 246MB of memory`. */
function predicted(stdout: string): number {
  const match = /and ([\d.]+)([MG])B of memory/.exec(stdout);
  assert(match, stdout);
  return Number(match[1]) * (match[2] === "G" ? 1e9 : 1e6);
}

Deno.test({
  name: "reproduce predicts its peak memory within 15 % or 64 MiB, compiling its kernels or not",
  ignore,
  fn: async () => {
    const folder = await Deno.makeTempDir();
    try {
      for (const out of ["compiling", "cached"]) {
        const { stdout, bytes } = await peakOf(
          ["--threads", "2", "--out", out],
          folder,
        );
        const error = Math.abs(predicted(stdout) - bytes);
        assert(error < Math.max(0.15 * bytes, HEAP_BYTES), `${out}: predicted ${predicted(stdout)}, counted ${bytes}`);
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
