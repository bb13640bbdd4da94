/** What a manifest states: an in-toto statement whose predicate says what a reproduction was, left and found. */
import project from "../../../deno.json" with { type: "json" };
import type { Container, NoContainer } from "../../container/facts.ts";
import type { Digest } from "../../digest/sha256.ts";
import type { Readings } from "../../experiment/readings.ts";
import type { RunSpecification } from "../../experiment/run/run.ts";
import type { ImportedCheckpoint } from "../../experiment/arm/start.ts";
import type { Verdict } from "../../results/claims.ts";
import type { ComparisonRow } from "../../results/compare_numbers.ts";
import type { Estimate } from "../../results/estimates/estimate.ts";
import type { Shortage } from "../../data/shortage.ts";
import type { Artefact, ManifestRun } from "./run.ts";

/** Type of an in-toto statement, version 1. */
export const STATEMENT_TYPE = "https://in-toto.io/Statement/v1";
/** Which version of the predicate a statement has. A name: nothing is fetched from it. */
export type PredicateType = "https://rewarm.dev/reproduction/v1" | "https://rewarm.dev/reproduction/v2";
/** All versions of the predicate, the newest last. */
export const PREDICATE_TYPES = [
  "https://rewarm.dev/reproduction/v1",
  "https://rewarm.dev/reproduction/v2",
] as const satisfies readonly PredicateType[];
/** The version that new statements are made in. */
export const PREDICATE_TYPE: PredicateType = "https://rewarm.dev/reproduction/v2";

/** Version of this program, as it stands in the manifests that it makes. */
export const TOOL_VERSION: string = project.version;

/** Names with values in words or decimal numbers. */
export type Facts = Readonly<Record<string, string>>;

/** The machine and the process that trained, as they call themselves. */
export interface Environment {
  /** version of Deno */
  readonly deno: string;
  /** version of Deno's JavaScript engine */
  readonly v8: string;
  /** version of Deno's TypeScript */
  readonly typescript: string;
  /** operating system, such as `linux` */
  readonly os: string;
  /** instruction set, such as `x86_64` */
  readonly architecture: string;
  /** model and hardware threads */
  readonly cpu: string;
  /** threads that trained */
  readonly threads: number;
  /** `none`, or the model with its driver */
  readonly gpu: string;
  /** permissions of the process, such as `read`, `write`; `all` if nothing was withheld */
  readonly permissions: readonly string[];
  /** further versions, such as a driver's */
  readonly libraries: Facts;
}

/** The engine that trained. */
export interface EngineFacts {
  /** such as `exact` */
  readonly name: string;
  /** how strictly its bits are promised */
  readonly level: RunSpecification["engine"]["level"];
  /** version of docs/arithmetic.md */
  readonly arithmetic: string;
  /** digest of the kernels' source, and what else the engine says of itself */
  readonly description: Facts;
}

/** Seeds by which the runs differ. */
export interface SeedFacts {
  /** repetitions of all experiments */
  readonly count: number;
  /** seeds of initial weights and of window orders, by seed index */
  readonly values?: readonly {
    readonly initialWeights: number;
    readonly pretrainingOrder: number;
    readonly continuingOrder: number;
  }[];
}

/** A corpus that was trained on. */
export interface CorpusFacts {
  /** of everything that makes its token stream */
  readonly digest: Digest;
  /** counts and shares as decimal strings */
  readonly summary: Facts;
}

/** The texts that were trained on, as far as neither plan nor corpora say it. */
export interface DataFacts {
  /** those that the scale names, or files that the user gave in their place */
  readonly source: "scale" | "files";
  /** what a token is */
  readonly tokenUnit: "byte" | "BPE token";
  /** where there was too little text, so that some was read again */
  readonly shortages: readonly Shortage[];
}

/** The page, with the version of the renderer that made it: the same version makes the same bytes of the same data. */
export interface ReportArtefact extends Artefact {
  /** `RENDERER_VERSION` of src/report */
  readonly rendererVersion: string;
}

/** What a reproduction was, what it left, and what it found. */
export interface Predicate {
  /** what made the manifest */
  readonly tool: { readonly name: "rewarm"; readonly version: string };
  /** such as `tiny` */
  readonly scale: string;
  /** `plan.json`; `planDigest` is the digest of the plan's content, which the file names too */
  readonly plan: Artefact & { readonly planDigest: Digest };
  /** statements, numbers and rules of the paper: fixed before the run by this digest */
  readonly paper: Artefact;
  /** lockfiles and experiments, by their names in the repository */
  readonly inputs: readonly Artefact[];
  /** the container that it ran in, or that there was none */
  readonly container: Container | NoContainer;
  /** where it ran; no digest of a result depends on it */
  readonly environment: Environment;
  /** what computed */
  readonly engine: EngineFacts;
  /** seeds of all repetitions */
  readonly seeds: SeedFacts;
  /** what was trained on */
  readonly corpora: {
    readonly upstream: CorpusFacts;
    readonly downstream: CorpusFacts;
    /** what stands for downstream in some runs, by the names that these give it; absent if nothing does */
    readonly mixes?: Readonly<Record<string, CorpusFacts>>;
  };
  /** where the texts are from; absent in version 1 */
  readonly data?: DataFacts;
  /** how the paper's open points are read, as the plan has it; absent in manifests of earlier versions */
  readonly readings?: Readings;
  /** models of others that runs start from, as the plan has them */
  readonly start?: readonly ImportedCheckpoint[];
  /** each after the run it starts from */
  readonly runs: readonly ManifestRun[];
  /** of the rules that claims are judged by; absent with those of version 1 */
  readonly rulesVersion?: 2;
  /** the paper's claims with their verdicts */
  readonly claims: readonly Verdict[];
  /** numbers that answer open questions, without a verdict; absent where the rules ask for none */
  readonly estimates?: readonly Estimate[];
  /** the paper's numbers beside ours */
  readonly comparisons: readonly ComparisonRow[];
  /** the page beside the manifest; absent in version 1 */
  readonly report?: ReportArtefact;
  /** what this manifest does not show, in whole sentences */
  readonly limits: readonly string[];
  /** the command as it was given; paths that lead out of the user's folder by their last part */
  readonly command: readonly string[];
  /** `createdAt`: ISO 8601 in UTC, as the maker says; no digest of a result depends on it */
  readonly metadata: { readonly createdAt: string };
}

/** The payload of `manifest.dsse.json`. */
export interface Statement {
  /** in-toto's name and version of statements */
  readonly _type: typeof STATEMENT_TYPE;
  /** every artefact by its name relative to the manifest's folder */
  readonly subject: readonly { readonly name: string; readonly digest: { readonly sha256: Digest } }[];
  /** which form the predicate has */
  readonly predicateType: PredicateType;
  /** rewarm's part */
  readonly predicate: Predicate;
}
