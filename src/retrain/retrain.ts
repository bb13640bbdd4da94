/** Retraining: a manifest is verified, then pieces of its training are repeated and compared bit by bit. */
import { counted } from "../text/numbers.ts";
import { describeCorpora, type OpenCorpora, openCorpora } from "../data/corpora.ts";
import type { CorpusFiles, DataProgress } from "../data/options.ts";
import { corpusOptions } from "../data/scale_corpora.ts";
import type { Engine } from "../engine/engine.ts";
import type { Plan } from "../experiment/plan/plan.ts";
import type { Scale } from "../experiment/scale/scale.ts";
import { type Digest, shortDigest } from "../digest/sha256.ts";
import { UserError } from "../errors.ts";
import { errnoOf } from "../files/file_error.ts";
import type { FileSystem } from "../files/file_system.ts";
import type { ArtefactReader } from "../manifest/verify/artefacts.ts";
import type { Predicate, Statement } from "../manifest/format/predicate.ts";
import type { TrainedRun } from "../manifest/format/run.ts";
import type { VerificationReport } from "../manifest/verify/verification_report.ts";
import type { RetrainingOutcome, VerifyOptions } from "../manifest/verify/verify_options.ts";
import { listed } from "../manifest/verify/verify_artefacts.ts";
import { verifyManifestFile } from "../manifest/verify/verify_file.ts";
import { findStart } from "../train/start/find_start.ts";
import { chooseSegments, drawSeed, parseSeed, type RetrainingSeed, worthOf } from "./choice.ts";
import { type RetrainingDifference, RetrainingMismatch } from "./difference.ts";
import { requireEngine } from "./means.ts";
import { segmentsOfShare, type Share, shareName } from "./share.ts";
import { parseSegment, type Segment, segmentName, segmentsOf } from "./segment.ts";
import { type SegmentWork, Trainer } from "./trainer.ts";

/** Which pieces of the training are repeated. */
export type RetrainingPieces =
  /** so many segments, drawn by tokens; a seed repeats another verifier's choice */
  | { readonly kind: "random"; readonly count: number; readonly seed?: RetrainingSeed }
  /** every step of every run */
  | { readonly kind: "all" }
  /** the segments of one share of all, such as the third of eight */
  | ({ readonly kind: "share" } & Share)
  /** pieces written as `RUN:FROM..TO` */
  | { readonly kind: "named"; readonly names: readonly string[] };

/** What is repeated, and with what. */
export interface RetrainingOptions extends Omit<VerifyOptions, "retrain"> {
  /** which pieces */
  readonly pieces: RetrainingPieces;
  /** gives the engine; asked when everything else is verified */
  readonly engine: () => Promise<Engine>;
  /** the files that were trained on, if it was not the scale's own data */
  readonly corpusFiles?: CorpusFiles;
  /** paths of the files that make a mix, by its name */
  readonly mixFiles?: Readonly<Record<string, readonly string[]>>;
  /** where the models are that runs start from, if they were their maker's own */
  readonly start?: { readonly path: string };
  /** the lockfile that data and models are checked against; the project's own if absent */
  readonly lockFile?: string;
  /** folder of downloads; `.cache/hub` if absent */
  readonly hubCache?: string;
  /** folder of prepared corpora; written only where they are not there yet */
  readonly dataCache?: string;
  /** aborted: stop after the current step; the step is then "not checked" */
  readonly signal?: AbortSignal;
  /** told on the way */
  readonly events?: RetrainingEvents;
  /** how the manifest's folder is read; the machine's own files if absent */
  readonly files?: FileSystem;
}

/** What happens on the way, for whoever shows it. */
export interface RetrainingEvents {
  /** sources are read, hashed or tokenised */
  readonly onData?: (progress: DataProgress) => void;
  /** the pieces are chosen; training starts next */
  readonly onChoice?: (choice: RetrainingChoice) => void;
  /** a step was retrained and found the same; `step` counts those of the run that are done */
  readonly onStep?: (run: TrainedRun, step: number) => void;
  /** a segment was retrained and found the same */
  readonly onSegment?: (segment: Segment, work: SegmentWork) => void;
}

