/** Whether a statement agrees with itself, looked at without any artefact. Web-standard APIs only. */
import { canonicalJson } from "../../digest/canonical_json.ts";
import { shortDigest } from "../../digest/sha256.ts";
import type { InitialWeights, RunCheckpoint } from "../../experiment/run/run.ts";
import { runKey } from "../../experiment/run/run_key.ts";
import { startsOf } from "../../experiment/run/run_starts.ts";
import { foldName, printable, unsafeNameReason } from "../../files/safe_name.ts";
import { companionNameReason } from "../format/companions.ts";
import { skipReason } from "../../train/folder/skip_reason.ts";
import { crossFlaw } from "./cross_check.ts";
import { type Predicate, type Statement, TOOL_VERSION } from "../format/predicate.ts";
import { isTrained, type ManifestRun, type SkippedRun, type TrainedRun } from "../format/run.ts";
import { leafCount } from "../format/run_tree.ts";
import { summariesFlaw } from "./summaries.ts";
import { LearningRates } from "./learning_rates.ts";

/**
 * The first flaw of the subjects' names: one that leads out of the folder, is the manifest's or an attestation's, or
 * stands twice, in whatever letter case; `undefined` if none.
 */
export function subjectFlaw(statement: Statement): string | undefined {
  const names = new Set<string>();
  for (const { name } of statement.subject) {
    const reason = unsafeNameReason(name) ?? companionNameReason(name);
    if (reason !== undefined) return `the name of subject "${printable(name)}" ${reason}`;
    const folded = foldName(name);
    if (names.has(folded)) return `there are two subjects "${printable(name)}"`;
    names.add(folded);
  }
  // With the lowest character in place of "/", what lies in a folder comes right behind a file of the folder's name.
  const sorted = [...names].map((name) => name.replaceAll("/", "\0")).sort();
  const both = sorted.find((name, index) => sorted[index + 1]?.startsWith(`${name}\0`))?.replaceAll("\0", "/");
  return both === undefined ? undefined : `the subject "${printable(both)}" is a folder of other subjects as well`;
}

/**
 * The first contradiction in a statement, subjects included; `undefined` if it agrees with itself.
 *
 * @param now the clock here, in milliseconds since 1970; the platform's if absent
 */
export function statementFlaw(statement: Statement, now: number = Date.now()): string | undefined {
  return subjectFlaw(statement) ?? runsFlaw(statement.predicate) ?? artefactFlaw(statement) ??
    claimsFlaw(statement) ?? summariesFlaw(statement.predicate) ?? crossFlaw(statement.predicate, now);
}

function artefactFlaw({ subject, predicate }: Statement): string | undefined {
  const digests = new Map<string, string>(subject.map(({ name, digest }) => [name, digest.sha256]));
  const used = new Map<string, string>();
  const flawOf = (owner: string, { name, sha256 }: { name: string; sha256: string }): string | undefined => {
    const subjectDigest = digests.get(name);
    if (subjectDigest === undefined) return `${owner} names "${printable(name)}", which is no subject`;
    if (subjectDigest !== sha256) {
      return `${owner} gives "${printable(name)}" the digest ${shortDigest(sha256)}, its subject ${
        shortDigest(subjectDigest)
      }`;
    }
    const other = used.get(name);
    if (other !== undefined) return `${owner} and ${other} both name "${printable(name)}"`;
    used.set(name, owner);
    return undefined;
  };
  const planFlaw = flawOf("the plan", predicate.plan) ??
    (predicate.report === undefined ? undefined : flawOf("the report", predicate.report));
  if (planFlaw !== undefined) return planFlaw;
  // The rules need no copy beside the manifest; one that is there is no other file's name.
  if (digests.has(predicate.paper.name)) {
    const paperFlaw = flawOf("the paper", predicate.paper);
    if (paperFlaw !== undefined) return paperFlaw;
  }
  for (const run of predicate.runs.filter(isTrained)) {
    const checkpoints = run.states.flatMap(({ checkpoint }) => checkpoint ?? []);
    for (const artefact of [run.journal, run.curves, ...checkpoints]) {
      const flaw = flawOf(`run "${run.label}"`, artefact);
      if (flaw !== undefined) return flaw;
    }
  }
  return undefined;
}

function runsFlaw({ runs, tool }: Predicate): string | undefined {
  if (runs.length === 0) return "there are no runs";
  const byKey = new Map<string, ManifestRun>();
  const labels = new Set<string>();
  const rates = new LearningRates();
  for (const run of runs) {
    const flaw = runFlaw(run, byKey, tool.version) ?? rates.flaw(run.specification);
    if (flaw !== undefined) return `run "${run.label}" ${flaw}`;
    if (labels.has(run.label)) return `there are two runs "${run.label}"`;
    byKey.set(run.key, run);
    labels.add(run.label);
  }
  return undefined;
}

/**
 * @param earlier runs that stand before this one; a run stands after the run that it starts from
 * @param version of the program that chose the words
 */
