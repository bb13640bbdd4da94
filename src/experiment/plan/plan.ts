/**
 * The plan: experiments at a scale as a graph of distinct runs. Arms that need the same trajectory share one run,
 * as long as the longest of them, so that nothing is trained twice.
 */
import { UserError } from "../../errors.ts";
import { canonicalJson } from "../../digest/canonical_json.ts";
import { type Digest, sha256 } from "../../digest/sha256.ts";
import type { RunContext } from "../arm/arm.ts";
import { leftOutReason } from "../arm/arm_start.ts";
import { type ExperimentFolders, readExperimentFiles } from "../catalogue.ts";
import type { ScaleChanges } from "../scale/change_scale.ts";
import { chooseArms, PRETRAINING_ARM } from "../arm/choose_arms.ts";
import { type PlanTotals, totalCost } from "./cost.ts";
import { armCorpus, type CorpusDigests, mixNames, requireMixes, withoutOtherMixes } from "../arm/mixes.ts";
import { planScale } from "./plan_scale.ts";
import { planSeed } from "./plan_seed.ts";
import type { Readings } from "../readings.ts";
import type { PlannedRun, RunSpecification } from "../run/run.ts";
import { MAX_SEEDS } from "../run/run_schema.ts";
import { scheduleDigest } from "../../schedule/learning_rate.ts";
import type { Scale } from "../scale/scale.ts";
import type { Experiment } from "../schema.ts";
import { type ImportedCheckpoint, type PlannedStart, plannedStart, startCheckpoints } from "../arm/start.ts";

/** What to plan. */
export interface PlanOptions extends ExperimentFolders {
  /** name of a file in experiments/scales */
  readonly scale: string;
  /** experiments (`max-learning-rate`) or arms (`max-learning-rate/1x`); all of the set if absent or empty */
  readonly only?: readonly string[];
  /** repetitions with other initial weights and orders */
  readonly seeds: number;
  /** the arithmetic to plan for: it is part of every run's key */
  readonly engine: RunSpecification["engine"];
  /** digests of the prepared corpora; without them the plan can be priced but not trained */
  readonly corpusDigests?: CorpusDigests;
  /** another model, or less of everything */
  readonly changes?: ScaleChanges;
  /** how the paper's open points are read; the likelier reading where nothing is chosen */
  readonly readings?: Readings;
  /** whether the user's files replace the scale's data, so that readings of those mean nothing */
  readonly ownFiles?: boolean;
  /** names of mixes whose files the user brings */
  readonly ownMixes?: readonly string[];
  /** pre-training, or the user's own models, whatever the scale's file says */
  readonly start?: "train" | "files";
  /** the models to start from; without them such a plan can be priced but not trained */
  readonly imported?: readonly ImportedCheckpoint[];
  /** parts of the scale to replace, such as `continuing` */
  readonly overrides?: Partial<Omit<Scale, "name">>;
}

/** Whether the corpora of a plan are at hand. */
export type PlannedData =
  | {
    readonly state: "pinned";
    readonly upstream: Digest;
    readonly downstream: Digest;
    /** of the mixes that runs are trained on, by their names */
    readonly mixes?: Readonly<Record<string, Digest>>;
  }
  | {
    readonly state: "not fetched";
    readonly upstream: string;
    readonly downstream: string;
    readonly mixes?: Readonly<Record<string, string>>;
  };

/** An experiment as far as the plan holds it. */
export interface PlannedExperiment {
  /** that of its file, such as `warmup-length` */
  readonly name: string;
  /** section of the paper, such as `4.1`, or another source */
  readonly section: string;
  /** heading for tables and the report */
  readonly title: string;
  /** figures of the paper that show its results */
  readonly figures: readonly number[];
  /** what is varied, in one sentence */
  readonly question: string;
  /** arms in the order of the file */
  readonly arms: readonly string[];
}

