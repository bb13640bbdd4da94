/** Everything the report shows. The page is a pure function of this. */
import type { ArmCurves } from "../../results/arm_curves.ts";
import type { Verdict } from "../../results/claims.ts";
import type { CorpusName } from "../../experiment/run/run.ts";
import type { JudgedCriterion } from "../../experiment/scale/criteria.ts";
import type { ComparisonRow } from "../../results/compare_numbers.ts";
import type { Estimate } from "../../results/estimates/estimate.ts";
import type { StatedExperiment } from "../../results/experiment_file.ts";
import type { RulesVersion } from "../../results/rules_version.ts";

/** The whole input of `renderReport`. */
export interface ReportInput {
  readonly scale: ReportScale;
  readonly paper: ReportPaper;
  /** what is compared, drawn and claimed, in the order of the paper's sections */
  readonly experiments: readonly StatedExperiment[];
  /** arms of all experiments, each at each seed */
  readonly arms: readonly ReportArm[];
  readonly schedules: readonly ReportSchedule[];
  readonly verdicts: readonly Verdict[];
  /** of the rules that gave the verdicts */
  readonly rulesVersion: RulesVersion;
  /** answers to open questions: numbers with intervals, without a verdict */
  readonly estimates: readonly Estimate[];
  readonly comparisons: readonly ComparisonRow[];
  /** what the paper leaves open */
  readonly openPoints: readonly ReportOpenPoint[];
  /** what was trained on, mixes included */
  readonly corpora: readonly ReportCorpus[];
  readonly runs: readonly ReportRun[];
  readonly environment: readonly ReportFact[];
  /** names and SHA-256 digests of what the results hang on: plan, lockfiles, corpora, rules */
  readonly digests: readonly ReportFact[];
  /** what went wrong or was left out in this reproduction; shown at the top */
  readonly warnings: readonly string[];
  /** what the results do not show, in whole sentences, besides what the page says of itself */
  readonly limits: readonly string[];
  /** what a reader types to make all of it again, but for the output folder: `reproduce --scale tiny` */
  readonly command: string;
}

/** The size of this reproduction. */
export interface ReportScale {
  /** `smoke`, `tiny`, … `paper` */
  readonly name: string;
  /** model parameters, embeddings included */
  readonly parameters: number;
  /** what a token is: `byte` or `BPE token` */
  readonly tokenUnit: string;
  readonly upstreamName: string;
  readonly downstreamName: string;
  /** whether both are the paper's own corpora */
  readonly textIsThePapers: boolean;
  /** tokens of pre-training, or whose models are continued in its place */
  readonly pretraining: { readonly tokens: number } | { readonly importedFrom: string };
  /** what was changed of the scale's file */
  readonly changes: readonly string[];
  /** T: tokens over which the downstream schedule runs */
  readonly downstreamHorizonTokens: number;
  readonly seeds: number;
  /** whether it is a fair proxy of the paper's, ratio by ratio */
  readonly criteria: readonly JudgedCriterion[];
  readonly engine: string;
  readonly determinism: string;
}

/** The paper's side of the same. */
export interface ReportPaper {
  readonly title: string;
  /** such as `2308.04014v2` */
  readonly arxiv: string;
  readonly model: string;
  readonly parameters: number;
  readonly upstreamName: string;
  readonly downstreamName: string;
  readonly downstreamHorizonTokens: number;
  readonly pretrainingTokens: number;
}

/** A corpus, or a mix that stands for the downstream one in some runs. */
export interface ReportCorpus {
  readonly name: string;
  /** what it is made of */
  readonly madeOf: string;
  readonly facts: readonly ReportFact[];
  readonly digest: string;
}

/** One arm of one experiment at one seed; points of its curve beyond `steps` are left out. */
export interface ReportArm extends ArmCurves {
  /** label of the run, its folder's name under `runs/` */
  readonly label: string;
  /** tokens at the end of the warm-up; 0 where there is none */
  readonly warmupTokens: number;
  /** whether the run starts from random weights */
  readonly startsAtRandom: boolean;
  /** which corpus most of its windows are from */
  readonly trainedOn: CorpusName;
  /** where the arm stands in the trade-off of forgetting and adaptation; absent of those that differ in more */
  readonly recipe?: ReportRecipe;
}

/** What arms differ in that go on from the end of a pre-training by the paper's schedule or a constant rate. */
export interface ReportRecipe {
  /** the mix in the place of the scale's downstream corpus */
  readonly mix?: string;
  /** of the model */
  readonly parameters: number;
  /** share of the windows that are upstream's, percent */
  readonly replay: number;
  /** maximum learning rate over that of the pre-training; absent: constant at the minimum */
  readonly rate?: number;
}

/** Something that the paper does not say, and what was done. */
export interface ReportOpenPoint {
  readonly question: string;
  /** how it was read here */
  readonly here: string;
  /** how surely the point itself is known: A, B, C or ? */
  readonly confidence: string;
}

/** A learning-rate schedule. */
export interface ReportSchedule {
  readonly experiment: string;
  readonly arm: string;
  /** rates at evenly spaced steps from 0 to T, both ends included */
  readonly sampled: Float32Array;
}

/** A run of the plan, for the table of runs. */
export interface ReportRun {
  readonly label: string;
  readonly runKey: string;
  /** `completed`, `diverged`, `missing` */
  readonly status: string;
  readonly corpus: string;
  readonly startsFrom: string;
  readonly steps: number;
  readonly tokens: number;
  /** nats a token at the end; absent if never evaluated */
  readonly upstream?: number;
  readonly downstream?: number;
  /** last link of the journal's hash chain */
  readonly journalRoot: string;
}

/** A named value. */
export interface ReportFact {
  readonly name: string;
  readonly value: string;
}
