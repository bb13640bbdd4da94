/** What a forger may do to a manifest before everything that hangs on it is made to fit. */
import { canonicalJson } from "../../../src/digest/canonical_json.ts";
import { sha256 } from "../../../src/digest/sha256.ts";
import { MEMBERS } from "../../../src/manifest/format/members.ts";
import { chainNext, formatRecord, type JournalRecord, parseRecord } from "../../../src/train/journal/journal_record.ts";
import { chainStart, formatHeader, parseHeader } from "../../../src/train/journal/journal_header.ts";
import { type Place, placesOf, valueAt } from "../../fuzz/json_edits.ts";
import { journalText } from "../fixture.ts";
import type { Draft } from "./honest.ts";

/** Draws from a seed; the same ones everywhere. */
export class Random {
  constructor(private state: number) {}

  /** A whole number from 0 to `limit` − 1 (mulberry32). */
  below(limit: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor(((t ^ (t >>> 14)) >>> 0) / 2 ** 32 * limit);
  }

  /** One of several. */
  of<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new RangeError("Nothing to choose from");
    return item;
  }
}

const decoder = new TextDecoder();
const encode = (text: string) => new TextEncoder().encode(text);

/** Changes a draft. */
export type Lie = (draft: Draft, random: Random) => void;

// deno-lint-ignore no-explicit-any -- a forger is bound by no type
type Loose = any;

function setAt(document: Loose, place: Place, value: unknown): void {
  valueAt(document, place.slice(0, -1)) ?? {};
  (valueAt(document, place.slice(0, -1)) as Loose)[place.at(-1) ?? ""] = value;
}

/** Places of a document by the path that the table of members gives them. */
function pathOf(place: Place): string {
  return place.map((part) => typeof part === "number" ? "[]" : `.${part}`).join("").replace(/^\./, "");
}

function isUnder(path: string, member: string): boolean {
  const plain = member.replace(/\{\}$/, "");
  return path === plain || path.startsWith(`${plain}.`) || path.startsWith(`${plain}[`);
}

/** Another value of the same type, a near one where there is one. */
function otherValue(value: unknown, random: Random): unknown {
  if (typeof value === "number") return random.of([value + 1, value - 1, 0, 64, value * 2 + 1, 0.5]);
  if (typeof value === "boolean") return !value;
  if (typeof value !== "string") return random.of<unknown>([null, [], {}, "x"]);
  if (/^[0-9a-f]{64}$/.test(value)) return sha256(`${value}${random.below(3)}`);
  if (/^\d{4}-/.test(value)) {
    return random.of(["1970-01-01T00:00:00Z", "2026-12-01T00:00:00Z", "2099-01-01T00:00:00Z", "2026-11-22T23:59:59Z"]);
  }
  if (/^\d+(\.\d+)?$/.test(value)) return random.of([String(Number(value) + 1), "0", "1", "0.5"]);
  return random.of([
    "completed",
    "diverged",
    "skipped",
    "found",
    "resumed",
    "run_to_run",
    "upstream",
    `${value}x`,
    "tiny",
  ]);
}

/** A member of the table, any of its places. */
const changeMember: Lie = ({ statement }, random) => {
  const { path } = random.of(MEMBERS);
  const places = placesOf(statement).filter((place) => isUnder(pathOf(place), path));
  if (places.length === 0) return;
  const place = random.of(places);
  const value = valueAt(statement, place);
  const sameKind = places.map((other) => valueAt(statement, other)).filter((other) => typeof other === typeof value);
  setAt(statement, place, random.below(3) === 0 ? structuredClone(random.of(sameKind)) : otherValue(value, random));
};

