/** `launch`: what it prints and writes, and what it refuses before anything is submitted. */
import assert from "node:assert/strict";
import { launchSlurm } from "../../src/cli/commands/launch/slurm.ts";
import { main } from "../../src/cli/main.ts";
import { sha256 } from "../../src/digest/sha256.ts";
import { UserError } from "../../src/errors.ts";
import { type Scheduler, slurmPrograms } from "../../src/launch/slurm/scheduler.ts";
import { parseYaml } from "../../src/text/yaml.ts";
import { Queue } from "../launch/slurm/launch_fixture.ts";
import { withFolder } from "../temporary_folder.ts";
import { output } from "../cli/output.ts";

const IMAGE = `rewarm@sha256:${"0".repeat(64)}`;

/** What a command line is refused with: code and message. */
async function refusal(...args: string[]): Promise<string> {
  try {
    await main(["launch", ...args]);
  } catch (error) {
    if (error instanceof UserError) return `${error.code}: ${error.message}`;
    throw error;
  }
  throw new Error(`${args.join(" ")}: nothing was refused`);
}

/** Runs a launch with a queue in memory; what it printed. */
async function launch(queue: Scheduler, ...args: string[]): Promise<string> {
  const lines: string[] = [];
  const { log, error } = console;
  console.log = (...words: unknown[]) => lines.push(words.join(" "));
  console.error = console.log;
  try {
    assert.equal(await launchSlurm(args, queue), 0);
  } finally {
    console.log = log;
    console.error = error;
  }
  return lines.join("\n");
}

Deno.test("launch slurm writes plan and scripts, submits with --submit alone, and submits nothing twice", () =>
  withFolder(async (folder) => {
    const queue = new Queue();
    const words = ["--scale", "smoke", "--out", `${folder}/out`];
    const shown = await launch(queue, ...words, "--", "--time=10");
    assert.match(shown, /to submit {2}warmup-length_1%_seed-0 {2}\(after upstream_pretrain_seed-0\)/);
    assert.match(shown, /nothing was submitted: read the scripts, then add --submit, or: bash .*\/submit\.sh/);
    assert.equal(queue.submitted.size, 0);
    const { runs } = JSON.parse(await Deno.readTextFile(`${folder}/out/plan.json`));
    assert.match(await Deno.readTextFile(`${folder}/out/launch/slurm/submit.sh`), /^options=\(--time=10\)$/m);

    assert.match(
      await launch(queue, ...words, "--submit", "--", "--time=10"),
      new RegExp(`${runs.length} jobs submitted`),
    );
    assert.match(
      await launch(queue, ...words, "--submit", "--", "--time=10"),
      new RegExp(`0 jobs submitted, ${runs.length} were`),
    );
    assert.equal(queue.submitted.size, runs.length);
  }));

Deno.test("launch slurm passes a worker where data are and how the engine works, and nothing that the plan holds", () =>
  withFolder(async (folder) => {
    await launch(new Queue(), "--scale=smoke", `--out=${folder}/out`, "--only", "warmup-length/1%", "--kernels=wasm");
    const script = await Deno.readTextFile(`${folder}/out/launch/slurm/run.sh`);
    const [line = ""] = / reproduce --from .*/.exec(script) ?? [];
    assert.match(line, / --scale=smoke --kernels=wasm --threads="\$cpus" "\$@"$/);
    assert(line.includes(`--out=${folder}/out`) && !line.includes("--only"), line);
  }));

Deno.test("launch slurm --conclude adds a job that judges and signs, with the key and data that it is told of", () =>
  withFolder(async (folder) => {
    const words = ["--scale=smoke", `--out=${folder}/out`, "--conclude", `--key=${folder}/my key.pem`];
    assert.match(await launch(new Queue(), ...words), / {2}conclude {2}\(when 17 others have ended\)/);
    const script = await Deno.readTextFile(`${folder}/out/launch/slurm/conclude.sh`);
    assert(script.includes(` conclude --from "$INIT_CWD" ${folder}/out '--key=${folder}/my key.pem' "$@"`), script);
    assert.match(await refusal("slurm", "--scale=smoke", "--key=a.pem"), /^UNUSED_OPTION: "--key" is for "--conclude"/);
  }));

Deno.test("launch slurm --retrain all M adds M jobs that each retrain a share, once there is a manifest", () =>
  withFolder(async (folder) => {
    const words = ["--scale=smoke", `--out=${folder}/out`, "--retrain", "all", "3"];
    assert.match(await refusal("slurm", ...words), /^NOTHING_TO_RETRAIN: .*add --conclude/);
    assert.match(await refusal("slurm", "--retrain", "5"), /^BAD_NUMBER: .*--retrain all 8/);
    await launch(new Queue(), ...words.slice(0, 2));
    await Deno.writeTextFile(`${folder}/out/manifest.dsse.json`, "{}");
    const shown = await launch(new Queue(), ...words);
    assert.deepEqual(shown.match(/retrain-\d-of-3/g), ["retrain-1-of-3", "retrain-2-of-3", "retrain-3-of-3"]);
    const script = await Deno.readTextFile(`${folder}/out/launch/slurm/retrain.sh`);
    assert.match(
      script,
      / retrain --from "\$INIT_CWD" .*\/manifest\.dsse\.json --retrain all --threads="\$cpus" "\$@"$/m,
    );

    // A share that was right is done for this manifest, and for no other.
    await Deno.mkdir(`${folder}/out/launch/retrained`);
    await Deno.writeTextFile(`${folder}/out/launch/retrained/${sha256("{}").slice(0, 16)}-2-of-3`, "");
    assert.match(await launch(new Queue(), ...words), / {2}done {7}retrain-2-of-3/);
    await Deno.writeTextFile(`${folder}/out/manifest.dsse.json`, "{ }");
    assert.match(await launch(new Queue(), ...words), / {2}to submit {2}retrain-2-of-3/);
  }));

