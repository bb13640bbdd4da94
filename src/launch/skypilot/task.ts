/** A worker as a managed job of SkyPilot, which brings it back when its machine is taken away. */
import { EXIT } from "../../errors.ts";
import type { ContainerLaunch } from "../container_launch.ts";
import { ENTRYPOINT, IMAGE_OUTPUT } from "../image.ts";
import { shellLine } from "../shell.ts";

/** What is launched: one worker; several are several jobs of one file. */
export interface SkyPilotLaunch extends ContainerLaunch {
  /** such as `H100:1`; absent for engines without a GPU */
  readonly accelerators?: string;
  readonly spot: boolean;
  /** a volume that many machines can mount to write */
  readonly volume: string;
}

/** Failures of the program that count: neither its machine's, nor a stop. */
const MAX_FAILURES = 6;

/** A task by SkyPilot's "YAML spec", as far as it is used here. */
export interface SkyPilotTask {
  readonly name: string;
  readonly num_nodes: 1;
  readonly resources: {
    readonly accelerators?: string;
    readonly image_id: string;
    readonly use_spot: boolean;
    readonly job_recovery: {
      readonly max_restarts_on_errors: number;
      readonly recover_on_exit_codes: readonly number[];
    };
  };
  readonly volumes: Readonly<Record<string, string>>;
  readonly envs: Readonly<Record<string, string>>;
  readonly run: string;
}

/**
 * The task, to be written as YAML.
 *
 * @see https://docs.skypilot.co/en/latest/reference/yaml-spec.html
 */
export function skyPilotTask(launch: SkyPilotLaunch): SkyPilotTask {
  const { name, image, accelerators, spot, volume, output, words, planWords } = launch;
  return {
    name,
    num_nodes: 1,
    resources: {
      ...(accelerators === undefined ? {} : { accelerators }),
      image_id: `docker:${image.reference}`,
      use_spot: spot,
      // A stop is no error: the next machine resumes from the checkpoint.
      job_recovery: { max_restarts_on_errors: MAX_FAILURES, recover_on_exit_codes: [EXIT.interrupted] },
    },
    volumes: { [IMAGE_OUTPUT]: volume },
    envs: { REWARM_IMAGE_DIGEST: image.digest },
    // SkyPilot starts a shell of its own in the image, not the image's entrypoint.
    run: [
      `cd ${IMAGE_OUTPUT.replace(/\/[^/]*$/, "")}`,
      `${shellLine(["sh", ENTRYPOINT, "reproduce", "--plan-only", `--out=${output}`, ...planWords])} || exit`,
      shellLine(["sh", ENTRYPOINT, "reproduce", "--join", `--out=${output}`, ...words]),
      "code=$?",
      `# ${EXIT.waiting}: what is left is in other workers' hands, and an idle machine costs as much as a busy one.`,
      `[ "$code" = ${EXIT.waiting} ] && code=0`,
      'exit "$code"',
      "",
    ].join("\n"),
  };
}
