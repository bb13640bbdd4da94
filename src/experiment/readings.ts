/**
 * What the paper leaves open and a reproduction must decide: each open point with the ways it can be read. The likelier
 * reading is the default; the chosen ones stand in the plan and in the manifest. `experiments/paper.yaml` says what is
 * known of each point.
 */
import { suggest, UserError } from "../errors.ts";
import type { Scale } from "./scale/scale.ts";

/** How each open point is read. One that has no meaning at a scale is missing: no Pile, no `pile`. */
export interface Readings {
  /** was Pythia trained on the standard or on the deduplicated Pile? */
  readonly "pile"?: "standard" | "deduplicated";
  /** the mixture of Table 1, or that of the released configuration, which has neither Book nor Wikipedia */
  readonly "domains"?: "table-1" | "released-config";
  /** Adam's moments at the start of continued training */
  readonly "optimizer-state"?: "reset" | "carried";
  /** tokens that the schedules of the same-data runs are laid out for */
  readonly "same-data-horizon"?: "downstream" | "upstream";
}

/** Name of an open point. */
export type ReadingName = keyof Readings;

/** Open points with their readings, the default first. */
export const READINGS = {
  "pile": ["standard", "deduplicated"],
  "domains": ["table-1", "released-config"],
  "optimizer-state": ["reset", "carried"],
  "same-data-horizon": ["downstream", "upstream"],
} as const satisfies { readonly [Name in ReadingName]-?: readonly NonNullable<Readings[Name]>[] };

/** Names of all open points. */
export const READING_NAMES = Object.keys(READINGS) as ReadingName[];

/** Domains of SlimPajama that the authors' released configuration leaves out; the weights of the others sum to 91. */
const NOT_IN_RELEASED_CONFIG = ["RedPajamaBook", "RedPajamaWikipedia"];

/**
 * Readings as options give them.
 *
 * @param texts each `NAME=VALUE`
 * @throws {UserError} `UNKNOWN_READING`, `DUPLICATE_READING`
 */
export function parseReadings(texts: readonly string[]): Readings {
  const chosen: Record<string, string> = {};
  for (const text of texts) {
    const [name = "", value = ""] = text.split("=", 2);
    if (!isReadingName(name)) {
      throw new UserError("UNKNOWN_READING", `Unknown reading "${text}"`, suggest(name, READING_NAMES));
    }
    if (!READINGS[name].some((known) => known === value)) {
      const known = READINGS[name].map((known) => `${name}=${known}`);
      throw new UserError("UNKNOWN_READING", `Unknown reading "${text}"`, suggest(text, known));
    }
    if (name in chosen) throw new UserError("DUPLICATE_READING", `"${name}" is read in two ways`, "give it once");
    chosen[name] = value;
  }
  return chosen as Readings;
}

function isReadingName(name: string): name is ReadingName {
  return Object.hasOwn(READINGS, name);
}

/**
 * Every reading that has a meaning where it is used, the default where none was chosen.
 *
 * @param ownFiles whether the user's files replace the scale's data
 * @throws {UserError} `UNUSED_READING` for a choice that would have no effect
 */
export function applicableReadings(scale: Scale, chosen: Readings, ownFiles: boolean): Readings {
  const isHub = scale.data.kind === "huggingface";
  const reasons: { readonly [Name in ReadingName]?: string } = {
    pile: isHub && (!ownFiles || scale.start?.kind === "huggingface")
      ? undefined
      : "neither the Pile nor a model trained on it is used",
    domains: isHub && !ownFiles ? undefined : "SlimPajama is not used",
  };
  const readings: Record<string, string> = {};
  for (const name of READING_NAMES) {
    const reason = reasons[name];
    const value = chosen[name];
    if (reason === undefined) readings[name] = value ?? READINGS[name][0];
    else if (value !== undefined) {
      throw new UserError("UNUSED_READING", `The reading "${name}=${value}" has no effect: ${reason}`, "leave it out");
    }
  }
  return readings as Readings;
}

/**
 * A scale whose data and model are those of the readings.
 *
 * @throws {UserError} `NO_DEDUPLICATED_PILE` if the scale names none
 */
export function readScale(scale: Scale, { pile, domains }: Readings): Scale {
  let { data, start } = scale;
  if (pile === "deduplicated") {
    if (data.kind !== "huggingface" || data.upstream.deduplicated === undefined) throw noDeduplicated(scale);
    data = { ...data, upstream: { ...data.upstream, dataset: data.upstream.deduplicated } };
    if (start?.kind === "huggingface") {
      if (start.deduplicated === undefined) throw noDeduplicated(scale);
      start = { ...start, model: start.deduplicated };
    }
  }
  if (domains === "released-config" && data.kind === "huggingface") {
    data = { ...data, downstream: { ...data.downstream, leftOut: NOT_IN_RELEASED_CONFIG } };
  }
  return { ...scale, data, start };
}

function noDeduplicated({ name }: Scale): UserError {
  return new UserError(
    "NO_DEDUPLICATED_PILE",
    `The scale "${name}" names no deduplicated Pile`,
    'read it as "pile=standard"',
  );
}
