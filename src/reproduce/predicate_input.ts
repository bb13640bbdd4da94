/** What a reproduction says of itself in the manifest. */
import type { Container, NoContainer } from "../container/facts.ts";
import type { EngineDescription } from "../engine/engine.ts";
import type { Shortage } from "../data/shortage.ts";
import { seedsOf } from "../experiment/run/seeds.ts";
import type { Plan } from "../experiment/plan/plan.ts";
import { PLAN_FILE } from "../files/output_lock.ts";
import { publicWord } from "../files/public_path.ts";
import { describeEnvironment } from "../manifest/format/environment.ts";
import { type CorpusFacts, type DataFacts, type Predicate, TOOL_VERSION } from "../manifest/format/predicate.ts";
import { type Artefact, isTrained, type ManifestRun } from "../manifest/format/run.ts";
import type { Corpus } from "../data/corpus.ts";
import type { CorpusFiles } from "../data/options.ts";
import type { PlanCorpora } from "../train/evaluation/evaluation.ts";
import { changed } from "./describe_runs.ts";
import type { InputDigest } from "./inputs.ts";
import { limitsOf } from "../manifest/format/limits.ts";
import type { Judgement } from "../manifest/verify/verify_claims.ts";
import { PAPER_FILE } from "./paper_file.ts";
import { statedCommand, statedName } from "./stated_words.ts";

/** What the predicate is made of. */
export interface PredicateInput {
  readonly plan: Plan;
  /** what is stated of each run: those trained, or placeholders before training */
  readonly runs: readonly ManifestRun[];
  readonly inputs: readonly InputDigest[];
  readonly corpora: PlanCorpora;
  /** where corpora are shorter than the runs read */
  readonly shortages: readonly Shortage[];
  readonly engine: EngineDescription;
  readonly threads: number;
  readonly container: Container | NoContainer;
  /** claims, comparisons and estimates */
  readonly judgement: Judgement;
  readonly command?: readonly string[];
  readonly artefacts: readonly Artefact[];
  /** texts that the user gave in place of the scale's own */
  readonly files?: CorpusFiles;
}

/** A predicate that does not name its page yet: the page is made from the rest. */
export type PredicateDraft = Omit<Predicate, "report" | "data"> & { readonly data: DataFacts };

/**
 * The predicate of the manifest, without its page.
 *
 * @throws {UserError} `JOURNAL_CHANGED`, `CURVES_CHANGED` if a file of a run is no longer what the run left
 */
export function buildPredicate(input: PredicateInput): PredicateDraft {
  const artefact = named(artefactsByName(input.artefacts));
  for (const { journal, curves } of input.runs.filter(isTrained)) {
    if (artefact(journal.name).sha256 !== journal.sha256) throw changed("JOURNAL_CHANGED", journal.name);
    if (artefact(curves.name).sha256 !== curves.sha256) throw changed("CURVES_CHANGED", curves.name);
  }
  return predicateOf(input);
}

function artefactsByName(artefacts: readonly Artefact[]): ReadonlyMap<string, Artefact> {
  return new Map(artefacts.map((artefact) => [artefact.name, artefact]));
}

function named(digests: ReadonlyMap<string, Artefact>): (name: string) => Artefact {
  return (name) => {
    const found = digests.get(name);
    if (found === undefined) throw new Error(`No artefact "${name}"`);
    return found;
  };
}

/** {@linkcode buildPredicate} without comparing digests, which placeholders have not. */
export function predicateOf(input: PredicateInput): PredicateDraft {
  const { plan, runs, inputs, corpora, shortages, engine, judgement } = input;
  const artefact = named(artefactsByName(input.artefacts));
  return {
    tool: { name: "rewarm", version: TOOL_VERSION },
    scale: plan.scale.name,
    plan: { ...artefact(PLAN_FILE), planDigest: plan.planDigest },
    paper: artefact(PAPER_FILE),
    inputs,
    container: input.container,
    environment: describeEnvironment({ threads: input.threads, ...input.engine.machine }),
    engine: {
      name: engine.name,
      level: engine.level,
      arithmetic: engine.arithmetic,
      description: engine.description,
    },
    seeds: {
      count: plan.seeds,
      values: Array.from({ length: plan.seeds }, (_, index) => {
        const { init, pretrainingOrder, continuingOrder } = seedsOf(index);
        return { initialWeights: init, pretrainingOrder, continuingOrder };
      }),
    },
    corpora: describeCorpora(corpora),
    data: { source: input.files === undefined ? "scale" : "files", tokenUnit: tokenUnit(plan, input.files), shortages },
    readings: plan.readings ?? {},
    start: plan.start?.state === "pinned" ? plan.start.checkpoints : undefined,
    runs,
    rulesVersion: judgement.rulesVersion,
    claims: judgement.claims,
    estimates: judgement.estimates,
    comparisons: judgement.comparisons,
    limits: limitsOf(plan, runs, shortages),
    command: statedCommand((input.command ?? []).map(publicWord)),
    metadata: { createdAt: new Date().toISOString() },
  };
}

/** What a token of the texts is: a byte in a scale's own small texts, unless the user brings a tokenizer. */
function tokenUnit({ scale: { data } }: Plan, files: CorpusFiles | undefined): DataFacts["tokenUnit"] {
  const isBytes = data.kind !== "huggingface" ? files?.tokenizer === undefined : false;
  return isBytes || files?.tokenizer === "bytes" ? "byte" : "BPE token";
}

function describeCorpora({ upstream, downstream, mixes = {} }: PlanCorpora): Predicate["corpora"] {
  const ofMixes = Object.entries(mixes).map(([mix, corpus]) => [mix, describeCorpus(corpus)] as const);
  return {
    upstream: describeCorpus(upstream),
    downstream: describeCorpus(downstream),
    ...(ofMixes.length === 0 ? {} : { mixes: Object.fromEntries(ofMixes) }),
  };
}

function describeCorpus({ digest, summary }: Corpus): CorpusFacts {
  const { documents, tokens, bytes, windows, domains, oddRows } = summary;
  const facts: Record<string, string> = {};
  for (const [unit, counts] of Object.entries({ documents, tokens, bytes, windows })) {
    for (const [split, count] of Object.entries(counts)) facts[`${split} ${unit}`] = String(count);
  }
  for (const [domain, share] of Object.entries(domains)) facts[`share of ${statedName(domain)}`] = String(share);
  if (oddRows !== undefined) {
    facts["rows without text"] = String(oddRows.withoutText);
    facts["rows with a meta that is no object"] = String(oddRows.otherMeta);
  }
  return { digest, summary: facts };
}