/** All runs that the chosen experiments need. */
export interface Plan {
  /** the size of everything, as it was planned by */
  readonly scale: Scale;
  /** repetitions of all experiments */
  readonly seeds: number;
  /** part of every run's key */
  readonly engine: RunSpecification["engine"];
  /** digests of the corpora, or the names of what has to be fetched */
  readonly data: PlannedData;
  /** models that continued runs start from; absent where the plan trains its own */
  readonly start?: PlannedStart;
  /** how the paper's open points are read (`experiments/paper.yaml`); absent in plans of earlier versions */
  readonly readings?: Readings;
  /** those with a chosen arm, in the order of the paper's sections */
  readonly experiments: readonly PlannedExperiment[];
  /** distinct runs, each after the run it starts from */
  readonly runs: readonly PlannedRun[];
  /** what the distinct runs cost together */
  readonly totals: PlanTotals;
  /** SHA-256 of everything above in canonical JSON */
  readonly planDigest: Digest;
}

/** An arm that a scale does not have. */
export interface LeftOutArm {
  /** `EXPERIMENT/ARM` */
  readonly arm: string;
  /** why, in words */
  readonly reason: string;
}

/**
 * Plans experiments at a scale.
 *
 * @throws {UserError} on an unknown scale, experiment or arm, a bad number of seeds, or a bad file
 */
export async function buildPlan(options: PlanOptions): Promise<Plan> {
  return (await planWithout(options)).plan;
}

/** {@linkcode buildPlan}, and the arms of the set that the scale does not have. */
export async function planWithout(
  options: PlanOptions,
): Promise<{ readonly plan: Plan; readonly leftOut: readonly LeftOutArm[] }> {
  const { seeds, engine } = options;
  if (!Number.isInteger(seeds) || seeds < 1 || seeds > MAX_SEEDS) {
    throw new UserError("BAD_SEEDS", `Number of seeds is ${seeds}`, `expected a whole number from 1 to ${MAX_SEEDS}`);
  }
  const { scale, readings } = await planScale(options);
  const start = plannedStart(scale, options.imported, readings);
  const files = await readExperimentFiles(options);
  const stated = withoutPretraining(files.map(({ experiment }) => experiment), start);
  const { only = [], ownFiles = false, ownMixes = [] } = options;
  const mixes = mixNames(scale, ownMixes, ownFiles);
  requireMixes(stated, mixes, only, scale.name);
  const catalogue = withoutOtherMixes(stated, mixes);
  const usual = options.set === "beyond" ? files.filter(({ isBeyond }) => isBeyond) : files;
  const wanted = chooseArms(catalogue, only, start, usual.map(({ experiment }) => experiment.name));
  const imported = start === undefined ? {} : { imported: startCheckpoints(start) };
  const leftOut = leftOutArms(catalogue, wanted, { scale, ...imported }).filter(({ arm }) => !only.includes(arm));
  const chosen = wanted.difference(new Set(leftOut.map(({ arm }) => arm)));
  const data = plannedData(scale, usedMixes(catalogue, chosen, scale), options.corpusDigests);
  const context: RunContext = {
    scale,
    engine,
    corpusDigests: corpusDigests(data),
    readings,
    scheduleDigest: rememberedDigests(),
    ...imported,
  };
  const runs = Array.from({ length: seeds }, (_, seedIndex) => planSeed(catalogue, chosen, context, seedIndex)).flat();
  const experiments = catalogue.flatMap(({ arms, name, section, source = "", title, paperFigures, question }) => {
    const names = Object.keys(arms).filter((arm) => chosen.has(`${name}/${arm}`));
    if (names.length === 0) return [];
    return [{ name, section: section ?? source, title, figures: paperFigures, question, arms: names }];
  });
  const content = {
    scale,
    seeds,
    engine,
    data,
    start,
    readings,
    experiments,
    runs,
    totals: totalCost(runs),
  };
  const plan = { ...content, planDigest: sha256(canonicalJson(content)) };
  return { plan, leftOut: [...only.length > 0 ? [] : armsWithoutMix(stated, usual, mixes), ...leftOut] };
}

/** Arms of the set that are trained on mixes which the data do not have. */
function armsWithoutMix(
  stated: readonly Experiment[],
  usual: readonly { readonly experiment: Experiment }[],
  mixes: readonly string[],
): LeftOutArm[] {
  const kept = new Map(withoutOtherMixes(stated, mixes).map(({ name, arms }) => [name, arms]));
  const names = usual.map(({ experiment }) => experiment.name);
  return stated.filter(({ name }) => names.includes(name)).flatMap(({ name, arms }) =>
    Object.entries(arms).filter(([arm]) => kept.get(name)?.[arm] === undefined)
      .map(([arm, { corpus }]) => ({ arm: `${name}/${arm}`, reason: `the data have no mix "${corpus}"` }))
  );
}

