/** Where two reproductions of one plan part: run by run, by bisection over the chain digests of their journals. */
import type { ArtefactReader } from "../manifest/verify/artefacts.ts";
import { openManifest } from "../manifest/verify/open_manifest.ts";
import type { Predicate } from "../manifest/format/predicate.ts";
import { isTrained, type ManifestRun, type TrainedRun } from "../manifest/format/run.ts";
import type { StepName } from "../manifest/verify/verification_report.ts";
import { verifyManifestFile } from "../manifest/verify/verify_file.ts";
import { UserError } from "../errors.ts";
import { readJournal } from "../train/journal/journal_reader.ts";
import { curvePoint } from "../train/journal/journal_curves.ts";
import { formatHeader, type JournalHeader } from "../train/journal/journal_header.ts";
import { formatRecord, type JournalRecord } from "../train/journal/journal_record.ts";
import type { CurvePoint } from "../results/curves.ts";
import { type Digest, sha256 } from "../digest/sha256.ts";
import { readEvidence } from "./evidence.ts";

/** What must hold of a manifest before it is compared. */
const NEEDED: readonly StepName[] = [
  ...["size", "envelope", "signature", "type", "schema", "subjects", "consistency"] as const,
  ...["artefacts", "plan", "journals", "curves"] as const,
];

/** The first thing in which a run differs between two manifests. */
export interface RunDifference {
  /** label of the run */
  readonly run: string;
  /** number of the optimizer step, or of steps done for a state and a curve */
  readonly step: number;
  /** `outcome` if only one of them trained the run */
  readonly field:
    | "outcome"
    | "record"
    | "batch"
    | "learning rate"
    | "loss"
    | "gradient norm"
    | "divergence"
    | "state"
    | "curve";
  /** in the first manifest: bits of an f32, a digest, or a number */
  readonly a: string;
  /** in the second */
  readonly b: string;
  /** steps of the last recorded state that both share; absent if they share none */
  readonly lastCommonState?: number;
}

/** Which manifest was looked at. */
export interface ComparedManifest {
  /** whole path, of the manifest or of the bundle that it is in */
  readonly path: string;
  /** of the manifest's bytes */
  readonly sha256: Digest;
}

/** What comparing two manifests found. */
export interface ManifestDiff {
  /** the two, by their whole paths and digests */
  readonly manifests: { readonly a: ComparedManifest; readonly b: ComparedManifest };
  /** the first difference of every run that differs, in the order of the plan */
  readonly differences: readonly RunDifference[];
  /** runs of the plan */
  readonly runs: number;
  /** what the makers said of their machines, engines and tools: name, first, second */
  readonly environments: readonly { readonly name: string; readonly a: string; readonly b: string }[];
}

/** A manifest that is as it was signed. */
interface Side {
  readonly manifest: ComparedManifest;
  readonly predicate: Predicate;
  readonly artefacts: ArtefactReader;
}

/**
 * Compares two manifests of the same plan, run by run. Checkpoints need not be there.
 *
 * @param pathA of a manifest, of its folder, or of a bundle
 * @param pathB of the other
 * @throws {UserError} `CANNOT_COMPARE` if one does not verify up to its curves, or their plans differ
 */
export async function diffManifests(pathA: string, pathB: string): Promise<ManifestDiff> {
  const [a, b] = [await openSide(pathA), await openSide(pathB)];
  if (a.predicate.plan.planDigest !== b.predicate.plan.planDigest) throw differentPlans(a.predicate, b.predicate);
  const differences: RunDifference[] = [];
  for (const [index, run] of a.predicate.runs.entries()) {
    const other = b.predicate.runs[index];
    if (other?.key !== run.key) throw differentPlans(a.predicate, b.predicate);
    const difference = await diffRun(run, other, a, b);
    if (difference !== undefined) differences.push(difference);
  }
  return {
    manifests: { a: a.manifest, b: b.manifest },
    differences,
    runs: a.predicate.runs.length,
    environments: environments(a.predicate, b.predicate),
  };
}

