/**
 * What the page of a manifest shows: made from what the manifest says and its artefacts hold, and from nothing else, so
 * that a verifier makes the same page. Web-standard APIs only.
 */
import { shortDigest } from "../../digest/sha256.ts";
import { containerInWords } from "../../container/facts.ts";
import { scaleCriteria } from "../../experiment/scale/criteria.ts";
import { PRETRAINING_ARM } from "../../experiment/arm/choose_arms.ts";
import { penaltyInWords } from "../../experiment/run/penalty.ts";
import { replayInWords } from "../../experiment/run/replay.ts";
import type { Plan } from "../../experiment/plan/plan.ts";
import { PAPER_PRETRAINING_TOKENS } from "../../experiment/scale/paper_units.ts";
import { type ReadingName, READINGS } from "../../experiment/readings.ts";
import type { InitialWeights, PlannedRun, RunKey, RunSpecification } from "../../experiment/run/run.ts";
import { tokensPerStep } from "../../experiment/plan/cost.ts";
import { dataLimits, methodLimits } from "../../manifest/format/limits.ts";
import type { DataFacts, Predicate } from "../../manifest/format/predicate.ts";
import { isTrained, type ManifestRun } from "../../manifest/format/run.ts";
import { armsOf } from "../../manifest/verify/verify_claims.ts";
import { parameterCount } from "../../model/config.ts";
import type { ArmCurves } from "../../results/arm_curves.ts";
import type { Curves } from "../../results/curves.ts";
import type { Paper } from "../../results/paper_schema.ts";
import { learningRate } from "../../schedule/learning_rate.ts";
import type {
  ReportArm,
  ReportCorpus,
  ReportFact,
  ReportInput,
  ReportRun,
  ReportScale,
  ReportSchedule,
} from "./input.ts";

/** Samples of a schedule: enough that a warm-up of half a percent shows. */
const SCHEDULE_SAMPLES = 1201;

/** What a manifest says and holds. Of the page itself it says no more than the digest. */
export interface ReportEvidence {
  /** version 2 or later, which says where the texts are from */
  readonly predicate: Omit<Predicate, "report" | "data"> & { readonly data: DataFacts };
  /** the plan that it names */
  readonly plan: Plan;
  /** the rules that it names, read */
  readonly paper: Paper;
  /** of every trained run */
  readonly curves: ReadonlyMap<RunKey, Curves>;
}

/** The page's input. */
export function reportInputOf({ predicate, plan, paper, curves }: ReportEvidence): ReportInput {
  const { engine, data } = predicate;
  const { config } = plan.scale.model;
  const planned = new Map(plan.runs.map((run) => [run.key as string, run]));
  const arms = armsOf(plan.runs, curves);
  const facts = paper.paper;
  return {
    scale: {
      name: plan.scale.name,
      parameters: parameterCount(config),
      ...corporaInWords(plan, data),
      pretraining: pretrainingOf(plan),
      changes: plan.scale.changes ?? [],
      downstreamHorizonTokens: plan.scale.continuing.steps * plan.scale.continuing.batchSequences *
        config.sequenceLength,
      seeds: plan.seeds,
      engine: engine.name,
      determinism: engine.level.replaceAll("_", " "),
      // of text that a user brought in place of the scale's, its families say nothing
      criteria: scaleCriteria(plan.scale).filter(({ id, ours }) =>
        ours !== undefined && (id !== "overlap" || data.source === "scale")
      ),
    },
    paper: {
      title: facts.title,
      arxiv: facts.arxiv,
      model: facts.model,
      parameters: facts.parameters,
      upstreamName: facts.upstream,
      downstreamName: facts.downstream,
      downstreamHorizonTokens: facts.downstreamTokens,
      pretrainingTokens: PAPER_PRETRAINING_TOKENS,
    },
    experiments: paper.experiments,
    arms: arms.map((arm) => reportArm(arm, planned)),
    schedules: schedulesOf(arms, planned),
    verdicts: predicate.claims,
    rulesVersion: paper.rulesVersion,
    estimates: predicate.estimates ?? [],
    comparisons: predicate.comparisons,
    openPoints: paper.openPoints.map(({ question, confidence, here, reading }) => {
      const value = Object.entries(plan.readings ?? {}).find(([name]) => name === reading?.name)?.[1];
      if (reading === undefined) return { question, confidence, here };
      const way = value === undefined ? undefined : reading.ways[value];
      return {
        question,
        confidence,
        here: way === undefined ? "does not arise: other text is trained on here" : `${reading.name}=${value}: ${way}`,
      };
    }),
    corpora: reportCorpora(plan, predicate.corpora, data),
    runs: predicate.runs.map((run) => reportRun(run, curves, planned)),
    environment: environmentFacts(predicate),
    digests: [
      { name: "plan", value: plan.planDigest },
      { name: "the paper's claims", value: predicate.paper.sha256 },
      { name: "upstream corpus", value: predicate.corpora.upstream.digest },
      { name: "downstream corpus", value: predicate.corpora.downstream.digest },
      ...Object.entries(predicate.corpora.mixes ?? {}).map(([mix, { digest }]) => ({
        name: `mix ${mix}`,
        value: digest,
      })),
      ...(engine.description.kernels === undefined ? [] : [{ name: "kernels", value: engine.description.kernels }]),
    ],
    warnings: runWarnings(predicate.runs, curves),
    limits: [...dataLimits(data.shortages), ...methodLimits(plan)],
    command: repeatable(plan, data),
  };
}

