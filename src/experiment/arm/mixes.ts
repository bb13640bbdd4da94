/**
 * Mixes: further corpora that stand for downstream, by the names that arms use. Which there are follows from the scale's
 * data, or from the files that the user brings in their place.
 */
import type { Digest } from "../../digest/sha256.ts";
import { suggest, UserError } from "../../errors.ts";
import type { CorpusName, PlannedRun } from "../run/run.ts";
import type { Scale } from "../scale/scale.ts";
import type { Experiment } from "../schema.ts";

/** Digests of the corpora of a plan. */
export interface CorpusDigests extends Readonly<Record<CorpusName, Digest>> {
  /** of the mixes that runs are trained on, by their names; absent if there are none */
  readonly mixes?: Readonly<Record<string, Digest>>;
}

/** The digests of corpora that were opened or described, without the rest of what is known of them. */
export function digestsOfCorpora(
  { upstream, downstream, mixes = {} }: Readonly<Record<CorpusName, WithDigest>> & {
    readonly mixes?: Readonly<Record<string, WithDigest>>;
  },
): CorpusDigests {
  const ofMixes = Object.entries(mixes).map(([mix, { digest }]) => [mix, digest] as const);
  return {
    upstream: upstream.digest,
    downstream: downstream.digest,
    ...(ofMixes.length === 0 ? {} : { mixes: Object.fromEntries(ofMixes) }),
  };
}

interface WithDigest {
  readonly digest: Digest;
}

/** Which corpus an arm is trained on. */
export interface ArmCorpus {
  /** which of the two it is, or stands for */
  readonly name: CorpusName;
  /** absent for the scale's own two */
  readonly mix?: string;
}

/**
 * The corpus that an arm names. The mix that a scale has for downstream is downstream, so that both names give one run.
 *
 * @param corpus `upstream`, `downstream`, or a mix's name
 */
export function armCorpus(corpus: string, { data }: Pick<Scale, "data">): ArmCorpus {
  if (corpus === "upstream" || corpus === "downstream") return { name: corpus };
  if (data.kind === "embedded" && data.downstream === corpus) return { name: "downstream" };
  return { name: "downstream", mix: corpus };
}

/**
 * Names that arms may use besides `upstream` and `downstream`.
 *
 * @param own names of mixes whose files the user brings
 * @param hasOwnFiles whether the user's files replace the scale's data, its mixes included
 * @throws {UserError} `MIX_NAME_TAKEN` if the user's is one that stands for downstream already
 */
export function mixNames({ name, data }: Pick<Scale, "name" | "data">, own: readonly string[], hasOwnFiles: boolean) {
  if (data.kind === "embedded" && own.includes(data.downstream)) {
    throw new UserError(
      "MIX_NAME_TAKEN",
      `The mix "${data.downstream}" is the downstream corpus of scale "${name}"`,
      "give your files another name, or give them with --downstream",
    );
  }
  return [...new Set([...hasOwnFiles ? [] : scaleMixes(data), ...own])];
}

function scaleMixes(data: Scale["data"]): readonly string[] {
  switch (data.kind) {
    case "npm":
      return [];
    case "embedded":
      return Object.keys(data.mixes);
    case "huggingface":
      return data.mixes ?? [];
  }
}

/** The experiments without arms on mixes that are not to be had. */
export function withoutOtherMixes(catalogue: readonly Experiment[], known: readonly string[]): Experiment[] {
  const isKnown = (corpus: string) => corpus === "upstream" || corpus === "downstream" || known.includes(corpus);
  return catalogue.map((experiment) => ({
    ...experiment,
    arms: Object.fromEntries(Object.entries(experiment.arms).filter(([, { corpus }]) => isKnown(corpus))),
  })).filter(({ arms }) => Object.keys(arms).length > 0);
}

/**
 * Refuses to leave out an arm that was asked for by its name.
 *
 * @param only experiments and arms that a plan is made of, as the user gives them
 * @throws {UserError} `NO_SUCH_MIX`
 */
export function requireMixes(
  catalogue: readonly Experiment[],
  known: readonly string[],
  only: readonly string[],
  scale: string,
): void {
  for (const { name, arms } of catalogue) {
    for (const [arm, { corpus }] of Object.entries(arms)) {
      if (!only.includes(`${name}/${arm}`)) continue;
      if (corpus === "upstream" || corpus === "downstream" || known.includes(corpus)) continue;
      throw new UserError(
        "NO_SUCH_MIX",
        `Arm "${name}/${arm}" is trained on the mix "${corpus}", which scale "${scale}" does not have with these data`,
        known.length === 0 ? `give its files with --mix ${corpus}=PATH` : suggest(corpus, known),
      );
    }
  }
}

/** Names of the mixes that runs are trained on, sorted. */
export function mixesOf(runs: readonly Pick<PlannedRun, "specification">[]): string[] {
  const names = runs.flatMap(({ specification: { corpus } }) => corpus.mix ?? []);
  return [...new Set(names)].sort();
}
