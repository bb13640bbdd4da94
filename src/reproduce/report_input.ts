/** What the report page shows of a reproduction. */
import { shortDigest } from "../digest/sha256.ts";
import { containerInWords } from "../container/facts.ts";
import type { CorpusFiles } from "../data/options.ts";
import type { Plan } from "../experiment/plan.ts";
import { type ReadingName, READINGS } from "../experiment/readings.ts";
import type { PlannedRun, RunKey } from "../experiment/run.ts";
import { tokensPerStep } from "../experiment/cost.ts";
import { parameterCount } from "../model/config.ts";
import { describeEnvironment } from "../manifest/environment.ts";
import type { ReportArm, ReportFact, ReportInput, ReportRun, ReportScale, ReportSchedule } from "../report/input.ts";
import type { ArmCurves } from "../results/arm_curves.ts";
import type { Curves } from "../results/curves.ts";
import { learningRate } from "../schedule/learning_rate.ts";
import type { RunResult } from "../train/train_plan.ts";
import { dataLimits, methodLimits } from "./limits.ts";
import { PAPER_FILE } from "./paper_file.ts";
import { type PredicateInput, tokenUnit } from "./predicate_input.ts";

/** Samples of a schedule: enough that a warm-up of half a percent shows. */
const SCHEDULE_SAMPLES = 1201;

/** What the page is made of: what the manifest is made of, and the curves. */
export interface ReportSource extends Omit<PredicateInput, "artefacts"> {
  readonly arms: readonly ArmCurves[];
  readonly curves: ReadonlyMap<RunKey, Curves>;
  readonly warnings: readonly string[];
}

/** Turns results into what the page needs. */
export function buildReportInput(source: ReportSource): ReportInput {
  const { plan, paper, claims, comparisons, warnings, corpora, engine } = source;
  const { config } = plan.scale.model;
  const runs = new Map(plan.runs.map((run) => [run.key as string, run]));
  const facts = paper.content.paper;
  return {
    scale: {
      name: plan.scale.name,
      parameters: parameterCount(config),
      ...corporaInWords(plan, source.files),
      pretraining: pretrainingOf(plan),
      changes: plan.scale.changes ?? [],
      downstreamHorizonTokens: plan.scale.continuing.steps * plan.scale.continuing.batchSequences *
        config.sequenceLength,
      seeds: plan.seeds,
      engine: engine.name,
      determinism: engine.level.replaceAll("_", " "),
    },
    paper: {
      title: facts.title,
      arxiv: facts.arxiv,
      model: facts.model,
      parameters: facts.parameters,
      upstreamName: facts.upstream,
      downstreamName: facts.downstream,
      downstreamHorizonTokens: facts.downstreamTokens,
    },
    arms: source.arms.map((arm) => reportArm(arm, runs)),
    schedules: schedulesOf(source.arms, runs),
    verdicts: claims,
    comparisons,
    openPoints: paper.content.openPoints.map(({ question, confidence, here, reading }) => {
      const value = Object.entries(plan.readings ?? {}).find(([name]) => name === reading?.name)?.[1];
      if (reading === undefined) return { question, confidence, here };
      const way = value === undefined ? undefined : reading.ways[value];
      return {
        question,
        confidence,
        here: way === undefined ? "does not arise: other text is trained on here" : `${reading.name}=${value}: ${way}`,
      };
    }),
    runs: source.results.map((result) => reportRun(result, source.curves, runs)),
    environment: environmentFacts(source),
    digests: [
      { name: "plan", value: plan.planDigest },
      { name: PAPER_FILE, value: paper.digest },
      { name: "upstream corpus", value: corpora.upstream.digest },
      { name: "downstream corpus", value: corpora.downstream.digest },
      ...(engine.description.kernels === undefined ? [] : [{ name: "kernels", value: engine.description.kernels }]),
    ],
    warnings,
    limits: [...dataLimits(source.shortages), ...methodLimits(plan)],
    folder: displayFolder(source.output),
    command: repeatable(plan, source.files),
  };
}

/** The texts by their names, and what a token of them is. */
function corporaInWords(
  plan: Plan,
  files: CorpusFiles | undefined,
): Pick<ReportScale, "tokenUnit" | "upstreamName" | "downstreamName" | "textIsThePapers"> {
  const { data } = plan.scale;
  if (files !== undefined) {
    return {
      tokenUnit: tokenUnit(plan, files),
      upstreamName: "the upstream files given",
      downstreamName: "the downstream files given",
      textIsThePapers: false,
    };
  }
  if (data.kind === "huggingface") {
    return {
      tokenUnit: "BPE token",
      upstreamName: `the Pile (${data.upstream.dataset})`,
      downstreamName: `SlimPajama (${data.downstream.dataset})`,
      textIsThePapers: true,
    };
  }
  return {
    tokenUnit: "byte",
    upstreamName: "TypeScript's library declarations, mixed 3 : 1 with Node's",
    downstreamName: "Node's declarations, mixed 3 : 1 with TypeScript's",
    textIsThePapers: false,
  };
}

