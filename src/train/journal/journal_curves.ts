/**
 * The curve that a journal records. `curves.json` says the same for whoever reads curves only: every number in it follows
 * from the run's specification and its journal. Web-standard APIs only.
 */
import { canonicalJson } from "../../digest/canonical_json.ts";
import { tokensPerStep } from "../../experiment/plan/cost.ts";
import type { PlannedRun } from "../../experiment/run/run.ts";
import type { CurvePoint, Curves, PerCorpus, ValidationSet } from "../../results/curves.ts";
import type { BytesPerToken } from "./journal_header.ts";
import {
  type DivergenceRecord,
  type EvaluationRecord,
  fromBits,
  fromBits64,
  meanBits,
  NO_MEAN,
  toBits,
  toBits64,
} from "./journal_record.ts";

/** What of a journal makes the curve. */
export interface RecordedCurve {
  readonly bytesPerToken: BytesPerToken;
  /** in version 3 of the format */
  readonly validation?: PerCorpus<ValidationSet>;
  /** ascending by step */
  readonly evaluations: readonly EvaluationRecord[];
  readonly divergence?: DivergenceRecord;
}

/** The record of a curve's point. */
export function evaluationRecord(point: CurvePoint): EvaluationRecord {
  return {
    kind: "evaluation",
    step: point.step,
    tokens: point.tokens,
    lr: toBits(point.learningRate),
    upstream: toBits64(point.upstream),
    downstream: toBits64(point.downstream),
    ...(point.domains === undefined ? {} : { domains: inBoth(point.domains, meanBits) }),
    ...(point.sampledDocuments === undefined ? {} : { sampledDocuments: inBoth(point.sampledDocuments, toBits64) }),
    ...(point.documents === undefined ? {} : { documents: inBoth(point.documents, ({ loss }) => toBits64(loss)) }),
  };
}

function inBoth<T, U>({ upstream, downstream }: PerCorpus<readonly T[]>, of: (value: T) => U): PerCorpus<U[]> {
  return { upstream: upstream.map(of), downstream: downstream.map(of) };
}

/**
 * The point of a curve that a record says.
 *
 * @param validation what the header says of the validation sets, in version 3 of the format
 */
export function curvePoint(record: EvaluationRecord, validation?: PerCorpus<ValidationSet>): CurvePoint {
  const { step, tokens, lr, upstream, downstream, domains, sampledDocuments, documents } = record;
  const lost = (corpus: "upstream" | "downstream") =>
    (documents?.[corpus] ?? []).map((loss, i) => ({
      tokens: validation?.[corpus].documents?.[i]?.tokens ?? 0,
      loss: fromBits64(loss),
    }));
  return {
    step,
    tokens,
    learningRate: fromBits(lr),
    upstream: fromBits64(upstream),
    downstream: fromBits64(downstream),
    ...(domains === undefined ? {} : {
      domains: inBoth(domains, (mean) => mean === NO_MEAN ? null : fromBits64(mean)),
    }),
    ...(sampledDocuments === undefined ? {} : { sampledDocuments: inBoth(sampledDocuments, fromBits64) }),
    ...(documents === undefined ? {} : { documents: { upstream: lost("upstream"), downstream: lost("downstream") } }),
  };
}

/** What of a run a curve names. */
type CurveOwner = Pick<PlannedRun, "key" | "label" | "specification">;

/** The curve of a run from its points. */
export function curvesOfPoints(
  run: CurveOwner,
  { bytesPerToken, validation }: Pick<RecordedCurve, "bytesPerToken" | "validation">,
  points: readonly CurvePoint[],
  diverged: Curves["diverged"],
): Curves {
  return {
    runKey: run.key,
    label: run.label,
    tokensPerStep: tokensPerStep(run),
    bytesPerToken,
    ...(validation === undefined ? {} : { validation }),
    points,
    diverged,
  };
}

/** The curve of a run as its journal records it. */
export function curvesOfJournal(run: CurveOwner, recorded: RecordedCurve): Curves {
  const { validation, evaluations, divergence } = recorded;
  const diverged = divergence === undefined
    ? undefined
    : { step: divergence.step, loss: String(fromBits(divergence.value)) };
  return curvesOfPoints(run, recorded, evaluations.map((record) => curvePoint(record, validation)), diverged);
}

/** The contents of `curves.json`. */
export function formatCurves(curves: Curves): string {
  return `${canonicalJson(curves)}\n`;
}

/** Members of a point, by the words for them. */
const POINT_MEMBERS = {
  tokens: "number of tokens",
  learningRate: "learning rate",
  upstream: "upstream loss",
  downstream: "downstream loss",
} as const satisfies Partial<Record<keyof CurvePoint, string>>;

/** Lists of losses in a point, by what they are by. */
const POINT_LISTS = {
  domains: "domain",
  sampledDocuments: "sampled document",
  documents: "document",
} as const satisfies Partial<Record<keyof CurvePoint, string>>;

/** The first thing in which a run's curve is not the one that its journal records; `undefined` if it is that one. */
export function curveDifference(curves: Curves, recorded: Curves): string | undefined {
  if (curves.runKey !== recorded.runKey || curves.label !== recorded.label) {
    return `it is that of run "${curves.label}"`;
  }
  const longest = Math.max(curves.points.length, recorded.points.length);
  for (let index = 0; index < longest; index++) {
    const [point, expected] = [curves.points[index], recorded.points[index]];
    const flaw = pointDifference(point, expected);
    if (flaw !== undefined) return flaw;
  }
  for (const member of ["tokensPerStep", "bytesPerToken", "validation", "diverged"] as const) {
    const [found, expected] = [curves[member], recorded[member]].map((value) => canonicalJson(value ?? null));
    if (found !== expected) return `its "${member}" is ${found}, and from the journal follows ${expected}`;
  }
  return undefined;
}

function pointDifference(point: CurvePoint | undefined, expected: CurvePoint | undefined): string | undefined {
  if (expected !== undefined && expected.step < (point?.step ?? Infinity)) {
    return `it has no point at step ${expected.step}, which the journal records`;
  }
  if (point === undefined) return undefined;
  if (expected?.step !== point.step) return `it has a point at step ${point.step}, which the journal does not record`;
  for (const [member, name] of Object.entries(POINT_MEMBERS) as [keyof typeof POINT_MEMBERS, string][]) {
    if (point[member] === expected[member]) continue;
    return `its ${name} at step ${point.step} is ${point[member]}, and the journal records ${expected[member]}`;
  }
  for (const [part, name] of Object.entries(POINT_LISTS) as [keyof typeof POINT_LISTS, string][]) {
    if (canonicalJson(point[part] ?? null) === canonicalJson(expected[part] ?? null)) continue;
    return `its losses by ${name} at step ${point.step} are not those that the journal records`;
  }
  return undefined;
}
