import assert from "node:assert/strict";
import { UserError } from "../../../src/errors.ts";
import { isSbatchOption, readSbatchOptions } from "../../../src/launch/slurm/sbatch_options.ts";

const OURS = ["scale", "engine", "out", "submit", "max-parallel", "only"];

function refusal(...words: string[]): { code: string; message: string } {
  try {
    readSbatchOptions(words, OURS);
  } catch (error) {
    if (error instanceof UserError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error(`${words.join(" ")}: nothing was refused`);
}

Deno.test("readSbatchOptions() passes words on as they are, and reads the time limit and the GPU", () => {
  const words = [
    "--partition=gpu",
    "--time=24:00:00",
    "--gres=gpu:h100:1",
    "-A",
    "project",
    "--exclusive",
    "-c8",
    "--mail-user",
    "a b",
  ];
  assert.deepEqual(readSbatchOptions(words, OURS), { words, timeLimit: 86_400, asksForGpu: true });
  assert.deepEqual(readSbatchOptions(["-t", "30"], OURS), { words: ["-t", "30"], timeLimit: 1800, asksForGpu: false });
  assert.deepEqual(readSbatchOptions(["-t30", "-G", "1"], OURS).timeLimit, 1800);
  assert(readSbatchOptions(["-G1"], OURS).asksForGpu);
  assert(!readSbatchOptions(["--gres=tmpdisk:100"], OURS).asksForGpu);
  assert.equal(readSbatchOptions(["--time=UNLIMITED"], OURS).timeLimit, undefined);
  assert.deepEqual(readSbatchOptions([], OURS), { words: [], asksForGpu: false });
});

Deno.test("readSbatchOptions() refuses options that a job of ours cannot have, by their long and short names", () => {
  for (
    const word of [
      "--job-name=a",
      "-Ja",
      "-J",
      "--dependency=afterok:1",
      "-d",
      "--array=1-3",
      "--no-requeue",
      "--signal=USR1@60",
      "--output=x",
      "-o",
      "--chdir=/",
      "--wrap=id",
      "--ntasks=2",
      "-n2",
    ]
  ) {
    const { code, message } = refusal(word);
    assert.equal(code, "UNUSED_OPTION", word);
    assert.match(message, /^sbatch's option ".*" cannot be given: leave it out: /);
  }
});

Deno.test("readSbatchOptions() refuses words that sbatch would take for a script, and options of rewarm's", () => {
  assert.match(refusal("--partition=gpu", "job.sh").message, /"job.sh" after "--" is no option/);
  assert.match(refusal("--exclusive", "user").message, /"user" after "--"/);
  assert.match(refusal("--scale=paper").message, /rewarm's, not sbatch's: give it before the "--"/);
  assert.match(refusal("--", "--partition=gpu").message, /no option/);
  assert.match(refusal("--comment=a\nb").message, /control character/);
  assert.equal(refusal("--time=24h").code, "BAD_NUMBER");
});

Deno.test("isSbatchOption() knows those that people give before the --", () => {
  for (const word of ["--partition=gpu", "--time=1", "-p", "-t5", "--gres=gpu:1", "--account"]) {
    assert(isSbatchOption(word), word);
  }
  for (const word of ["--scale", "--engine=exact", "--partitions", "--submit"]) assert(!isSbatchOption(word), word);
});