/** The pieces that were chosen. */
export interface RetrainingChoice {
  /**
   * how: every segment there is; drawn with fresh randomness; drawn with a seed that was given, as another verifier's
   * choice is repeated; one share of all; or named one by one
   */
  readonly kind: "all" | "drawn" | "repeated" | "share" | "named";
  /** which share, where it is one */
  readonly share?: Share;
  /** in the order of the manifest, which is that of retraining */
  readonly segments: readonly Segment[];
  /** segments of the whole manifest */
  readonly total: number;
  /** the verifier's randomness, for a random choice */
  readonly seed?: RetrainingSeed;
  /** what the choice is worth, in whole sentences */
  readonly worth: string;
}

/** What came of it. */
export interface Retraining {
  /** of the whole verification; its step "retrain" says what was found */
  readonly report: VerificationReport;
  /** absent if it came to no choice */
  readonly choice?: RetrainingChoice;
  /** chosen segments found the same, in their order; the others come after the first difference */
  readonly retrained: readonly Segment[];
  /** the first record that retraining did not give */
  readonly difference?: RetrainingDifference;
}

/**
 * Verifies a manifest, then retrains pieces of its runs, from their checkpoints or from where the runs begin, and
 * compares every record of the journals, every point of the curves, and the states at the ends. docs/verification.md
 * says what that shows.
 *
 * @param path of `manifest.dsse.json`
 */
export async function retrain(path: string, options: RetrainingOptions): Promise<Retraining> {
  const attempt = new Attempt(options);
  const report = await verifyManifestFile(path, {
    ...options,
    retrain: (statement, artefacts, plan) => attempt.run(statement, artefacts, plan),
  });
  const { choice, retrained, difference } = attempt;
  return {
    report,
    retrained,
    choice,
    difference,
  };
}

class Attempt {
  readonly retrained: Segment[] = [];
  choice: RetrainingChoice | undefined;
  difference: RetrainingDifference | undefined;
  #steps = 0;
  #evaluations = 0;

  constructor(private readonly options: RetrainingOptions) {}

  /** Never throws for what a manifest holds or a machine lacks: then it could not be checked. */
  async run(statement: Statement, artefacts: ArtefactReader, plan: Plan): Promise<RetrainingOutcome> {
    try {
      await this.#retrain(statement, artefacts, plan);
      return this.#same();
    } catch (error) {
      if (error instanceof RetrainingMismatch) {
        this.difference = error.difference;
        return { status: "failed", detail: `${error.message}${this.#seedNote()}`, caveats: [] };
      }
      return { status: "not checked", detail: reasonOf(error), caveats: [] };
    }
  }

  async #retrain({ predicate }: Statement, artefacts: ArtefactReader, { scale }: Plan): Promise<void> {
    const { events = {}, signal } = this.options;
    const { runs } = predicate;
    this.choice = choose(this.options.pieces, predicate);
    events.onChoice?.(this.choice);
    const engine = await this.options.engine();
    for (const run of new Set(this.choice.segments.map((segment) => segment.run))) requireEngine(run, engine);
    const start = await findStart(scale, this.options);
    const corpora = await this.#openCorpora(scale, predicate);
    const trainer = new Trainer({
      runs,
      artefacts,
      engine,
      corpora,
      imported: start?.open,
      signal,
      onStep: events.onStep,
    });
    try {
      for (const segment of this.choice.segments) {
        const work = await trainer.retrain(segment);
        this.retrained.push(segment);
        this.#steps += segment.to - segment.from;
        this.#evaluations += work.evaluations;
        events.onSegment?.(segment, work);
      }
    } finally {
      trainer.close();
      corpora.close();
    }
  }

  /** The corpora that the manifest names; their digests are looked at before anything is prepared. */
  async #openCorpora(scale: Scale, { runs, corpora }: Predicate): Promise<OpenCorpora> {
    const { onData } = this.options.events ?? {};
    const mixes = Object.keys(corpora.mixes ?? {});
    const places = { ...this.options, mixes, onProgress: onData };
    const options = corpusOptions(scale, places, runs[0]?.specification.model);
    const found = await describeCorpora(options);
    for (const name of ["upstream", "downstream"] as const) requireSame(name, found[name], corpora[name]);
    for (const mix of mixes) requireSame(`mix "${mix}" for the downstream`, found.mixes[mix], corpora.mixes?.[mix]);
    return await openCorpora(options);
  }

  #seedNote(): string {
    return this.choice?.seed === undefined ? "" : `; seed ${this.choice.seed}`;
  }

  #same(): RetrainingOutcome {
    const { kind, share, segments = [], total = 0, worth = "" } = this.choice ?? {};
    const isWhole = kind === "all";
    const counts = `${counted(this.#steps, "step")} and ${counted(this.#evaluations, "evaluation")} gave the same bits`;
    const which = isWhole
      ? ""
      : share !== undefined
      ? `: share ${shareName(share)}`
      : `: ${listed(segments.map(segmentName))}`;
    return {
      status: "ok",
      detail: `${segments.length} of ${total} segments retrained, ${counts}${this.#seedNote()}${which}`,
      caveats: isWhole ? [] : [`That other pieces of the training give what is recorded. ${worth}`],
    };
  }
}

