/** `deno task launch`: a plan carried out by a cluster's own scheduler. */
import { suggest, UserError } from "../../errors.ts";
import type { Command } from "../command.ts";
import { launchKubernetesCommand } from "./launch/kubernetes.ts";
import { launchSkyPilotCommand } from "./launch/skypilot.ts";
import { launchSlurmCommand } from "./launch/slurm.ts";

const SCHEDULERS: Readonly<Record<string, Command>> = {
  slurm: launchSlurmCommand,
  kubernetes: launchKubernetesCommand,
  skypilot: launchSkyPilotCommand,
};

/** `launch` */
export const launch: Command = {
  summary: "hands a plan to a cluster's scheduler: slurm, kubernetes or skypilot",
  usage: "slurm|kubernetes|skypilot [options]",
  options: {},
  subcommands: SCHEDULERS,
  run: ([given]) => {
    const known = Object.keys(SCHEDULERS);
    if (given === undefined) {
      throw new UserError("MISSING_ARGUMENT", "No scheduler is named", `give ${known.join(", ")}`);
    }
    throw new UserError("UNKNOWN_ARGUMENT", `Unknown scheduler "${given}"`, suggest(given, known));
  },
};
