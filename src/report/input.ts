/** Everything the report shows. The page is a pure function of this. */
import type { Curves } from "../results/curves.ts";

/** The four verdicts a claim can get. */
export type VerdictName = "reproduced" | "contradicted" | "inconclusive" | "not comparable";

/** The whole input of `renderReport`. */
export interface ReportInput {
  readonly scale: ReportScale;
  readonly paper: ReportPaper;
  /** arms of all experiments, each at each seed */
  readonly arms: readonly ReportArm[];
  readonly schedules: readonly ReportSchedule[];
  readonly verdicts: readonly ReportVerdict[];
  readonly comparisons: readonly ReportComparison[];
  readonly runs: readonly ReportRun[];
  readonly environment: readonly ReportFact[];
  /** names and SHA-256 digests of what the results hang on: plan, lockfiles, corpora, rules */
  readonly digests: readonly ReportFact[];
  /** what went wrong or was left out in this reproduction; shown at the top */
  readonly warnings: readonly string[];
  /** what the results do not show, in whole sentences, besides what the page says of itself */
  readonly limits: readonly string[];
  /** output folder as the reader would type it, such as `out/tiny` */
  readonly folder: string;
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
  readonly upstreamTokens: number;
  /** T: tokens over which the downstream schedule runs */
  readonly downstreamHorizonTokens: number;
  readonly seeds: number;
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
}

/** One arm of one experiment at one seed. */
export interface ReportArm {
  readonly experiment: string;
  readonly arm: string;
  readonly seedIndex: number;
  /** label of the run, its folder's name under `runs/` */
  readonly label: string;
  readonly runKey: string;
  /** steps of the run that the arm looks at; later points of the curve are left out */
  readonly steps: number;
  /** tokens at the end of the warm-up; 0 where there is none */
  readonly warmupTokens: number;
  readonly curves: Curves;
}

/** A learning-rate schedule. */
export interface ReportSchedule {
  readonly experiment: string;
  readonly arm: string;
  /** rates at evenly spaced steps from 0 to T, both ends included */
  readonly sampled: Float32Array;
}

/** A claim of the paper and what became of it. */
export interface ReportVerdict {
  readonly id: string;
  readonly statement: string;
  /** section of the paper, such as `4.2` */
  readonly section: string;
  /** figures of the paper, such as `2` or `2, 3`; empty where there is none */
  readonly figure: string;
  readonly verdict: VerdictName;
  /** the rule in words, as fixed before the run */
  readonly rule: string;
  /** one sentence: why this verdict */
  readonly reason?: string;
  /** the numbers the rule looked at, as decimal strings */
  readonly numbers: readonly ReportFact[];
  readonly evidence: readonly ReportEvidence[];
}

/** The point of a run that a number came from. */
export interface ReportEvidence {
  readonly label: string;
  readonly runKey: string;
  readonly step?: number;
}

/** A number of the paper beside ours. */
export interface ReportComparison {
  readonly name: string;
  readonly paper: string;
  /** where the paper's number stands, such as `Table 1` or `2403.08763` */
  readonly source: string;
  readonly ours: string;
  readonly comparable: boolean;
  /** why it is comparable, or why not */
  readonly reason: string;
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
