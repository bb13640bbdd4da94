/** `deno task data`: pins datasets of the hub, downloads what a scale needs, and says what is there. */
import { chooseFiles, requireBudget, tokensNeeded } from "../data/hub_choice.ts";
import { DATA_LOCK_PATH, type DataLock, readDataLock } from "../data/data_lock.ts";
import { cachedFiles, namedPath, nameFiles } from "../data/hub_files.ts";
import {
  describePin,
  type LockedRepository,
  lockedRepository,
  type NamedRepository,
  trustRepository,
  withHubPins,
} from "../data/hub_lock.ts";
import { tokenizerRepository } from "../data/scale_corpora.ts";
import { EXIT, suggest, UserError } from "../errors.ts";
import { listScales, loadScale } from "../experiment/catalogue.ts";
import type { Scale } from "../experiment/scale.ts";
import { writeFileDurably } from "../files/durable.ts";
import { readFileBounded } from "../files/read_file.ts";
import { HUB_CACHE_FOLDER, HubCache } from "../hub/cache.ts";
import { HubConnection } from "../hub/connection.ts";
import { download, type DownloadProgress } from "../hub/download.ts";
import type { PinnedFile } from "../hub/listing.ts";
import { HUB_ENDPOINT, repositoryId } from "../hub/repository.ts";
import { parameterCount } from "../model/config.ts";
import { parseCommandLine, type Values } from "./arguments.ts";
import type { Command } from "./command.ts";
import { DownloadView, formatBytes } from "./download_progress.ts";
import { abortOnSignals } from "./signals.ts";

const OPTIONS = {
  scale: { kind: "text", value: "NAME", help: "small, medium or paper (lock, status: all of them)" },
  only: { kind: "text", value: "PART", help: "upstream, downstream or tokenizer alone" },
  budget: { kind: "text", value: "GB", help: "fetch: stop before it starts if it is more (default: no limit)" },
  verify: { kind: "flag", help: "fetch: hash what is here already, and download damaged files again" },
  renew: { kind: "flag", help: "lock: believe the hub anew where something is pinned already" },
  lockfile: { kind: "text", value: "FILE", help: `where the pins stand (default: ${DATA_LOCK_PATH})` },
  cache: { kind: "text", value: "DIR", help: `where downloads are kept (default: ${HUB_CACHE_FOLDER})` },
  hub: { kind: "text", value: "URL", help: `another hub that answers alike (default: ${HUB_ENDPOINT})` },
} as const;

const MAX_LOCK_BYTES = 1 << 20;
const PARTS = ["upstream", "downstream", "tokenizer"] as const;

/** A repository that a scale needs something of. */
interface Use {
  readonly scale: Scale;
  readonly part: (typeof PARTS)[number];
  readonly repository: NamedRepository;
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
  if (only !== undefined && !PARTS.some((part) => part === only)) {
    throw new UserError("UNKNOWN_CORPUS", `Unknown corpus "${only}"`, suggest(only, PARTS));
  }
  const names = values.scale === undefined ? await listScales() : [values.scale];
  const uses: Use[] = [];
  for (const scale of await Promise.all(names.map((name) => loadScale(name)))) {
    const { data } = scale;
    if (data.kind !== "huggingface") {
      if (values.scale === undefined) continue;
      throw new UserError("NOTHING_TO_FETCH", `The scale "${scale.name}" needs no data from the hub`);
    }
    for (const part of PARTS) {
      if (only !== undefined && only !== part) continue;
      const repository = part === "tokenizer"
        ? tokenizerRepository(data)
        : { kind: "dataset" as const, name: data[part].dataset };
      uses.push({ scale, part, repository });
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

/** Each repository once, by its id. */
function repositoriesOf(uses: readonly Use[]): Map<string, NamedRepository> {
  return new Map(uses.map(({ repository }) => [repositoryId(repository), repository]));
}

/** The files of a locked repository that a scale needs. */
function filesFor({ scale, part }: Use, { files }: LockedRepository): readonly PinnedFile[] {
  return part === "tokenizer" ? files : chooseFiles(tokensNeeded(scale, part), files);
}

async function lockDatasets(context: Context, renew: boolean): Promise<void> {
  const { uses, connection, cache, lockPath, signal } = context;
  const lock = await readDataLock(lockPath);
  const pins = { ...lock.hub };
  const trusted: string[] = [];
  for (const [id, repository] of repositoriesOf(uses)) {
    const pin = pins[id];
    if (pin !== undefined && !renew) {
      await lockedRepository(connection, cache, lock, repository, signal);
      console.log(`${id}\n  as locked: ${describePin(pin)}`);
      continue;
    }
    const today = new Date().toISOString().slice(0, 10);
    const fresh = await trustRepository(connection, cache, repository, today, signal);
    pins[id] = fresh.pin;
    trusted.push(id);
    const was = pin === undefined ? "" : `\n  before: ${describePin(pin)}`;
    console.log(`${id}\n  now locked: ${describePin(fresh.pin)}, ${formatBytes(fresh.pin.bytes)}${was}`);
  }
  if (trusted.length === 0) return;
  const text = new TextDecoder().decode(await readFileBounded(lockPath, MAX_LOCK_BYTES));
  await writeFileDurably(lockPath, withHubPins(text, pins));
  console.log(`
Written to ${lockPath}. This is trust on first use: no digests of this data are public, so what the hub
said just now is believed, and anything else is refused from now on. Keep the file under version control, and compare
it with others who have it.`);
}

async function fetchFiles(context: Context, budget: number, verify: boolean): Promise<void> {
  const { uses, connection, cache, lockPath, signal } = context;
  const lock = await readDataLock(lockPath);
  const chosen = [];
  for (const use of uses) {
    const locked = await lockedRepository(connection, cache, lock, use.repository, signal);
    chosen.push({ part: use.part, locked, files: filesFor(use, locked) });
  }
  const all = chosen.flatMap(({ files }) => files);
  requireBudget(`What the scale "${uses[0]?.scale.name}" needs`, all, budget);
  for (const { part, locked, files } of chosen) {
    const view = new DownloadView();
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    console.log(`${part}  ${repositoryId(locked.repository)}  ${counted(files.length)}, ${formatBytes(bytes)}`);
    try {
      const options = {
        cache,
        signal,
        verify,
        onProgress: (progress: DownloadProgress) => view.show(progress),
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
  for (const [id, repository] of repositoriesOf(uses)) {
    const pin = lock.hub[id];
    console.log(
      `${id}\n  ${pin === undefined ? 'not locked: run "deno task data lock"' : `locked: ${describePin(pin)}`}`,
    );
    if (pin === undefined) continue;
    const locked = await lockedRepository(undefined, cache, lock, repository).catch((error) => {
      if (error instanceof UserError && error.code === "LISTING_NOT_CACHED") return undefined;
      throw error;
    });
    for (const use of uses.filter(({ repository }) => repositoryId(repository) === id)) {
      const label = `  ${`${use.part} of ${use.scale.name}`.padEnd(20)}  `;
      if (locked === undefined) {
        console.log(`${label}nothing here`);
        continue;
      }
      const needed = filesFor(use, locked);
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

function counted(files: number): string {
  return files === 1 ? "1 file" : `${files} files`;
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
    fetch: (context: Context) => fetchFiles(context, budgetOf(values.budget), values.verify === true),
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