function runFlaw(
  run: ManifestRun,
  earlier: ReadonlyMap<string, ManifestRun>,
  version: string,
): string | undefined {
  const { specification, key } = run;
  const computed = runKey(specification);
  if (computed !== key) return `has key ${shortDigest(key)}, and its specification gives ${shortDigest(computed)}`;
  if (earlier.has(key)) return "stands twice";
  if (run.steps > specification.schedule.totalSteps) {
    return `has ${run.steps} steps, and its schedule ends after ${specification.schedule.totalSteps}`;
  }
  for (const start of startsOf(specification.initialWeights)) {
    const flaw = startFlaw(run, start, earlier.get(start.run));
    if (flaw !== undefined) return flaw;
  }
  if (isTrained(run)) return evidenceFlaw(run);
  return skipFlaw(run, earlier, version);
}

/** @param parent the run of the checkpoint, if it stands before this one */
function startFlaw(run: ManifestRun, start: RunCheckpoint, parent: ManifestRun | undefined): string | undefined {
  const { initialWeights, model } = run.specification;
  if (parent === undefined) return `starts from run ${shortDigest(start.run)}, which does not stand before it`;
  if (canonicalJson(parent.specification.model) !== canonicalJson(model)) {
    return `starts from run "${parent.label}", which has another model`;
  }
  const isCarried = (weights: InitialWeights) => weights.kind === "checkpoint" && weights.optimizerState === "carried";
  if (isCarried(initialWeights) && isCarried(parent.specification.initialWeights)) {
    return `carries on an optimizer's state that run "${parent.label}" carried on already`;
  }
  if (start.step > parent.steps) {
    return `starts from step ${start.step} of run "${parent.label}", which is planned for ${parent.steps}`;
  }
  if (isTrained(run) && !(isTrained(parent) && parent.states.some(({ step }) => step === start.step))) {
    return `starts from step ${start.step} of run "${parent.label}", where no state is recorded`;
  }
  return undefined;
}

/** A run is skipped only if the state that it starts from was never reached; whatever else a maker may say for it. */
function skipFlaw(
  run: SkippedRun,
  earlier: ReadonlyMap<string, ManifestRun>,
  version: string,
): string | undefined {
  const parents = startsOf(run.specification.initialWeights).flatMap(({ run, step }) => {
    const parent = earlier.get(run);
    if (parent === undefined) return [];
    const { label, outcome } = parent;
    return [{ label, step, outcome, steps: isTrained(parent) ? parent.journal.steps : 0 }];
  });
  const [first] = parents;
  if (first === undefined) {
    return "is said to be skipped, and starts from no run that could keep it from being trained";
  }
  const reason = parents.map((parent) => skipReason(parent, parent.step)).find((reason) => reason !== undefined);
  if (reason === undefined) {
    return `is said to be skipped, and the run that it starts from, "${first.label}", reached step ${first.step}`;
  }
  // Another version may have had other words for it.
  if (version !== TOOL_VERSION || run.reason === reason) return undefined;
  return `is said to be skipped because "${printable(run.reason, 300)}", and the reason is that ${reason}`;
}

function evidenceFlaw(run: TrainedRun): string | undefined {
  const { outcome, steps, specification, journal, states, merkleTree } = run;
  if (outcome === "completed" && journal.steps < steps) {
    return `is said to be complete, but has ${journal.steps} of ${steps} steps`;
  }
  if (journal.steps > specification.schedule.totalSteps) {
    return `has ${journal.steps} steps, and its schedule ends after ${specification.schedule.totalSteps}`;
  }
  for (const [index, { step }] of states.entries()) {
    if (step > journal.steps) return `has a state at step ${step}, after its end`;
    if (step <= (states[index - 1]?.step ?? -1)) return "has states that are not in the order of their steps";
  }
  const conditionsFlaw = flawOfConditions(run);
  if (conditionsFlaw !== undefined) return conditionsFlaw;
  if (merkleTree.treeSize !== leafCount(run)) {
    return `has a Merkle tree of ${merkleTree.treeSize} leaves, and its journal and checkpoints make ${leafCount(run)}`;
  }
  return undefined;
}

/** Conditions are stated where the engine's bits hang on them, and nowhere else. */
function flawOfConditions({ conditions, specification, journal }: TrainedRun): string | undefined {
  const { level } = specification.engine;
  // An engine that promises nothing may say what its bits hang on all the same.
  if (level !== "not_guaranteed" && (conditions !== undefined) !== (level === "run_to_run")) {
    return conditions === undefined
      ? "does not say under which conditions it was computed, on which its bits depend"
      : `states conditions, and its bits depend on none (${level})`;
  }
  for (const [index, { fromStep }] of (conditions ?? []).entries()) {
    const previous = conditions?.[index - 1]?.fromStep;
    const isInOrder = previous === undefined ? fromStep === 0 : fromStep > previous && fromStep <= journal.steps;
    if (!isInOrder) return `has conditions from step ${fromStep} on, out of order`;
  }
  return undefined;
}

function claimsFlaw({ predicate }: Statement): string | undefined {
  const ids = new Set<string>();
  const keys = new Set<string>(predicate.runs.map(({ key }) => key));
  for (const { id, evidence } of predicate.claims) {
    if (ids.has(id)) return `there are two claims "${printable(id)}"`;
    ids.add(id);
    const stranger = evidence.find(({ runKey }) => !keys.has(runKey));
    if (stranger !== undefined) {
      return `claim "${printable(id)}" points to run ${shortDigest(stranger.runKey)}, which is not in the manifest`;
    }
  }
  return undefined;
}