/** What went wrong with runs, in whole sentences. */
export function runWarnings(runs: readonly ManifestRun[], curves: ReadonlyMap<RunKey, Curves>): string[] {
  return runs.flatMap((run) => {
    if (!isTrained(run)) return [`Run "${run.label}" was skipped: ${run.reason}`];
    const diverged = curves.get(run.key)?.diverged;
    if (diverged === undefined) return [];
    return [`Run "${run.label}" diverged at step ${diverged.step}: its loss or gradient norm is ${diverged.loss}`];
  });
}

/** The texts by their names, and what a token of them is. */
function corporaInWords(
  { scale: { data } }: Plan,
  { source, tokenUnit }: DataFacts,
): Pick<ReportScale, "tokenUnit" | "upstreamName" | "downstreamName" | "textIsThePapers"> {
  if (source === "files") {
    return {
      tokenUnit,
      upstreamName: "the upstream files given",
      downstreamName: "the downstream files given",
      textIsThePapers: false,
    };
  }
  if (data.kind === "huggingface") {
    return {
      tokenUnit,
      upstreamName: `the Pile (${data.upstream.dataset})`,
      downstreamName: `SlimPajama (${data.downstream.dataset})`,
      textIsThePapers: true,
    };
  }
  if (data.kind === "embedded") {
    return {
      tokenUnit,
      upstreamName: familiesInWords(data.upstream),
      downstreamName: familiesInWords(data.mixes[data.downstream] ?? {}),
      textIsThePapers: false,
    };
  }
  return {
    tokenUnit,
    upstreamName: "TypeScript's library declarations, mixed 3 : 1 with Node's",
    downstreamName: "Node's declarations, mixed 3 : 1 with TypeScript's",
    textIsThePapers: false,
  };
}

/** What each corpus and mix of the plan is made of. */
function reportCorpora(plan: Plan, corpora: Predicate["corpora"], facts: DataFacts): ReportCorpus[] {
  const { data } = plan.scale;
  const { upstreamName, downstreamName } = corporaInWords(plan, facts);
  const mixOf = (name: string) => {
    if (facts.source === "files") return "the files given for it";
    const weights = data.kind === "embedded" ? data.mixes[name] : undefined;
    return weights === undefined ? "the files given for it" : familiesInWords(weights);
  };
  const described = (name: string, madeOf: string, { digest, summary }: Predicate["corpora"]["upstream"]) => ({
    name,
    madeOf,
    facts: Object.entries(summary).map(([fact, value]) => ({ name: fact, value })),
    digest,
  });
  return [
    described("upstream", upstreamName, corpora.upstream),
    described("downstream", downstreamName, corpora.downstream),
    ...Object.entries(corpora.mixes ?? {}).map(([name, corpus]) => described(`mix ${name}`, mixOf(name), corpus)),
  ];
}

