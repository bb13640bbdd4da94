/** `deno task data`: pins datasets of the hub, downloads what a scale needs, and says what is there. */
import { chooseFiles, requireBudget, tokensNeeded } from "../data/hub_choice.ts";
import { DATA_LOCK_PATH, type DataLock, readDataLock } from "../data/data_lock.ts";
import { cachedFiles, namedPath, nameFiles } from "../data/hub_files.ts";
import { describePin, lockedDataset, newest, trustDataset, withHubPins } from "../data/hub_lock.ts";
import { EXIT, suggest, UserError } from "../errors.ts";
import { listScales, loadScale } from "../experiment/catalogue.ts";
import type { CorpusName } from "../experiment/run.ts";
import type { Scale } from "../experiment/scale.ts";
import { writeFileDurably } from "../files/durable.ts";
import { readFileBounded } from "../files/read_file.ts";
import { HUB_CACHE_FOLDER, HubCache } from "../hub/cache.ts";
import { HubConnection } from "../hub/connection.ts";
import { download } from "../hub/download.ts";
import { HUB_ENDPOINT, repositoryId } from "../hub/repository.ts";
import { parameterCount } from "../model/config.ts";
import { parseCommandLine, type Values } from "./arguments.ts";
import type { Command } from "./command.ts";
import { DownloadView, formatBytes } from "./download_progress.ts";
import { abortOnSignals } from "./signals.ts";

const OPTIONS = {
  scale: { kind: "text", value: "NAME", help: "small, medium or paper (lock, status: all of them)" },
  only: { kind: "text", value: "CORPUS", help: "upstream or downstream alone" },
  budget: { kind: "text", value: "GB", help: "fetch: stop before it starts if it is more (default: no limit)" },
  renew: { kind: "flag", help: "lock: believe the hub anew where something is pinned already" },
  lockfile: { kind: "text", value: "FILE", help: `where the pins stand (default: ${DATA_LOCK_PATH})` },
  cache: { kind: "text", value: "DIR", help: `where downloads are kept (default: ${HUB_CACHE_FOLDER})` },
  hub: { kind: "text", value: "URL", help: `another hub that answers alike (default: ${HUB_ENDPOINT})` },
} as const;

const MAX_LOCK_BYTES = 1 << 20;
const CORPORA: readonly CorpusName[] = ["upstream", "downstream"];

/** A dataset that a scale's corpus is made of. */
interface Use {
  readonly scale: Scale;
  readonly corpus: CorpusName;
  readonly dataset: string;
}

/** What all three have in common. */
interface Context {
  readonly uses: readonly Use[];
  readonly connection: HubConnection;
  readonly cache: HubCache;
  readonly lockPath: string;
  readonly signal: AbortSignal;
}

/** The datasets that the options ask for. */
async function usesOf(values: Values<typeof OPTIONS>): Promise<Use[]> {
  const { only } = values;
  if (only !== undefined && !CORPORA.some((corpus) => corpus === only)) {
    throw new UserError("UNKNOWN_CORPUS", `Unknown corpus "${only}"`, suggest(only, CORPORA));
  }
  const names = values.scale === undefined ? await listScales() : [values.scale];
  const uses: Use[] = [];
  for (const scale of await Promise.all(names.map((name) => loadScale(name)))) {
    const { data } = scale;
    if (data.kind !== "huggingface") {
      if (values.scale === undefined) continue;
      throw new UserError("NOTHING_TO_FETCH", `The scale "${scale.name}" needs no data from the hub`);
    }
    for (const corpus of CORPORA) {
      if (only === undefined || only === corpus) uses.push({ scale, corpus, dataset: data[corpus].dataset });
    }
  }
  return uses.sort((a, b) => size(a.scale) - size(b.scale));
}

/** What scales are ordered by, the smallest first. */
function size({ model }: Scale): number {
  return parameterCount(model.config);
}

/** The token, if this process may know it. It is given to the hub and to nobody else. */
function hubToken(): { readonly token?: string } {
  const { state } = Deno.permissions.querySync({ name: "env", variable: "HF_TOKEN" });
  const token = state === "granted" ? Deno.env.get("HF_TOKEN")?.trim() : undefined;
  return token === undefined || token === "" ? {} : { token };
}

function datasetsOf(uses: readonly Use[]): string[] {
  return [...new Set(uses.map(({ dataset }) => dataset))];
}