/** A member that need not be there, or one that is left out. */
const addOrRemove: Lie = ({ statement }, random) => {
  const { predicate } = statement;
  const run = random.of<Loose>(predicate.runs);
  random.of<() => void>([
    () => void (run.retrained = [{ fromStep: random.below(20), toStep: random.below(40) }]),
    () => void (run.conditions = [{ fromStep: 0, conditions: { gpu: "a" } }]),
    () => void (run.origin = random.of(["trained", "resumed", "found"])),
    () => void (run.reason = "no time"),
    () => void predicate.limits.pop(),
    () => void predicate.limits.push("All claims hold at any scale."),
    () => void predicate.claims.pop(),
    () => void (predicate.start = [{ step: 1, weights: sha256("a"), origin: "file:a" }]),
    () => void predicate.data?.shortages.push({ corpus: "upstream", wanted: 9, found: 1 }),
    () => void predicate.seeds.values?.push({ initialWeights: 1, pretrainingOrder: 2, continuingOrder: 3 }),
    () => void run.usedBy.pop(),
    () => void run.usedBy.push({ experiment: "warmup-length", arm: "1%", seedIndex: 0, steps: 1 }),
    () => void run.checkpointSteps.push(1),
    () => void delete predicate.readings["optimizer-state"],
  ])();
};

/** Runs that are said to be skipped, with nothing left of them. */
const skip: Lie = ({ statement, artefacts }, random) => {
  const { runs } = statement.predicate;
  const chosen = random.of<number[]>([[0], [1], [2], [1, 2], [0, 1, 2], [0, 2]]);
  for (const index of chosen) {
    const { key, label, specification, steps, checkpointSteps, usedBy, outcome } = runs[index] ?? {};
    if (outcome === "skipped" || label === undefined) continue;
    const parent = runs[0]?.label;
    const reason = random.of([
      "no time",
      `the run it starts from, "${parent}", was skipped`,
      `the run it starts from, "${parent}", diverged at step 5, before step 16`,
    ]);
    runs[index] = { key, label, specification, steps, checkpointSteps, usedBy, outcome: "skipped", reason };
    for (const name of artefacts.keys()) if (name.startsWith(`runs/${label}/`)) artefacts.delete(name);
  }
};

/** A run that is said to have diverged, its journal and all else made for it; those that start from it are skipped. */
const diverge: Lie = ({ statement, artefacts }, random) => {
  const { runs } = statement.predicate;
  const index = random.below(runs.length);
  const run = runs[index];
  if (run.journal === undefined) return;
  const at = random.below(run.steps);
  const { text } = journalText(run, at);
  run.outcome = "diverged";
  artefacts.set(run.journal.name, encode(text));
  if (index > 0 || random.below(4) === 0) return;
  for (const [place, child] of runs.entries()) {
    if (place === 0 || child.journal === undefined) continue;
    const { key, label, specification, steps, checkpointSteps, usedBy } = child;
    const reason =
      `the run it starts from, "${run.label}", diverged at step ${at}, before step ${specification.initialWeights.step}`;
    runs[place] = { key, label, specification, steps, checkpointSteps, usedBy, outcome: "skipped", reason };
    for (const name of artefacts.keys()) if (name.startsWith(`runs/${label}/`)) artefacts.delete(name);
  }
};

/** Records of a journal are changed, and chained anew. */
const changeJournal: Lie = ({ statement, artefacts }, random) => {
  const run = random.of<Loose>(statement.predicate.runs);
  const lines = decoder.decode(artefacts.get(run.journal?.name)).trimEnd().split("\n");
  const header = parseHeader(lines[0] ?? "", run.key);
  if (header === undefined) return;
  const records = lines.slice(1).map((line) => parseRecord(line)).flatMap((parsed) =>
    typeof parsed === "string" ? [] : [parsed.record as JournalRecord]
  );
  if (records.length === 0) return;
  const at = random.below(records.length);
  const [here, other] = [records[at], random.of(records)] as [Loose, Loose];
  const member = random.of(Object.keys(here).filter((name) => name !== "kind"));
  const value = typeof here[member] === "number" ? here[member] + 1 : random.of(
    ["3f800000", "00000000", "4000000000000000", sha256("x"), "gradient"].filter((text) =>
      text.length === here[member].length
    ).concat(here[member]),
  );
  const changed = random.of<() => JournalRecord[]>([
    () => records.with(at, { ...here, [member]: value }),
    () => records.with(at, { ...here, [member]: value }),
    () => records.toSpliced(at, 1),
    () => records.toSpliced(at, 0, other),
    () => records.with(at, other),
    () => records.slice(0, at),
  ])();
  const header2 = random.below(10) === 0 && header.version === 2
    ? { ...header, bytesPerToken: { ...header.bytesPerToken, upstream: 2 } }
    : header;
  let chain = chainStart(header2);
  const text = changed.map((record) => formatRecord(record, chain = chainNext(chain, record)));
  artefacts.set(run.journal.name, encode(`${[formatHeader(header2), ...text].join("\n")}\n`));
};