/** `text of typescript (95 %) and node (5 %)`. */
function familiesInWords(weights: Readonly<Record<string, number>>): string {
  const families = Object.entries(weights);
  const total = families.reduce((sum, [, weight]) => sum + weight, 0);
  if (families.length === 1) return `text of the family “${families[0]?.[0]}”`;
  return `text of the families ${
    families.map(([family, weight]) => `“${family}” (${Number((100 * weight / total).toFixed(1))} %)`).join(", ")
  }`;
}

function pretrainingOf({ scale, start }: Plan): ReportScale["pretraining"] {
  if (start?.state === "pinned") {
    return { importedFrom: [...new Set(start.checkpoints.map(({ origin }) => origin))].join(", ") };
  }
  const { steps, batchSequences } = scale.pretraining;
  return { tokens: steps * batchSequences * scale.model.config.sequenceLength };
}

/** A command that makes the same plan again, as far as options can say it; the reader names files of their own. */
function repeatable({ scale, start, readings = {} }: Plan, { source }: DataFacts): string {
  const chosen = Object.entries(readings).filter(([name, value]) => READINGS[name as ReadingName][0] !== value);
  return [
    `reproduce --scale ${scale.name}`,
    ...(scale.changes ?? []).map((change) => `--${change}`),
    ...(chosen.length === 0 ? [] : [`--reading ${chosen.map(([name, value]) => `${name}=${value}`).join(" ")}`]),
    ...(scale.start?.kind === "train" ? ["--start train"] : []),
    ...(scale.start?.kind === "files" && start !== undefined ? ["--start MODELS"] : []),
    ...(source === "files" ? ["--upstream FILES --downstream FILES"] : []),
  ].join(" ");
}

function runOf(arm: ArmCurves, runs: ReadonlyMap<string, PlannedRun>): PlannedRun {
  const run = runs.get(arm.runKey);
  if (run === undefined) throw new Error(`No run ${arm.runKey}`);
  return run;
}

function reportArm(arm: ArmCurves, runs: ReadonlyMap<string, PlannedRun>): ReportArm {
  const run = runOf(arm, runs);
  const warmupTokens = Math.round(run.specification.schedule.warmupSteps * tokensPerStep(run));
  return {
    ...arm,
    label: run.label,
    warmupTokens,
    startsAtRandom: run.specification.initialWeights.kind === "random",
    trainedOn: run.specification.corpus.name,
    ...recipeOf(run, runs),
  };
}

/** Where a run stands in the trade-off, if it differs from others in shift, size, rate and replay alone. */
function recipeOf({ specification }: PlannedRun, runs: ReadonlyMap<string, PlannedRun>): Pick<ReportArm, "recipe"> {
  const { corpus, initialWeights, model, penalty, replay, schedule } = specification;
  if (corpus.name !== "downstream" || penalty !== undefined || replay?.from !== undefined) return {};
  if (initialWeights.kind !== "checkpoint" || initialWeights.optimizerState !== undefined) return {};
  const before = runs.get(initialWeights.run)?.specification.schedule;
  if (before?.kind !== "paper" || initialWeights.step !== before.totalSteps) return {};
  const isConstant = schedule.kind === "constant" && schedule.maxLearningRate === before.minLearningRate;
  if (!isConstant && (schedule.kind !== "paper" || schedule.warmupSteps === 0)) return {};
  return {
    recipe: {
      ...(corpus.mix === undefined ? {} : { mix: corpus.mix }),
      parameters: parameterCount(model),
      replay: replay?.percent ?? 0,
      ...(isConstant ? {} : { rate: Number((schedule.maxLearningRate / before.maxLearningRate).toPrecision(6)) }),
    },
  };
}

