/** The launchers of MPI that this machine has, and programs started by them. */

/** A launcher with the words that let it start more ranks than there are cores, as root too. */
export interface MpiLauncher {
  readonly name: string;
  readonly program: string;
  readonly words: readonly string[];
}

const LAUNCHERS: readonly MpiLauncher[] = [
  { name: "Open MPI", program: "mpirun.openmpi", words: ["--allow-run-as-root", "--oversubscribe"] },
  { name: "MPICH", program: "mpirun.mpich", words: [] },
];

const PACKAGES: Readonly<Record<string, string>> = { "mpirun.openmpi": "openmpi-bin", "mpirun.mpich": "mpich" };

/** Seconds after which a test's ranks are ended. */
const PATIENCE_SECONDS = 100;

function isInPath(program: string): boolean {
  return (Deno.env.get("PATH") ?? "").split(":").some((folder) => {
    try {
      return Deno.statSync(`${folder}/${program}`).isFile;
    } catch {
      return false;
    }
  });
}

/** Why there is no such MPI here; undefined where there is. */
export function whyNoMpi(name: string): string | undefined {
  const { program = "" } = LAUNCHERS.find((launcher) => launcher.name === name) ?? {};
  return isInPath(program) ? undefined : `no ${program}: apt-get install ${PACKAGES[program]}`;
}

/** A test once for each launcher; skipped with the reason where there is none. */
export function mpiTest(name: string, use: (launcher: MpiLauncher) => Promise<void>, which = LAUNCHERS): void {
  for (const launcher of which) {
    const reason = whyNoMpi(launcher.name);
    const skipped = reason === undefined ? "" : ` (skipped: ${reason})`;
    Deno.test({ name: `${launcher.name}: ${name}${skipped}`, ignore: reason !== undefined, fn: () => use(launcher) });
  }
}

/** As {@linkcode mpiTest}, with Open MPI alone. */
export function openMpiTest(name: string, use: (launcher: MpiLauncher) => Promise<void>): void {
  mpiTest(name, use, LAUNCHERS.slice(0, 1));
}

/** What became of a launcher. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Starts ranks of Deno; the child is the launcher.
 *
 * @param options `lastWords` are further words of the last rank alone
 */
export function startRanks(
  { program, words }: MpiLauncher,
  ranks: number,
  deno: readonly string[],
  options: {
    readonly cwd?: string;
    readonly env?: Readonly<Record<string, string>>;
    readonly lastWords?: readonly string[];
  } = {},
): Deno.ChildProcess {
  const { lastWords } = options;
  const started = (count: number, more: readonly string[]) => ["-n", `${count}`, Deno.execPath(), ...deno, ...more];
  return new Deno.Command(program, {
    args: [
      ...words,
      ...lastWords === undefined ? started(ranks, []) : [...started(ranks - 1, []), ":", ...started(1, lastWords)],
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    cwd: options.cwd,
    env: { NO_COLOR: "1", ...options.env },
  }).spawn();
}

/** Waits for the end of a launcher; one that takes too long is ended. */
export async function finished(child: Deno.ChildProcess): Promise<Ended> {
  const timer = setTimeout(() => child.kill("SIGKILL"), 1000 * PATIENCE_SECONDS);
  const { code, stdout, stderr } = await child.output();
  clearTimeout(timer);
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}