/** A file of JSON among the artefacts: a plan, a curve, a record of a run. */
const changeFile: Lie = ({ artefacts, plan }, random) => {
  const files = [...artefacts.keys()].filter((name) => name.endsWith(".json"));
  const name = random.of(files);
  const document = name === "plan.json" ? plan : JSON.parse(decoder.decode(artefacts.get(name)));
  const place = random.of(placesOf(document));
  setAt(document, place, otherValue(valueAt(document, place), random));
  if (name !== "plan.json") artefacts.set(name, encode(canonicalJson(document)));
};

/** Another page. */
const changePage: Lie = ({ artefacts }, random) => {
  artefacts.set("report.html", encode(random.of(["<script>alert(1)</script>", "", "All claims reproduced"])));
};

/** Bytes of any artefact. */
const changeBytes: Lie = ({ artefacts }, random) => {
  const name = random.of([...artefacts.keys()]);
  const bytes = artefacts.get(name)?.slice() ?? new Uint8Array();
  const at = random.below(bytes.length);
  if (bytes.length > 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
  artefacts.set(name, bytes);
};

/** A run is left out of manifest and plan, or two change places. */
const changeRuns: Lie = ({ statement, plan }, random) => {
  const { runs } = statement.predicate;
  if (runs.length === 0 || plan.runs.length !== runs.length) return;
  const [a, b] = [random.below(runs.length), random.below(runs.length)];
  random.of<() => void>([
    () => {
      runs.splice(a, 1);
      plan.runs.splice(a, 1);
    },
    () => void runs.splice(a, 1),
    () => {
      [runs[a], runs[b]] = [runs[b], runs[a]];
      [plan.runs[a], plan.runs[b]] = [plan.runs[b], plan.runs[a]];
    },
    () => {
      [runs[a].usedBy, runs[b].usedBy] = [runs[b].usedBy, runs[a].usedBy];
      [plan.runs[a].usedBy, plan.runs[b].usedBy] = [plan.runs[b].usedBy, plan.runs[a].usedBy];
    },
    () => void runs.splice(0),
    () => {
      runs.splice(0);
      plan.runs.splice(0);
    },
  ])();
};

/** An artefact is called otherwise, everywhere. */
const rename: Lie = (draft, random) => {
  const name = random.of([...draft.artefacts.keys()]);
  const other = random.of([`${name}x`, name.toUpperCase(), `a/${name}`, "manifest.dsse.json"]);
  const contents = draft.artefacts.get(name) ?? new Uint8Array();
  draft.artefacts.delete(name);
  draft.artefacts.set(other, contents);
  draft.statement = JSON.parse(JSON.stringify(draft.statement).replaceAll(JSON.stringify(name), JSON.stringify(other)));
};

/** The older form, which says less. */
const downgrade: Lie = ({ statement }) => {
  statement.predicateType = "https://rewarm.dev/reproduction/v1";
  delete statement.predicate.report;
  delete statement.predicate.data;
  for (const run of statement.predicate.runs) {
    delete run.origin;
    delete run.retrained;
    delete run.journal?.format;
  }
};

/** By their names, more often what reaches more. */
export const LIES: readonly (readonly [name: string, lie: Lie])[] = [
  ["member", changeMember],
  ["member", changeMember],
  ["member", changeMember],
  ["member", changeMember],
  ["more or less", addOrRemove],
  ["more or less", addOrRemove],
  ["skip", skip],
  ["diverge", diverge],
  ["journal", changeJournal],
  ["journal", changeJournal],
  ["file", changeFile],
  ["file", changeFile],
  ["page", changePage],
  ["bytes", changeBytes],
  ["runs", changeRuns],
  ["name", rename],
  ["older form", downgrade],
];
