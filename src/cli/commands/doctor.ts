/** `deno task doctor`: what this machine can run, with the reason for each no. */
import project from "../../../deno.json" with { type: "json" };
import { describeContainer } from "../../container/describe.ts";
import { containerInWords } from "../../container/facts.ts";
import { openCorpora } from "../../data/corpora.ts";
import { DOCTOR_OPTIONS, examineEngines } from "../../engine/catalogue.ts";
import type { Engine } from "../../engine/engine.ts";
import { examine } from "../../engine/examination.ts";
import { threadCount } from "../../engine/threads.ts";
import { EXIT } from "../../errors.ts";
import { compactNumber, formatSeconds } from "../../text/numbers.ts";
import { parameterCount } from "../../model/config.ts";
import { describeEnvironment } from "../../manifest/format/environment.ts";
import { measureSpeed, planTokens } from "../../reproduce/calibrate.ts";
import { parsePaths } from "../typed_paths.ts";
import type { Command } from "../command.ts";
import { planFromOptions } from "../options/plan_options.ts";
import { ENGINE_HOST } from "../start_engine.ts";
import { DATA_CACHE, DEFAULT_SCALE } from "../settings.ts";
import { print } from "../../terminal.ts";

/** The Deno that rewarm is tested with. */
const TESTED_DENO = "2.9.6";

/** How fast an engine trains the default scale, in a phrase. */
async function measure(engine: Engine): Promise<string> {
  const plan = await planFromOptions({ scale: DEFAULT_SCALE });
  const [first] = plan.runs;
  if (first === undefined) throw new Error("The default plan has no runs");
  const speed = await measureSpeed(first, engine);
  const parameters = compactNumber(parameterCount(plan.scale.model.config));
  return `${compactNumber(speed)} tokens/s with ${parameters} parameters on ${
    engine.description["threads"]
  } threads: ` +
    `scale "${DEFAULT_SCALE}" takes about ${formatSeconds(planTokens(plan) / speed)}`;
}

async function run(args: readonly string[]): Promise<number> {
  const { values } = parsePaths(args, DOCTOR_OPTIONS);
  const threads = threadCount(values);
  const { cpu, os, architecture, deno } = describeEnvironment({ threads });
  const findings = [
    await examine("deno", () => {
      if (deno !== TESTED_DENO) throw new Error(`${deno}; rewarm is tested with ${TESTED_DENO}`);
      return deno;
    }),
    await examine("machine", () => `${os} ${architecture}, ${cpu}`),
    await examine("container", async () => containerInWords(await describeContainer())),
    await examine("data", async () => {
      const { upstream, downstream } = await openCorpora({
        source: { kind: "npm" },
        sequenceLength: 128,
        cacheFolder: DATA_CACHE,
      });
      const counts = [upstream, downstream].map(({ name, summary }) =>
        `${name} ${compactNumber(summary.tokens.train)}`
      );
      upstream.close();
      downstream.close();
      return `pinned sources are here: ${counts.join(", ")} training tokens`;
    }),
    ...await examineEngines(values, { ...ENGINE_HOST, measure }),
  ];
  print(`rewarm ${project.version}\n`);
  const width = Math.max(...findings.map(({ name }) => name.length));
  for (const { name, good, detail } of findings) {
    print(`  ${good ? "yes" : "NO "}  ${name.padEnd(width)}  ${detail}`);
  }
  return findings.every(({ good }) => good) ? EXIT.ok : EXIT.failed;
}

/** `doctor` */
export const doctor: Command = {
  summary: "says what this machine can run, and how fast",
  usage: "[options]",
  options: DOCTOR_OPTIONS,
  run,
};
