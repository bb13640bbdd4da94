/**
 * The engines that there are. Each family is a folder, whose `definition.ts` says everything about it that is known
 * before it is started, and one line here: options, names and the doctor's findings follow from these.
 */
import { suggest, UserError } from "../errors.ts";
import type { Options, Values } from "../options.ts";
import { cudaFamily } from "./cuda/definition.ts";
import type { DoctorHost, EngineDefinition, EngineFamily, EngineHost } from "./definition.ts";
import type { Engine, SessionOptions } from "./engine.ts";
import type { Finding } from "./examination.ts";
import { exactFamily } from "./exact/definition.ts";
import { tensorflowFamily } from "./tensorflow/definition.ts";

/** In the order in which they are listed; the first one's first engine is used unless another is named. */
const FAMILIES = [exactFamily, cudaFamily, tensorflowFamily] as const;

/** All of a union's members at once. */
type Intersection<U> = (U extends unknown ? (member: U) => void : never) extends (all: infer I) => void ? I : never;
type Family = (typeof FAMILIES)[number];
type Listed<O> = { readonly [Name in keyof O]: O[Name] };

/** Names that `--engine` may give. */
export type EngineName = keyof Intersection<Family["engines"]>;

/** Options of every command that starts an engine. */
export const ENGINE_OPTIONS = merged(
  { engine: { kind: "text", value: "NAME", help: `${names().join(", ")} (default: ${names()[0]})` } },
  FAMILIES.map(({ options }) => options),
) as { readonly engine: { readonly kind: "text"; readonly help: string } } & Listed<Intersection<Family["options"]>>;

/** Options by which `doctor` is told where to look. */
export const DOCTOR_OPTIONS = merged({}, FAMILIES.map(({ doctor }) => doctor.options)) as Listed<
  Intersection<Family["doctor"]["options"]>
>;

/** Options that choose an engine and how it works. */
export type EngineValues = Values<typeof ENGINE_OPTIONS>;

/** An engine before it is started, with its name. */
export interface NamedEngine extends EngineDefinition<EngineValues> {
  readonly name: EngineName;
}

/** All engines, in the order in which they are listed. */
export const ENGINES: readonly NamedEngine[] = FAMILIES.flatMap(({ engines }: EngineFamily) =>
  Object.entries(engines).map(([name, definition]) => ({ name: name as EngineName, ...definition }))
);

function names(): string[] {
  return FAMILIES.flatMap(({ engines }) => Object.keys(engines));
}

/** @throws {Error} if two families have an option of one name: a mistake in the code */
function merged(first: Options, others: readonly Options[]): Options {
  const all: Record<string, Options[string]> = { ...first };
  for (const [name, option] of others.flatMap((options) => Object.entries(options))) {
    if (Object.hasOwn(all, name)) throw new Error(`Two families of engines have an option "--${name}"`);
    all[name] = option;
  }
  return all;
}

/**
 * The engine that options name.
 *
 * @throws {UserError} `UNKNOWN_ENGINE` with the nearest match
 */
export function chooseEngine({ engine: name }: Pick<EngineValues, "engine">): NamedEngine {
  const choice = name === undefined ? ENGINES[0] : ENGINES.find((candidate) => candidate.name === name);
  if (choice !== undefined) return choice;
  throw new UserError("UNKNOWN_ENGINE", `Unknown engine "${name}"`, suggest(name ?? "", names()));
}

/** Starts the engine that options name. */
export async function startEngine(values: EngineValues, host: EngineHost): Promise<Engine> {
  return await chooseEngine(values).start(values, host);
}

/** What the largest of some sessions takes on the engine that options name, in a sentence. */
export async function describeMemory(sessions: readonly SessionOptions[], values: EngineValues): Promise<string> {
  return await chooseEngine(values).memory(sessions, values);
}

/** What this machine has of what the engines need, family by family. */
export async function examineEngines(values: Values<typeof DOCTOR_OPTIONS>, host: DoctorHost): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { doctor } of FAMILIES as readonly EngineFamily[]) findings.push(...await doctor.examine(values, host));
  return findings;
}
