/** `deno task launch skypilot`: a worker as a managed job, in YAML. */
import { EXIT, UserError } from "../../../errors.ts";
import { requireObjectName } from "../../../launch/kubernetes/names.ts";
import { skyPilotTask } from "../../../launch/skypilot/task.ts";
import { print, printError } from "../../../terminal.ts";
import { formatYaml } from "../../../text/yaml.ts";
import { parseCommandLine } from "../../arguments.ts";
import type { Command } from "../../command.ts";
import { CONTAINER_OPTIONS, containerLaunch } from "./container.ts";

const OPTIONS = {
  ...CONTAINER_OPTIONS,
  accelerators: { kind: "text", value: "NAME:N", help: "GPU of a worker, such as H100:1" },
  spot: { kind: "flag", help: "machines that may be taken away, and cost less" },
  volume: { kind: "text", value: "NAME", help: "SkyPilot volume that all workers mount" },
} as const;

async function run(args: readonly string[]): Promise<number> {
  const { values } = parseCommandLine(args, OPTIONS);
  if (values.volume === undefined) {
    throw new UserError(
      "MISSING_OPTION",
      "No volume is named that the workers share",
      "add --volume NAME, as sky volumes ls shows it; a bucket has neither locks nor renames",
    );
  }
  const { plan: _, workers, gpu, ...launch } = await containerLaunch(values);
  if (gpu && values.accelerators === undefined) {
    throw new UserError("MISSING_OPTION", "The engine needs a GPU, and none is named", "add --accelerators H100:1");
  }
  if (values.accelerators !== undefined && !/^[A-Za-z0-9-]+(:[1-9]\d?)?$/.test(values.accelerators)) {
    throw new UserError(
      "BAD_NUMBER",
      `Option "--accelerators" is "${values.accelerators}"`,
      "expected a GPU's name and a number, such as H100:1",
    );
  }
  print(
    formatYaml(skyPilotTask({
      ...launch,
      volume: requireObjectName("volume", values.volume, 63),
      spot: values.spot === true,
      ...(values.accelerators === undefined ? {} : { accelerators: values.accelerators }),
    })).trimEnd(),
  );
  printError(
    `for ${workers} workers: for i in $(seq ${workers}); do sky jobs launch --yes --async -n ${launch.name}-$i FILE; done`,
  );
  return EXIT.ok;
}

/** `launch skypilot` */
export const launchSkyPilotCommand: Command = {
  summary: "prints a worker as a managed job of SkyPilot, which comes back when its machine is taken away",
  usage: "--image NAME@sha256:… --volume NAME [options]",
  options: OPTIONS,
  run,
};
