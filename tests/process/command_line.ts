/** The real command line in a process of its own. */

const ROOT = decodeURIComponent(new URL("../../", import.meta.url).pathname);

/** The project's folder. */
export const PROJECT = ROOT.replace(/\/$/, "");

/** What `deno task reproduce` may. */
export const REPRODUCE = [
  "--allow-read",
  "--allow-write",
  "--allow-env=REWARM_KEY,NO_COLOR,CI,SLURM_JOB_ID,SLURM_JOB_END_TIME,JOB_COMPLETION_INDEX,SKYPILOT_TASK_ID",
  "--allow-sys=cpus,hostname",
];

/** Every permission but reading is denied, and nothing is asked. */
export const DENIED = [
  "--no-prompt",
  "--deny-write",
  "--deny-net",
  "--deny-env",
  "--deny-run",
  "--deny-ffi",
  "--deny-sys",
  "--deny-import",
];

/** Runs rewarm in a folder. */
export async function rewarm(
  cwd: string,
  permissions: readonly string[],
  args: readonly string[],
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--config", `${PROJECT}/deno.json`, ...permissions, `${PROJECT}/src/cli/main.ts`, ...args],
    cwd,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}