async function openSide(path: string): Promise<Side> {
  const report = await verifyManifestFile(path, { withoutCheckpoints: true });
  const { steps, statement, path: realPath, manifestDigest } = report;
  const flaw = steps.find(({ name, status }) => NEEDED.includes(name) && status !== "ok");
  if (flaw !== undefined || statement === undefined) {
    throw new UserError("CANNOT_COMPARE", `"${path}": ${flaw?.name} ${flaw?.status}: ${flaw?.detail}`);
  }
  const opened = await openManifest(path);
  if (opened.path !== realPath || sha256(opened.bytes) !== manifestDigest) {
    throw new UserError("CANNOT_COMPARE", `"${path}" was changed while it was read`, "try again");
  }
  return {
    manifest: { path: opened.path, sha256: manifestDigest },
    predicate: statement.predicate,
    artefacts: opened.artefacts,
  };
}

function differentPlans(a: Predicate, b: Predicate): UserError {
  const facts = ({ scale, seeds, engine, corpora, runs }: Predicate) => ({
    scale,
    seeds: String(seeds.count),
    arithmetic: engine.arithmetic,
    "upstream corpus": corpora.upstream.digest.slice(0, 12),
    "downstream corpus": corpora.downstream.digest.slice(0, 12),
    "mixes": Object.entries(corpora.mixes ?? {}).map(([mix, { digest }]) => `${mix} ${digest.slice(0, 12)}`).join(", "),
    "number of runs": String(runs.length),
  });
  const [left, right] = [Object.entries(facts(a)), Object.values(facts(b))];
  const differing = left.flatMap(([name, value], index) =>
    value === right[index] ? [] : [`${name} ${value} and ${right[index]}`]
  );
  return new UserError(
    "CANNOT_COMPARE",
    `These are manifests of different plans (${differing.join("; ") || "other steps or specifications"})`,
    "compare two that were made by the same command",
  );
}

async function diffRun(a: ManifestRun, b: ManifestRun, sideA: Side, sideB: Side): Promise<RunDifference | undefined> {
  if (!isTrained(a) || !isTrained(b)) {
    return a.outcome === b.outcome
      ? undefined
      : { run: a.label, step: 0, field: "outcome", a: a.outcome, b: b.outcome };
  }
  if (a.journal.root !== b.journal.root) {
    const difference = await diffJournals(a, b, sideA, sideB);
    if (difference !== undefined) return difference;
  }
  return a.curves.sha256 === b.curves.sha256 ? undefined : await diffCurves(a, b, sideA, sideB);
}

interface ChainedRecord {
  readonly record: JournalRecord;
  readonly chain: Digest;
}

interface Journal {
  readonly header: JournalHeader | undefined;
  readonly records: readonly ChainedRecord[];
}

async function readRecords(run: TrainedRun, { artefacts }: Side): Promise<Journal> {
  const records: ChainedRecord[] = [];
  const { header } = await readJournal(
    artefacts.open(run.journal.name),
    run.key,
    (record, { chain }) => void records.push({ record, chain }),
  );
  return { header, records };
}

/** Journals whose chains start alike, so that equal chain digests mean equal beginnings. */
function startAlike(a: Journal, b: Journal): boolean {
  return a.header !== undefined && b.header !== undefined && formatHeader(a.header) === formatHeader(b.header);
}

/** What both journals record: version 1 of the format has no evaluations. */
function comparable({ records }: Journal, other: Journal): readonly ChainedRecord[] {
  return other.header?.version === 1 ? records.filter(({ record }) => record.kind !== "evaluation") : records;
}

function isSameRecord(a: ChainedRecord | undefined, b: ChainedRecord | undefined): boolean {
  const nothing = "0".repeat(64) as Digest;
  return a !== undefined && b !== undefined && formatRecord(a.record, nothing) === formatRecord(b.record, nothing);
}