async function lockDatasets(context: Context, renew: boolean): Promise<void> {
  const { uses, connection, cache, lockPath, signal } = context;
  const lock = await readDataLock(lockPath);
  const pins = { ...lock.hub };
  const trusted: string[] = [];
  for (const name of datasetsOf(uses)) {
    const id = repositoryId(newest(name));
    const pin = pins[id];
    if (pin !== undefined && !renew) {
      await lockedDataset(connection, cache, lock, name, signal);
      console.log(`${id}\n  as locked: ${describePin(pin)}`);
      continue;
    }
    const today = new Date().toISOString().slice(0, 10);
    const fresh = await trustDataset(connection, cache, name, today, signal);
    pins[id] = fresh.pin;
    trusted.push(id);
    const was = pin === undefined ? "" : `\n  before: ${describePin(pin)}`;
    console.log(`${id}\n  now locked: ${describePin(fresh.pin)}, ${formatBytes(fresh.pin.bytes)}${was}`);
  }
  if (trusted.length === 0) return;
  const text = new TextDecoder().decode(await readFileBounded(lockPath, MAX_LOCK_BYTES));
  await writeFileDurably(lockPath, withHubPins(text, pins));
  console.log(`
Written to ${lockPath}. This is trust on first use: no digests of this data are public, so what the hub said just now
is believed, and anything else is refused from now on. Keep the file under version control, and compare it with
others who have it.`);
}

async function fetchFiles(context: Context, budget: number): Promise<void> {
  const { uses, connection, cache, lockPath, signal } = context;
  const lock = await readDataLock(lockPath);
  const chosen = [];
  for (const use of uses) {
    const locked = await lockedDataset(connection, cache, lock, use.dataset, signal);
    chosen.push({ ...use, locked, files: chooseFiles(tokensNeeded(use.scale, use.corpus), locked.files) });
  }
  const all = chosen.flatMap(({ files }) => files);
  requireBudget(`What the scale "${uses[0]?.scale.name}" needs`, all, budget);
  for (const { corpus, locked, files } of chosen) {
    const view = new DownloadView();
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    console.log(`${corpus}  ${repositoryId(locked.repository)}  ${files.length} files, ${formatBytes(bytes)}`);
    try {
      const options = {
        cache,
        signal,
        onProgress: (progress: Parameters<DownloadView["show"]>[0]) => view.show(progress),
      };
      const cached = await download(connection, locked.repository, files, options);
      view.end();
      await nameFiles(cache, locked, cached);
    } finally {
      view.end();
    }
    console.log(`  all there and checked: ${namedPath(cache, locked, "")}`);
  }
}

async function showStatus({ uses, cache, lockPath }: Context): Promise<void> {
  const lock: DataLock = await readDataLock(lockPath);
  for (const name of datasetsOf(uses)) {
    const id = repositoryId(newest(name));
    const pin = lock.hub[id];
    console.log(
      `${id}\n  ${pin === undefined ? 'not locked: run "deno task data lock"' : `locked: ${describePin(pin)}`}`,
    );
    if (pin === undefined) continue;
    const locked = await lockedDataset(undefined, cache, lock, name).catch((error) => {
      if (error instanceof UserError && error.code === "LISTING_NOT_CACHED") return undefined;
      throw error;
    });
    for (const { scale, corpus } of uses.filter(({ dataset }) => dataset === name)) {
      const label = `  ${`${corpus} of ${scale.name}`.padEnd(20)}  `;
      if (locked === undefined) {
        console.log(`${label}nothing here`);
        continue;
      }
      const needed = chooseFiles(tokensNeeded(scale, corpus), locked.files);
      const here = await cachedFiles(cache, needed);
      const [hereBytes, neededBytes] = [here, needed].map((files) => files.reduce((sum, { bytes }) => sum + bytes, 0));
      console.log(
        `${label}${here.length} of ${needed.length} files, ${formatBytes(hereBytes ?? 0)} of ${
          formatBytes(neededBytes ?? 0)
        }`,
      );
    }
  }
}

function budgetOf(text: string | undefined): number {
  const gigabytes = text === undefined ? Infinity : Number(text.replace(/\s*GB$/i, ""));
  if (gigabytes > 0) return 1e9 * gigabytes;
  throw new UserError("BAD_NUMBER", `Option "--budget" is "${text}"`, "expected gigabytes, such as 500");
}

async function run(args: readonly string[]): Promise<number> {
  const { values, positionals: [what] } = parseCommandLine(args, OPTIONS, 1);
  const actions = {
    lock: (context: Context) => lockDatasets(context, values.renew === true),
    fetch: (context: Context) => fetchFiles(context, budgetOf(values.budget)),
    status: showStatus,
  };
  if (what !== "lock" && what !== "fetch" && what !== "status") {
    const known = Object.keys(actions);
    if (what === undefined) {
      throw new UserError("MISSING_ARGUMENT", "Nothing to do is named", `give ${known.join(", ")}`);
    }
    throw new UserError("UNKNOWN_ARGUMENT", `Unknown argument "${what}"`, suggest(what, known));
  }
  if (what === "fetch" && values.scale === undefined) {
    throw new UserError("MISSING_SCALE", "No scale is named", "add --scale small, medium or paper");
  }
  const { signal, dispose } = abortOnSignals();
  try {
    await actions[what]({
      uses: await usesOf(values),
      connection: new HubConnection({ ...hubToken(), ...(values.hub === undefined ? {} : { endpoint: values.hub }) }),
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
  summary: "pins, downloads and shows the data of the larger scales",
  usage: "lock|fetch|status [options]",
  options: OPTIONS,
  run,
};
