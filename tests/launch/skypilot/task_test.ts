import assert from "node:assert/strict";
import { z } from "zod";
import { type SkyPilotLaunch, skyPilotTask } from "../../../src/launch/skypilot/task.ts";
import { formatYaml, parseYaml } from "../../../src/text/yaml.ts";

/**
 * SkyPilot's task as far as ours goes, written down from its JSON Schema: sky/utils/schemas.py, `get_task_schema` and
 * `_get_single_resources_schema`, at commit 00052dfe0d13. Fields that are not here are refused.
 */
const TASK = z.strictObject({
  name: z.string(),
  num_nodes: z.int().min(1).optional(),
  resources: z.strictObject({
    accelerators: z.string().optional(),
    image_id: z.string().optional(),
    use_spot: z.boolean().optional(),
    job_recovery: z.strictObject({
      strategy: z.string().nullable().optional(),
      max_restarts_on_errors: z.int().min(0).optional(),
      recover_on_exit_codes: z.array(z.int().min(0).max(255)).optional(),
    }).optional(),
  }).optional(),
  volumes: z.record(z.string(), z.string()).optional(),
  envs: z.record(z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/), z.string()).optional(),
  run: z.string().optional(),
});

const LAUNCH: SkyPilotLaunch = {
  name: "rewarm-paper",
  image: { reference: `rewarm@sha256:${"0".repeat(64)}`, digest: `sha256:${"0".repeat(64)}` },
  accelerators: "H100:1",
  spot: true,
  volume: "shared",
  output: "/rewarm/out/paper",
  words: ["--scale=paper"],
  planWords: ["--scale=paper", "--only=a b's $HOME"],
};

Deno.test("skyPilotTask() is a task by SkyPilot's schema, as it comes back from YAML", () => {
  const task = skyPilotTask(LAUNCH);
  const applied = TASK.parse(parseYaml(formatYaml(task), "task.yaml"));
  assert.deepEqual(applied, task);
  const { accelerators: _, ...cpu } = LAUNCH;
  assert.equal(TASK.parse(parseYaml(formatYaml(skyPilotTask(cpu)), "task.yaml")).resources?.accelerators, undefined);
});

Deno.test("skyPilotTask() comes back when it was stopped, and ends well when there is nothing left for it", () => {
  const { resources, run } = skyPilotTask(LAUNCH);
  assert.deepEqual(resources.job_recovery.recover_on_exit_codes, [130]);
  assert.match(run, /\[ "\$code" = 75 \] && code=0\nexit "\$code"\n$/);
});