/** The smallest index from `low` on for which `differs` holds; it must hold for all after it. `high` if there is none. */
function bisect(low: number, high: number, differs: (index: number) => boolean): number {
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (differs(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Undefined if one journal begins with the other: it was trained further under an earlier plan. */
async function diffJournals(
  a: TrainedRun,
  b: TrainedRun,
  sideA: Side,
  sideB: Side,
): Promise<RunDifference | undefined> {
  const [journalA, journalB] = [await readRecords(a, sideA), await readRecords(b, sideB)];
  const [left, right] = [comparable(journalA, journalB), comparable(journalB, journalA)];
  const shared = Math.min(left.length, right.length);
  const index = startAlike(journalA, journalB)
    ? bisect(0, shared, (at) => left[at]?.chain !== right[at]?.chain)
    : left.findIndex((record, at) => at === shared || !isSameRecord(record, right[at]));
  const [x, y] = [left[index]?.record, right[index]?.record];
  if (x === undefined || y === undefined) return undefined;
  const lastCommonState = left.slice(0, index).findLast(({ record }) => record.kind === "state")?.record.step;
  return {
    run: a.label,
    step: x.step,
    ...recordDifference(x, y),
    lastCommonState,
  };
}

function recordDifference(x: JournalRecord, y: JournalRecord): Pick<RunDifference, "field" | "a" | "b"> {
  if (x.kind === "step" && y.kind === "step") {
    const fields = [["batch", "batch"], ["lr", "learning rate"], ["loss", "loss"], [
      "gradientNorm",
      "gradient norm",
    ]] as const;
    for (const [member, field] of fields) {
      if (x[member] !== y[member]) return { field, a: x[member], b: y[member] };
    }
  }
  if (x.kind === "skip" && y.kind === "skip") {
    if (x.batch !== y.batch) return { field: "batch", a: x.batch, b: y.batch };
    return { field: "loss", a: x.loss, b: y.loss };
  }
  if (x.kind === "evaluation" && y.kind === "evaluation") {
    const difference = pointDifference(curvePoint(x), curvePoint(y));
    if (difference !== undefined) return difference;
    return { field: "curve", a: "losses by domain or document", b: "others" };
  }
  if (x.kind === "state" && y.kind === "state") return { field: "state", a: x.state, b: y.state };
  if (x.kind === "divergence" && y.kind === "divergence") {
    if (x.batch !== y.batch) return { field: "batch", a: x.batch, b: y.batch };
    return { field: "divergence", a: `${x.divergence} ${x.value}`, b: `${y.divergence} ${y.value}` };
  }
  return { field: "record", a: x.kind, b: y.kind };
}

function pointDifference(x: CurvePoint, y: CurvePoint): Pick<RunDifference, "field" | "a" | "b"> | undefined {
  for (const member of ["learningRate", "upstream", "downstream"] as const) {
    if (!Object.is(x[member], y[member])) {
      return { field: "curve", a: `${member} ${x[member]}`, b: `${member} ${y[member]}` };
    }
  }
  return undefined;
}

/** Curves that no chain tells apart, as in version 1 of the journal: their points one by one, those that both have. */
async function diffCurves(a: TrainedRun, b: TrainedRun, sideA: Side, sideB: Side): Promise<RunDifference | undefined> {
  const left = (await readEvidence(a, sideA.artefacts)).curves;
  const right = (await readEvidence(b, sideB.artefacts)).curves;
  for (const [index, point] of left.points.entries()) {
    const other = right.points[index];
    if (other === undefined) break;
    const difference = pointDifference(point, other);
    if (difference !== undefined) return { run: a.label, step: point.step, ...difference };
  }
  for (const name of ["upstream", "downstream"] as const) {
    const [x, y] = [left.bytesPerToken[name], right.bytesPerToken[name]];
    if (x !== y) return { run: a.label, step: 0, field: "curve", a: `${x} bytes a token`, b: `${y} bytes a token` };
  }
  return undefined;
}

function environments(a: Predicate, b: Predicate): ManifestDiff["environments"] {
  const facts = ({ tool, environment, engine, metadata }: Predicate): [string, string][] => {
    const { libraries, permissions, ...rest } = environment;
    return [
      ["rewarm", tool.version],
      ...Object.entries(rest).map(([name, value]): [string, string] => [name, String(value)]),
      ["permissions", permissions.join(", ")],
      ...Object.entries(libraries),
      ...Object.entries(engine.description).map(([name, value]): [string, string] => [`engine: ${name}`, value]),
      ["made at", metadata.createdAt],
    ];
  };
  const [left, right] = [new Map(facts(a)), new Map(facts(b))];
  return [...new Set([...left.keys(), ...right.keys()])].map((name) => ({
    name,
    a: left.get(name) ?? "",
    b: right.get(name) ?? "",
  }));
}