function leftOutArms(
  catalogue: readonly Experiment[],
  wanted: ReadonlySet<string>,
  context: Pick<RunContext, "scale" | "imported">,
): LeftOutArm[] {
  const arms = new Map(
    catalogue.flatMap(({ name, arms }) => Object.entries(arms).map(([arm, stated]) => [`${name}/${arm}`, stated])),
  );
  return [...wanted].flatMap((name) => {
    const arm = arms.get(name);
    const reason = arm && leftOutReason(arm, context, (reference) => arms.get(reference));
    return reason === undefined ? [] : [{ arm: name, reason }];
  });
}

/** Digests of schedules, each distinct one computed once. */
function rememberedDigests(): RunContext["scheduleDigest"] {
  const known = new Map<string, Digest>();
  return (schedule) => {
    const name = canonicalJson(schedule);
    const digest = known.get(name) ?? scheduleDigest(schedule);
    known.set(name, digest);
    return digest;
  };
}

/**
 * The run behind an arm.
 *
 * @returns undefined if the plan does not hold that arm or seed
 */
export function findRun(plan: Plan, experiment: string, arm: string, seedIndex = 0): PlannedRun | undefined {
  return plan.runs.find((run) =>
    run.usedBy.some((use) => use.experiment === experiment && use.arm === arm && use.seedIndex === seedIndex)
  );
}

/** Where models of others are continued, the pre-training that they stand in for is no arm. */
function withoutPretraining(
  catalogue: readonly Experiment[],
  start: PlannedStart | undefined,
): readonly Experiment[] {
  if (start === undefined) return catalogue;
  const { experiment, arm } = PRETRAINING_ARM;
  return catalogue.map((one) => ({
    ...one,
    arms: Object.fromEntries(Object.entries(one.arms).filter(([name]) => one.name !== experiment || name !== arm)),
  })).filter(({ arms }) => Object.keys(arms).length > 0);
}

/** Mixes that the chosen arms are trained on, sorted. */
function usedMixes(catalogue: readonly Experiment[], chosen: ReadonlySet<string>, scale: Scale): string[] {
  const names = catalogue.flatMap(({ name, arms }) =>
    Object.entries(arms).flatMap(([arm, { corpus }]) =>
      chosen.has(`${name}/${arm}`) ? armCorpus(corpus, scale).mix ?? [] : []
    )
  );
  return [...new Set(names)].sort();
}

function plannedData(scale: Scale, mixes: readonly string[], digests: PlanOptions["corpusDigests"]): PlannedData {
  const ofMixes = <T>(of: (mix: string) => T) =>
    mixes.length === 0 ? {} : { mixes: Object.fromEntries(mixes.map((mix) => [mix, of(mix)])) };
  if (digests !== undefined) {
    return {
      state: "pinned",
      upstream: digests.upstream,
      downstream: digests.downstream,
      ...ofMixes((mix) => digests.mixes?.[mix] ?? sha256(`not at hand: ${mix}`)),
    };
  }
  const { data } = scale;
  const isHub = data.kind === "huggingface";
  return {
    state: "not fetched",
    upstream: isHub ? `huggingface:${data.upstream.dataset}` : "npm:upstream",
    downstream: isHub ? `huggingface:${data.downstream.dataset}` : "npm:downstream",
    ...ofMixes((mix) => `${isHub ? "files" : "npm"}:${mix}`),
  };
}

/** Without data, the digest of a sentence that no corpus can have keeps the graph whole. */
function corpusDigests(data: PlannedData): CorpusDigests {
  const { upstream, downstream, mixes } = data;
  if (data.state === "pinned") {
    return {
      upstream: data.upstream,
      downstream: data.downstream,
      mixes: data.mixes,
    };
  }
  const missing = (what: string) => sha256(`not fetched: ${what}`);
  const named = Object.entries(mixes ?? {}).map(([mix, what]) => [mix, missing(what)] as const);
  return {
    upstream: missing(upstream),
    downstream: missing(downstream),
    mixes: mixes === undefined ? undefined : Object.fromEntries(named),
  };
}
