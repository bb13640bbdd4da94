/** `deno task launch kubernetes`: a plan as an Indexed Job, in YAML. */
import { EXIT, UserError } from "../../../errors.ts";
import { indexedJob } from "../../../launch/kubernetes/job.ts";
import { requireObjectName } from "../../../launch/kubernetes/names.ts";
import { print } from "../../../terminal.ts";
import { formatYaml } from "../../../text/yaml.ts";
import { parseCommandLine } from "../../arguments.ts";
import type { Command } from "../../command.ts";
import { CONTAINER_OPTIONS, containerLaunch } from "./container.ts";

const OPTIONS = {
  ...CONTAINER_OPTIONS,
  claim: { kind: "text", value: "NAME", help: "persistent volume claim that all workers mount (ReadWriteMany)" },
  queue: { kind: "text", value: "NAME", help: "local queue of Kueue that admits the job" },
  cpus: { kind: "text", value: "N", help: "CPUs of a worker (default: 4)" },
  memory: { kind: "text", value: "SIZE", help: "memory of a worker (default: 32Gi)" },
} as const;

/** @throws {UserError} `BAD_NUMBER` for what Kubernetes takes for no quantity */
function quantity(option: string, text: string): string {
  if (/^[1-9]\d{0,8}(\.\d{1,3})?(m|[KMGT]i?)?$/.test(text)) return text;
  throw new UserError("BAD_NUMBER", `Option "--${option}" is "${text}"`, "expected a quantity such as 4, 500m or 32Gi");
}

async function run(args: readonly string[]): Promise<number> {
  const { values } = parseCommandLine(args, OPTIONS);
  if (values.claim === undefined) {
    throw new UserError(
      "MISSING_OPTION",
      "No volume is named that the workers share",
      "add --claim NAME, of a persistent volume claim with the access mode ReadWriteMany",
    );
  }
  const { plan, ...launch } = await containerLaunch(values);
  const cpus = quantity("cpus", values.cpus ?? "4");
  const isExact = plan.engine.level === "machine_to_machine" && !launch.gpu;
  const whole = /^\d+$/.test(cpus) && isExact && values.threads === undefined;
  print(
    formatYaml(indexedJob({
      ...launch,
      claim: requireObjectName("claim", values.claim, 253),
      ...(values.queue === undefined ? {} : { queue: requireObjectName("queue", values.queue, 63) }),
      cpus,
      memory: quantity("memory", values.memory ?? "32Gi"),
      words: whole ? [...launch.words, `--threads=${cpus}`] : launch.words,
      facts: { scale: plan.scale.name, runs: `${plan.runs.length}`, output: launch.output },
    })).trimEnd(),
  );
  return EXIT.ok;
}

/** `launch kubernetes` */
export const launchKubernetesCommand: Command = {
  summary: "prints a plan as an Indexed Job of Kubernetes, whose workers each take the next run that is ready",
  usage: "--image NAME@sha256:… --claim NAME [options]",
  options: OPTIONS,
  run,
};
