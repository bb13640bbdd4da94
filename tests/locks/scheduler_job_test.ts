import assert from "node:assert/strict";
import { SCHEDULER_VARIABLES, schedulerJob } from "../../src/locks/scheduler_job.ts";

const jobOf = (environment: Readonly<Record<string, string>>) => schedulerJob((name) => environment[name]);

Deno.test("schedulerJob() names the job, and when Slurm ends it", () => {
  assert.deepEqual(jobOf({ SLURM_JOB_ID: "4711", SLURM_JOB_END_TIME: "1796000000" }), {
    name: "slurm 4711",
    endsAt: 1_796_000_000_000,
  });
  assert.deepEqual(jobOf({ JOB_COMPLETION_INDEX: "3" }), { name: "kubernetes index 3" });
  assert.deepEqual(jobOf({ SKYPILOT_TASK_ID: "sky-1" }), { name: "skypilot sky-1" });
  assert.equal(jobOf({}), undefined);
});

Deno.test("schedulerJob() takes no end from a job without a limit, or from what is no time", () => {
  for (const end of ["", "0", "4294967294", "4294967295", "soon", "-5", "1.5"]) {
    assert.deepEqual(jobOf({ SLURM_JOB_ID: "1", SLURM_JOB_END_TIME: end }), { name: "slurm 1" }, end);
  }
});

Deno.test("tasks that train may read the scheduler's variables", async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile(new URL("../../deno.json", import.meta.url)));
  for (const [name, { command }] of Object.entries<{ command: string }>(tasks)) {
    if (!command.includes("src/cli/main.ts reproduce")) continue;
    const variables = /--allow-env=(\S+)/.exec(command)?.[1]?.split(",") ?? [];
    for (const variable of SCHEDULER_VARIABLES) assert(variables.includes(variable), `${name}: ${variable}`);
  }
});