/** @throws {UserError} `DIGEST_MISMATCH` */
function requireSame(
  name: string,
  found: { readonly digest: Digest } | undefined,
  stated: { readonly digest: Digest } | undefined,
): void {
  if (found === undefined || stated === undefined) throw new Error(`The ${name} corpus was not looked for`);
  if (found.digest === stated.digest) return;
  throw new UserError(
    "DIGEST_MISMATCH",
    `The ${name} corpus here has the digest ${shortDigest(found.digest)}, and the manifest's has ${
      shortDigest(stated.digest)
    }`,
    "give the files that were trained on with --upstream, --downstream, --mix and --tokenizer, or the version of rewarm " +
      "that made it",
  );
}

function choose(pieces: RetrainingPieces, { runs }: Predicate): RetrainingChoice {
  const all = segmentsOf(runs);
  if (all.length === 0) throw new UserError("NOTHING_TO_RETRAIN", "No run of the manifest was trained");
  const total = all.length;
  switch (pieces.kind) {
    case "all":
      return { kind: "all", segments: all, total, worth: worthOf(all, total) };
    case "share": {
      const { share, shares } = pieces;
      const segments = segmentsOfShare(all, { share, shares });
      if (segments.length === 0) {
        throw new UserError(
          "NOTHING_TO_RETRAIN",
          `Share ${shareName(pieces)} of ${total} segments has none`,
          "divide them into fewer shares; the others have all of them",
        );
      }
      return {
        kind: "share",
        share: { share, shares },
        segments,
        total,
        worth: `This is share ${shareName(pieces)} of all segments: the other shares show the rest.`,
      };
    }
    case "named": {
      const segments = pieces.names.map((name) => parseSegment(name, runs));
      return {
        kind: "named",
        segments,
        total,
        worth: "The pieces were named, not drawn: of the others nothing is known.",
      };
    }
    case "random": {
      const { count } = pieces;
      if (!Number.isSafeInteger(count) || count < 1) {
        throw new UserError("BAD_NUMBER", `Number of segments is ${count}`, "expected a whole number from 1");
      }
      const seed = pieces.seed === undefined ? drawSeed() : parseSeed(pieces.seed);
      const segments = chooseSegments(all, count, seed);
      const kind = segments.length === total ? "all" : pieces.seed === undefined ? "drawn" : "repeated";
      return { kind, segments, total, seed, worth: worthOf(all, count) };
    }
  }
}

/** Why it could not be retrained, with what to do about a permission that is missing. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isDenied = [error, error.cause].some((link) => errnoOf(link) === "ENOTCAPABLE");
  if (!isDenied) return error.message;
  return `retraining has to prepare data or kernels that are not at hand, and may not: give the command as ` +
    `"deno task retrain", which may write to .cache (${error.message})`;
}