function pretrainingOf({ scale, start }: Plan): ReportScale["pretraining"] {
  if (start?.state === "pinned") {
    return { importedFrom: [...new Set(start.checkpoints.map(({ origin }) => origin))].join(", ") };
  }
  const { steps, batchSequences } = scale.pretraining;
  return { tokens: steps * batchSequences * scale.model.config.sequenceLength };
}

/** A command that makes the same plan again, as far as options say it; files of one's own are the reader's. */
function repeatable({ scale, start, readings = {} }: Plan, files: CorpusFiles | undefined): string {
  const chosen = Object.entries(readings).filter(([name, value]) => READINGS[name as ReadingName][0] !== value);
  return [
    `reproduce --scale ${scale.name}`,
    ...(scale.changes ?? []).map((change) => `--${change}`),
    ...(chosen.length === 0 ? [] : [`--reading ${chosen.map(([name, value]) => `${name}=${value}`).join(" ")}`]),
    ...(scale.start?.kind === "train" ? ["--start train"] : []),
    ...(scale.start?.kind === "files" && start !== undefined ? ["--start MODELS"] : []),
    ...(files === undefined ? [] : ["--upstream FILES --downstream FILES"]),
  ].join(" ");
}

/** The output folder as the reader would type it; of an absolute path only its name, which says nothing of a machine. */
function displayFolder(output: string): string {
  return /^([/\\]|[A-Za-z]:)/.test(output) ? output.replace(/^.*[/\\]/, "") : output;
}

function runOf(arm: ArmCurves, runs: ReadonlyMap<string, PlannedRun>): PlannedRun {
  const run = runs.get(arm.runKey);
  if (run === undefined) throw new Error(`No run ${arm.runKey}`);
  return run;
}

function reportArm(arm: ArmCurves, runs: ReadonlyMap<string, PlannedRun>): ReportArm {
  const run = runOf(arm, runs);
  const warmupTokens = Math.round(run.specification.schedule.warmupSteps * tokensPerStep(run));
  return { ...arm, label: run.label, warmupTokens };
}

/** The distinct schedules of continued training over their whole horizon, each under the first arm that has it. */
function schedulesOf(arms: readonly ArmCurves[], runs: ReadonlyMap<string, PlannedRun>): ReportSchedule[] {
  const seen = new Set<string>();
  return arms.filter((arm) => {
    const { scheduleDigest } = runOf(arm, runs).specification;
    if (arm.experiment === "upstream" || seen.has(scheduleDigest)) return false;
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
  result: RunResult,
  curves: ReadonlyMap<RunKey, Curves>,
  runs: ReadonlyMap<string, PlannedRun>,
): ReportRun {
  const { run } = result;
  const { initialWeights, corpus } = run.specification;
  const startsFrom = initialWeights.kind === "random"
    ? `random weights, seed ${initialWeights.seed}`
    : initialWeights.kind === "imported"
    ? `an imported model after ${initialWeights.step} steps, weights ${shortDigest(initialWeights.weights)}`
    : `step ${initialWeights.step} of ${runs.get(initialWeights.run)?.label ?? initialWeights.run}` +
      (initialWeights.optimizerState === "carried" ? ", optimizer state carried on" : "");
  const trained = result.kind === "trained" ? result.record : undefined;
  const last = curves.get(run.key)?.points.at(-1);
  const steps = trained?.steps ?? 0;
  return {
    label: run.label,
    runKey: run.key,
    status: trained?.outcome.kind ?? "skipped",
    corpus: corpus.name,
    startsFrom,
    steps,
    tokens: steps * tokensPerStep(run),
    ...(last === undefined ? {} : { upstream: last.upstream, downstream: last.downstream }),
    journalRoot: trained?.journalRoot ?? "",
  };
}

function environmentFacts({ engine, threads, container }: ReportSource): ReportFact[] {
  const { libraries: _, permissions, ...facts } = describeEnvironment({ threads, ...engine.machine });
  return [
    ...Object.entries(facts).map(([name, value]) => ({ name, value: String(value) })),
    { name: "container", value: containerInWords(container) },
    { name: "permissions", value: permissions.length === 0 ? "none without restriction" : permissions.join(", ") },
    ...Object.entries(engine.description)
      .filter(([name]) => name !== "threads" && name !== "kernels")
      .map(([name, value]) => ({ name, value })),
  ];
}
