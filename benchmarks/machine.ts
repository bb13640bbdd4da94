/** The machine that numbers were measured on, and how busy it was with other work. */
import { cpus } from "node:os";

/** Cores, processor, operating system, runtime and load, in one line. */
export function describeMachine(): string {
  const [load = 0] = Deno.loadavg();
  const model = cpus()[0]?.model.trim() ?? "unknown processor";
  const { deno, v8 } = Deno.version;
  return `${model}, ${navigator.hardwareConcurrency} cores, ${Deno.build.os} ${Deno.build.arch}, Deno ${deno}, V8 ${v8}; ` +
    `load average of the last minute ${load.toFixed(1)}`;
}
