/** Programs and processes of this machine, for tests. */

/** What a program printed. */
export interface Printed {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: Pick<Deno.CommandOptions, "env" | "cwd"> = {},
): Promise<Printed> {
  const { code, stdout, stderr } = await new Deno.Command(program, { args: [...args], stdin: "null", ...options })
    .output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** All processes below one. */
export async function descendants(pid: number): Promise<number[]> {
  const { stdout } = await runProgram("ps", ["-eo", "pid=,ppid="]);
  const processes = stdout.trim().split("\n").map((line) => line.trim().split(/\s+/).map(Number));
  const found = [pid];
  for (const each of found) {
    for (const [child = 0, parent] of processes) if (parent === each) found.push(child);
  }
  return found.slice(1);
}

/** Whether a process is there. */
export function isAlive(pid: number): boolean {
  try {
    Deno.kill(pid, "SIGCONT");
    return true;
  } catch {
    return false;
  }
}

/** Processes that have a file open. */
export async function processesThatOpened(file: string): Promise<number[]> {
  // Deno itself reads nothing of other processes in /proc. A process that ends meanwhile is an error of find's.
  const { stdout } = await runProgram("find", [
    "/proc",
    "-maxdepth",
    "3",
    "-path",
    "/proc/[0-9]*/fd/*",
    "-lname",
    file,
  ]);
  return [...new Set(stdout.split("\n").filter((line) => line !== "").map((line) => Number(line.split("/")[2])))];
}
