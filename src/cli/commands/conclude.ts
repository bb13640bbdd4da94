/** `deno task conclude`: judges, reports and signs what others trained. */
import { counted } from "../../text/numbers.ts";
import { EXIT } from "../../errors.ts";
import { concludeFolder } from "../../reproduce/conclude_folder.ts";
import { print, printError, printJson, printWarning } from "../../terminal.ts";
import { warnOfData } from "../data_warnings.ts";
import type { Command } from "../command.ts";
import { EXPERIMENT_OPTIONS, foldersFromOptions } from "../options/experiment_options.ts";
import { filesFromOptions, SOURCE_OPTIONS, sourcesFromOptions } from "../options/source_options.ts";
import { showReproduction } from "../reproduction_lines.ts";
import { KEY_OPTIONS, signingKey, takeEnvironmentKey } from "../signing.ts";
import { describeRunStatus } from "../status_text.ts";
import { parsePaths } from "../typed_paths.ts";
import { DATA_CACHE_OPTIONS, dataCacheFrom } from "../worker.ts";
import { requireWritePermission } from "../write_permission.ts";
import { outputFolder } from "./status.ts";

const OPTIONS = {
  runs: {
    kind: "list",
    value: "DIR…",
    path: true,
    help: "further output folders of the same plan, whose runs are copied into the first",
  },
  ...KEY_OPTIONS,
  ...EXPERIMENT_OPTIONS,
  ...SOURCE_OPTIONS,
  ...DATA_CACHE_OPTIONS,
  json: { kind: "flag", help: "print runs that are missing as JSON" },
} as const;

async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = parsePaths(args, OPTIONS, 1);
  const start = performance.now();
  const output = outputFolder(positionals);
  await requireWritePermission(output);
  const environmentKey = takeEnvironmentKey();
  const sources = sourcesFromOptions(values);
  const conclusion = await concludeFolder({
    ...foldersFromOptions(values),
    output,
    from: (values.runs ?? []).map((folder) => folder.replace(/(?<=.)\/+$/, "")),
    places: {
      ...sources,
      corpusFiles: filesFromOptions(values),
      dataCache: dataCacheFrom(values),
      onProgress: warnOfData,
    },
    lockFile: sources.lockFile,
    signingKey: async () => await signingKey(values.key, environmentKey),
    command: ["conclude", ...args],
    events: {
      onGathered: ({ copied, agreeing }) => {
        for (const { label, from } of copied) print(`  ${label}  from ${from}`);
        if (agreeing.length > 0) print(`in several folders, alike: ${counted(agreeing.length, "run")}`);
      },
      onWarning: printWarning,
    },
  });
  if (conclusion.kind === "signed") {
    await showReproduction(conclusion.reproduction, (performance.now() - start) / 1000);
    return EXIT.ok;
  }
  const { missing } = conclusion;
  if (values.json === true) printJson(missing);
  else {
    print(`missing: ${counted(missing.length, "run")}`);
    for (const line of missing.map(describeRunStatus)) print(`  ${line}`);
  }
  printError("Nothing is signed until all runs are there");
  return EXIT.waiting;
}

/** `conclude` */
export const conclude: Command = {
  summary: "judges, reports and signs what workers trained, from one folder or several; trains nothing",
  usage: "DIR [--runs DIR…] [options]",
  options: OPTIONS,
  run,
};
