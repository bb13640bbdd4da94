/** The real process, killed with SIGKILL at random moments of its life, again and again. */
import assert from "node:assert/strict";
import { comparable, OUTPUT } from "../faults/small_smoke.ts";
import { type DiskImage, firstDifference } from "../faults/disk_image.ts";
import { withFolder } from "../temporary_folder.ts";
import { finish, startSmoke } from "./smoke_process.ts";

/** To repeat the moments of an earlier test: the seed that it printed. */
const SEED_VARIABLE = "REWARM_KILL_SEED";
const OUT = "out";
const RUNS = 17;

/** A part of a process' life, from when a line was printed on, and the longest time in it until the kill. */
interface Phase {
  readonly name: string;
  readonly from?: RegExp;
  readonly milliseconds: number;
}

const START: Phase = { name: "start", milliseconds: 1500 };
const TRAINING: Phase = { name: "training", from: /runs are done; |nothing is left to train/, milliseconds: 250 };
const END: Phase = { name: "end", from: new RegExp(`^ +${RUNS}/${RUNS} `, "m"), milliseconds: 200 };

/** What an output folder goes through before a process may end in it. */
const LIFE = [START, START, START, TRAINING, START, TRAINING, TRAINING, END, END];
const KILLS = 25;
const MOST_LIVES = 10;

/** xorshift32: random enough for moments, and repeated by its seed. */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Kills a process at a moment in a phase; false if it ended by itself before. */
async function killIn(
  { from, milliseconds }: Phase,
  random: () => number,
  process: Deno.ChildProcess,
): Promise<boolean> {
  const delay = random() * milliseconds;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const killSoon = () => timer ??= setTimeout(() => process.kill("SIGKILL"), delay);
  const ended = process.status.then((status) => {
    clearTimeout(timer);
    return status;
  });
  if (from === undefined) killSoon();
  const stderr = new Response(process.stderr).text();
  let printed = "";
  for await (const text of process.stdout.pipeThrough(new TextDecoderStream())) {
    printed += text;
    if (from?.test(printed) === true) killSoon();
  }
  const { signal, code } = await ended;
  if (signal !== "SIGKILL") assert.equal(code, 0, `ended by itself: ${await stderr}`);
  await stderr;
  return signal === "SIGKILL";
}

/** All that is in an output folder, as if it lay on the simulated disk. */
async function imageOf(folder: string): Promise<DiskImage> {
  const image: [string, Uint8Array<ArrayBuffer> | undefined][] = [];
  const walk = async (path: string) => {
    for await (const { name, isDirectory } of Deno.readDir(`${folder}${path}`)) {
      const below = `${path}/${name}`;
      image.push([`${OUTPUT}${below}`, isDirectory ? undefined : await Deno.readFile(`${folder}${below}`)]);
      if (isDirectory) await walk(below);
    }
  };
  await walk("");
  return new Map(image);
}

/** The part of an output folder that two undisturbed processes leave alike. */
async function outcomeOf(cwd: string): Promise<DiskImage> {
  return comparable(await imageOf(`${cwd}/${OUT}`));
}

Deno.test({
  name: `reproduce ends with the same bytes after ${KILLS} kills and more at random moments`,
  ignore: Deno.build.os === "windows",
  fn: () =>
    withFolder(async (folder) => {
      const given = Number(Deno.env.get(SEED_VARIABLE));
      const seed = given > 0 ? given : crypto.getRandomValues(new Uint32Array(1))[0] ?? 1;
      console.log(`${SEED_VARIABLE}=${seed} repeats these moments`);
      const random = randomNumbers(seed);

      // The folders have caches and keys of their own, so that their making is disturbed as well.
      const whole = `${folder}/whole`;
      await Deno.mkdir(whole);
      const { code, stderr } = await finish(startSmoke(["--out", OUT], whole));
      assert.equal(code, 0, stderr);
      const undisturbed = await outcomeOf(whole);

      const killed = `${folder}/killed`;
      await Deno.mkdir(killed);
      const kills = new Map<string, number>();
      const total = () => [...kills.values()].reduce((sum, count) => sum + count, 0);
      let lives = 0;
      while (total() < KILLS) {
        assert(++lives <= MOST_LIVES, `only ${total()} kills in ${MOST_LIVES} lives`);
        let owner: number | undefined;
        for (const phase of LIFE) {
          const process = startSmoke(["--out", OUT], killed);
          const isKilled = await killIn(phase, random, process);
          if (isKilled) kills.set(phase.name, (kills.get(phase.name) ?? 0) + 1);
          // In the phases after the first one a process holds the output folder.
          owner = isKilled && phase !== START ? process.pid : undefined;
        }
        const { code, stderr } = await finish(startSmoke(["--out", OUT], killed));
        assert.equal(code, 0, stderr);
        if (owner !== undefined) assert.match(stderr, new RegExp(`^warning: Process ${owner} left "${OUT}" without`));
        assert.equal(firstDifference(await outcomeOf(killed), undisturbed), undefined, `seed ${seed}`);
        await Deno.remove(`${killed}/${OUT}`, { recursive: true });
      }
      const counts = [...kills].map(([name, count]) => `${count} at ${name}`).join(", ");
      console.log(`${total()} kills in ${lives} lives: ${counts}`);
    }),
});
