/** `deno task data`: pins what the scales need of the hub, downloads it, and says what is there; `order` is apart. */
import { DATA_LOCK_PATH } from "../../data/data_lock.ts";
import { EXIT, suggest, UserError } from "../../errors.ts";
import { listScales, loadScale } from "../../experiment/catalogue.ts";
import { plannedChoice } from "../../experiment/arm/start.ts";
import { planScale } from "../../experiment/plan/plan_scale.ts";
import type { Scale } from "../../experiment/scale/scale.ts";
import { HUB_CACHE_FOLDER, HubCache } from "../../hub/cache.ts";
import { HubConnection } from "../../hub/connection.ts";
import { HUB_ENDPOINT } from "../../hub/repository.ts";
import { parseCommandLine, parseDecimal, type Values } from "../arguments.ts";
import type { Command } from "../command.ts";
import { fetchData } from "./data_fetch.ts";
import { lockData } from "./data_lock.ts";
import { dataOrder } from "./data_order.ts";
import { showDataStatus } from "./data_status.ts";
import { type DataContext, parsePart, type Use, usesOfAll } from "../data_uses.ts";
import { choicesFromOptions, PLAN_OPTIONS } from "../options/plan_options.ts";
import { abortOnSignals } from "../signals.ts";
import { sourcesFromOptions } from "../options/source_options.ts";
import { printWarning } from "../../terminal.ts";
import { withUserPaths } from "../typed_paths.ts";
import { requireWritableFile, requireWritePermission } from "../write_permission.ts";

/** Those of a plan that change which files it reads; with the same words, what is fetched is what it needs. */
const CHOICES = {
  reading: PLAN_OPTIONS.reading,
  model: PLAN_OPTIONS.model,
  tokens: PLAN_OPTIONS.tokens,
  batch: PLAN_OPTIONS.batch,
  context: PLAN_OPTIONS.context,
  "evaluation-windows": PLAN_OPTIONS["evaluation-windows"],
  start: PLAN_OPTIONS.start,
} as const;

const OPTIONS = {
  scale: { kind: "text", value: "NAME", help: "small, medium or paper (lock, status: all of them)" },
  only: { kind: "text", value: "PART", help: "upstream, downstream, tokenizer or start (the checkpoints) alone" },
  budget: { kind: "text", value: "GB", help: "fetch: stop before it starts if it is more (default: no limit)" },
  verify: { kind: "flag", help: "fetch: hash what is here already, and fetch again what is damaged" },
  renew: { kind: "flag", help: "lock: believe the hub anew where something is pinned already" },
  lockfile: { kind: "text", value: "FILE", path: true, help: `where the pins stand (default: ${DATA_LOCK_PATH})` },
  cache: { kind: "text", value: "DIR", path: true, help: `where downloads are kept (default: ${HUB_CACHE_FOLDER})` },
  hub: { kind: "text", value: "URL", help: `another hub that answers alike (default: ${HUB_ENDPOINT})` },
  ...CHOICES,
} as const;

/** The scale that is named, changed as the options say; without a name all of them, as they are. */
async function scalesFrom(values: Values<typeof OPTIONS>): Promise<Scale[]> {
  if (values.scale !== undefined) {
    const { only: _, ...choices } = values;
    const start = plannedChoice(sourcesFromOptions(values).start);
    return [(await planScale({ scale: values.scale, ...choicesFromOptions(choices), ...start })).scale];
  }
  const choice = (Object.keys(CHOICES) as (keyof typeof CHOICES)[]).find((name) => values[name] !== undefined);
  if (choice === undefined) return await Promise.all((await listScales()).map((name) => loadScale(name)));
  throw new UserError("MISSING_SCALE", `"--${choice}" is given for no scale`, "add --scale small, medium or paper");
}

/** What the options ask for. */
async function usesFrom(values: Values<typeof OPTIONS>): Promise<Use[]> {
  const { scale, only } = values;
  const part = only === undefined ? undefined : parsePart(only);
  const uses = usesOfAll(await scalesFrom(values), part);
  if (scale === undefined || uses.length > 0) return uses;
  throw new UserError(
    "NOTHING_TO_FETCH",
    part === "start"
      ? `The scale "${scale}" starts from no checkpoints of the hub`
      : `The scale "${scale}" needs no data from the hub`,
  );
}

/** The token, if this process may know it. It is given to the hub and to nobody else. */
function hubToken(): { readonly token?: string } {
  const { state } = Deno.permissions.querySync({ name: "env", variable: "HF_TOKEN" });
  const token = state === "granted" ? Deno.env.get("HF_TOKEN")?.trim() : undefined;
  return token === undefined || token === "" ? {} : { token };
}

/** Bytes, from gigabytes as a person writes them. */
function budgetOf(text: string | undefined): number {
  const gigabytes = text === undefined ? Infinity : parseDecimal(text.replace(/\s*GB$/i, ""));
  if (gigabytes !== undefined && gigabytes > 0) return 1e9 * gigabytes;
  throw new UserError("BAD_NUMBER", `Option "--budget" is "${text}"`, "expected gigabytes, such as 500");
}

async function run(args: readonly string[]): Promise<number> {
  const { values: typed, positionals: [what] } = parseCommandLine(args, OPTIONS, 1);
  const values = withUserPaths(typed, OPTIONS);
  const actions = {
    lock: (context: DataContext) => lockData(context, values.renew === true),
    fetch: (context: DataContext) =>
      fetchData(context, { budget: budgetOf(values.budget), verify: values.verify === true }),
    status: showDataStatus,
  };
  if (what !== "lock" && what !== "fetch" && what !== "status") {
    const known = [...Object.keys(actions), "order"];
    if (what === undefined) {
      throw new UserError("MISSING_ARGUMENT", "Nothing to do is named", `give ${known.join(", ")}`);
    }
    throw new UserError("UNKNOWN_ARGUMENT", `Unknown argument "${what}"`, suggest(what, known));
  }
  if (what === "fetch" && values.scale === undefined) {
    throw new UserError("MISSING_SCALE", "No scale is named", "add --scale small, medium or paper");
  }
  if (what === "lock" && values.lockfile !== undefined) await requireWritableFile(values.lockfile);
  if (what !== "status" && values.cache !== undefined) await requireWritePermission(values.cache);
  const { signal, dispose } = abortOnSignals();
  try {
    await actions[what]({
      uses: await usesFrom(values),
      connection: new HubConnection({
        ...hubToken(),
        endpoint: values.hub,
        onNotice: printWarning,
      }),
      cache: new HubCache(values.cache),
      lockPath: values.lockfile ?? DATA_LOCK_PATH,
      signal,
    });
    return EXIT.ok;
  } catch (error) {
    if (signal.aborted && error === signal.reason) return EXIT.interrupted;
    throw error;
  } finally {
    dispose();
  }
}

/** `data` */
export const dataCommand: Command = {
  summary: "pins, downloads and shows what the larger scales need; rebuilds GPT-NeoX's order of a dataset",
  usage: "lock|fetch|status [options], order --idx FILE [options]",
  options: OPTIONS,
  subcommands: { order: dataOrder },
  run,
};