/** The distinct schedules of continued training over their whole horizon, each under the first arm that has it. */
function schedulesOf(arms: readonly ArmCurves[], runs: ReadonlyMap<string, PlannedRun>): ReportSchedule[] {
  const seen = new Set<string>();
  return arms.filter((arm) => {
    const { scheduleDigest } = runOf(arm, runs).specification;
    if (arm.experiment === PRETRAINING_ARM.experiment || seen.has(scheduleDigest)) return false;
    seen.add(scheduleDigest);
    return true;
  }).map((arm) => {
    const { schedule } = runOf(arm, runs).specification;
    const sampled = Float32Array.from(
      { length: SCHEDULE_SAMPLES },
      (_, i) => learningRate(schedule, Math.round(i * schedule.totalSteps / (SCHEDULE_SAMPLES - 1))),
    );
    return { experiment: arm.experiment, arm: arm.arm, sampled };
  });
}

function reportRun(
  run: ManifestRun,
  curves: ReadonlyMap<RunKey, Curves>,
  runs: ReadonlyMap<string, PlannedRun>,
): ReportRun {
  const { initialWeights, corpus } = run.specification;
  const last = curves.get(run.key)?.points.at(-1);
  const { steps, root } = isTrained(run) ? run.journal : { steps: 0, root: "" };
  return {
    label: run.label,
    runKey: run.key,
    status: run.outcome,
    corpus: [corpus.name, ...trainedWith(run.specification)].join(", "),
    startsFrom: startInWords(initialWeights, runs),
    steps,
    tokens: steps * tokensPerStep(run),
    ...(last === undefined ? {} : { upstream: last.upstream, downstream: last.downstream }),
    journalRoot: root,
  };
}

/** What a run has besides plain training on a corpus, its start apart. */
function trainedWith({ replay, penalty }: RunSpecification): string[] {
  return [
    ...(replay === undefined ? [] : [replayInWords(replay)]),
    ...(penalty === undefined ? [] : [penaltyInWords(penalty)]),
  ];
}

function startInWords(start: InitialWeights, runs: ReadonlyMap<string, PlannedRun>): string {
  switch (start.kind) {
    case "random":
      return `random weights, seed ${start.seed}`;
    case "imported":
      return `an imported model after ${start.step} steps, weights ${shortDigest(start.weights)}`;
    case "checkpoint": {
      const carried = start.optimizerState === "carried" ? ", optimizer state carried on" : "";
      return `step ${start.step} of ${runs.get(start.run)?.label ?? start.run}${carried}`;
    }
    case "interpolation": {
      const to = startInWords({ kind: "checkpoint", ...start.to }, runs);
      return `${start.fraction} of the way from ${startInWords(start.from, runs)} to ${to}`;
    }
  }
}

/** On how many machines the runs were trained, where the manifest says so. */
function machineFacts(runs: readonly ManifestRun[]): ReportFact[] {
  const machines = new Set(
    runs.flatMap((run) => isTrained(run) ? run.trainedBy ?? [] : []).map(({ machine }) => machine),
  );
  if (machines.size === 0) return [];
  return [{ name: "trained on", value: `${machines.size} ${machines.size === 1 ? "machine" : "machines"}` }];
}

function environmentFacts({ engine, environment, container, runs }: ReportEvidence["predicate"]): ReportFact[] {
  const { deno, v8, typescript, os, architecture, cpu, threads, gpu, permissions } = environment;
  // In an order of its own: canonical JSON has another than the maker's.
  const facts = { deno, v8, typescript, os, architecture, cpu, threads, gpu };
  return [
    ...Object.entries(facts).map(([name, value]) => ({ name, value: String(value) })),
    ...machineFacts(runs),
    { name: "container", value: containerInWords(container) },
    { name: "permissions", value: permissions.length === 0 ? "none without restriction" : permissions.join(", ") },
    ...Object.entries(engine.description)
      .filter(([name]) => name !== "threads" && name !== "kernels")
      .sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0)
      .map(([name, value]) => ({ name, value })),
  ];
}