Deno.test("launch slurm without Slurm shows where the scripts are, and refuses to submit", () =>
  withFolder(async (folder) => {
    const nowhere = slurmPrograms({ squeue: "rewarm-no-squeue", sbatch: "rewarm-no-sbatch" });
    const words = ["--scale", "smoke", "--out", `${folder}/out`];
    const shown = await launch(nowhere, ...words);
    assert.match(shown, /warning: There is no program "rewarm-no-squeue" in PATH/);
    assert.match(shown, /nothing was submitted/);
    await assert.rejects(launch(nowhere, ...words, "--submit"), {
      code: "NO_SCHEDULER",
      message: /machine of the cluster's/,
    });
  }));

Deno.test("launch slurm warns where no option asks for the GPU that the engine needs", () =>
  withFolder(async (folder) => {
    const words = ["--scale=smoke", "--engine=cuda-bf16", `--out=${folder}/out`, "--"];
    assert.match(
      await launch(new Queue(), ...words),
      /The engine cuda-bf16 needs a GPU, and no option asks Slurm for one/,
    );
    assert.doesNotMatch(await launch(new Queue(), ...words, "--gpus=1"), /needs a GPU/);
  }));

Deno.test("launch slurm says on which side of the -- an option belongs", async () => {
  assert.match(
    await refusal("slurm", "--partition=gpu"),
    /^UNKNOWN_OPTION: "--partition=gpu" is sbatch's .*after "--"/,
  );
  assert.match(await refusal("slurm", "--", "--scale=smoke"), /^UNKNOWN_ARGUMENT: .*before the "--"/);
  assert.match(await refusal("slurm", "--", "--job-name=x"), /^UNUSED_OPTION: /);
  assert.match(await refusal("slurm", "--scael", "smoke"), /^UNKNOWN_OPTION: .*did you mean "--scale"/);
  assert.match(await refusal("slurm", "job.sh"), /^UNKNOWN_ARGUMENT: /);
});

Deno.test("launch slurm refuses a time limit that ends before a step, a folder of another plan, and data that are not here", () =>
  withFolder(async (folder) => {
    const words = ["slurm", "--scale=smoke", `--out=${folder}/out`];
    assert.match(await refusal(...words, "--", "--time=5"), /^TIME_LIMIT_TOO_SHORT: A job of 00:05:00 /);
    assert.match(await refusal(...words, "--", "--time=soon"), /^BAD_NUMBER: /);
    await launch(new Queue(), ...words.slice(1));
    assert.match(await refusal(...words, "--seeds=2"), /^OUTPUT_FOLDER_OF_ANOTHER_PLAN: /);
    assert.match(
      await refusal("slurm", "--scale=paper", `--cache=${folder}/none`, `--out=${folder}/paper`),
      /^DATA_NOT_FETCHED: .*deno task data fetch --scale paper$/,
    );
  }));

Deno.test("launch names the schedulers there are", async () => {
  assert.match(await refusal("slrum"), /^UNKNOWN_ARGUMENT: .*did you mean "slurm"/);
  assert.match(await refusal(), /^MISSING_ARGUMENT: .*slurm, kubernetes, skypilot$/);
});

Deno.test("launch kubernetes prints one job of as many workers as shorten the plan, or as it is told", async () => {
  const words = ["launch", "kubernetes", "--scale", "smoke", "--image", IMAGE, "--claim", "shared"];
  const { text, errors } = await output([...words, "--name", "Smoke 1%", "--max-parallel", "3"]);
  assert.match(errors, /The job's name is "smoke-1": schedulers do not take "Smoke 1%"/);
  const job = parseYaml(text, "job.yaml") as { metadata: { name: string }; spec: Record<string, unknown> };
  assert.equal(job.metadata.name, "smoke-1");
  assert.equal(job.spec.parallelism, 3);
  const free = parseYaml((await output(words)).text, "job.yaml") as typeof job;
  assert(Number(free.spec.parallelism) > 3);
});

Deno.test("launch kubernetes and skypilot refuse what their schedulers would, or what would lose results", async () => {
  const words = ["kubernetes", "--scale", "smoke", "--image", IMAGE, "--claim", "shared"];
  assert.match(await refusal(...words.slice(0, 5)), /^MISSING_OPTION: .*--claim/);
  assert.match(await refusal("kubernetes", "--claim", "shared"), /^MISSING_OPTION: No image/);
  assert.match(await refusal("kubernetes", "--image", "rewarm:latest", "--claim", "a"), /^BAD_IMAGE_DIGEST: /);
  assert.match(await refusal(...words, "--queue", "GPU queue"), /^REFUSED_NAME: Option "--queue"/);
  assert.match(await refusal(...words, "--name", "%"), /^REFUSED_NAME: /);
  assert.match(await refusal(...words, "--out", "/data/x"), /^UNSAFE_PATH: .*not in the volume that the workers share/);
  assert.match(await refusal(...words, "--memory", "lots"), /^BAD_NUMBER: /);
  const sky = ["skypilot", "--scale", "smoke", "--image", IMAGE, "--volume", "shared"];
  assert.match(await refusal(...sky.slice(0, 5)), /^MISSING_OPTION: .*--volume/);
  assert.match(await refusal(...sky, "--engine", "cuda-bf16"), /^MISSING_OPTION: .*--accelerators/);
  assert.match(await refusal(...sky, "--accelerators", "H100:x"), /^BAD_NUMBER: /);
});
