/** What a statement says in two places must be the same in both. Web-standard APIs only. */
import { startsOf } from "../../experiment/run/run_starts.ts";
import { canonicalJson } from "../../digest/canonical_json.ts";
import { ownMember } from "../../digest/own_member.ts";
import { MAX_ORDER, seedsOf } from "../../experiment/run/seeds.ts";
import { printable } from "../../files/safe_name.ts";
import { dateFlaw } from "./dates.ts";
import type { Predicate } from "../format/predicate.ts";
import { isTrained, type ManifestRun, type TrainedRun } from "../format/run.ts";

/**
 * The first thing that the predicate says otherwise than its runs; `undefined` if there is none. Runs must have been
 * looked at: each stands after the one that it starts from.
 *
 * @param now the clock here, in milliseconds since 1970
 */
export function crossFlaw(predicate: Predicate, now: number): string | undefined {
  const date = dateFlaw(predicate.metadata.createdAt, now);
  if (date !== undefined) return `it says to have been made ${date}`;
  const seedIndices = seedIndicesOf(predicate.runs);
  const values = seedValuesFlaw(predicate);
  if (values !== undefined) return values;
  const stray = strayMix(predicate);
  if (stray !== undefined) return `it states the mix "${printable(stray)}", on which no run is trained`;
  for (const run of predicate.runs) {
    const flaw = engineFlaw(run, predicate) ?? corpusFlaw(run, predicate) ??
      seedFlaw(run, seedIndices.get(run.key), predicate) ??
      (isTrained(run) ? retrainedFlaw(run) ?? trainersFlaw(run) : undefined);
    if (flaw !== undefined) return `run "${run.label}" ${flaw}`;
  }
  return undefined;
}

function engineFlaw({ specification: { engine } }: ManifestRun, predicate: Predicate): string | undefined {
  const { level, arithmetic } = predicate.engine;
  if (engine.level === level && engine.arithmetic === arithmetic) return undefined;
  return `is computed by ${engine.arithmetic} (${engine.level}), and the manifest says ${arithmetic} (${level})`;
}

function corpusFlaw({ specification: { corpus, validation } }: ManifestRun, { corpora }: Predicate) {
  const { mix } = corpus;
  const downstream = mix === undefined ? corpora.downstream : ownMember(corpora.mixes ?? {}, mix);
  if (downstream === undefined) return "is trained on a mix that is not stated";
  if (mix !== undefined && corpus.name !== "downstream") return "is trained on a mix that stands for no corpus";
  const stated = { upstream: corpora.upstream.digest, downstream: downstream.digest };
  if (corpus.digest !== stated[corpus.name]) return `is trained on another ${corpus.name} corpus than is stated`;
  for (const name of ["upstream", "downstream"] as const) {
    if (validation[name] !== stated[name]) return `is evaluated on another ${name} corpus than is stated`;
  }
  return undefined;
}

/** A mix that no run is trained on. */
function strayMix({ corpora, runs }: Predicate): string | undefined {
  const used = new Set(runs.map(({ specification: { corpus } }) => corpus.mix));
  return Object.keys(corpora.mixes ?? {}).find((mix) => !used.has(mix));
}

/** The repetition that each run belongs to: that of the arms that it serves, or of the runs that start from it. */
function seedIndicesOf(runs: readonly ManifestRun[]): ReadonlyMap<string, number> {
  const indices = new Map<string, number>();
  for (const { key, usedBy: [use], specification: { initialWeights } } of runs.toReversed()) {
    const index = use?.seedIndex ?? indices.get(key);
    if (index === undefined) continue;
    indices.set(key, index);
    for (const { run } of startsOf(initialWeights)) if (!indices.has(run)) indices.set(run, index);
  }
  return indices;
}

function seedValuesFlaw({ seeds: { count, values } }: Predicate): string | undefined {
  if (values === undefined) return undefined;
  if (values.length !== count) return `it gives the values of ${values.length} seeds, and says that there are ${count}`;
  const strange = values.findIndex(({ initialWeights, pretrainingOrder, continuingOrder }, index) =>
    canonicalJson({ init: initialWeights, pretrainingOrder, continuingOrder }) !== canonicalJson({ ...seedsOf(index) })
  );
  return strange === -1 ? undefined : `its seed ${strange} has other values than that repetition has`;
}

function seedFlaw({ specification }: ManifestRun, index: number | undefined, { seeds }: Predicate): string | undefined {
  if (index === undefined || index >= seeds.count) return undefined; // no such arm: the plan says so
  const { init, pretrainingOrder, continuingOrder } = seedsOf(index);
  const { initialWeights, orderSeed } = specification;
  if (initialWeights.kind === "random" && initialWeights.seed !== init) {
    return `draws its weights with seed ${initialWeights.seed}, and repetition ${index} has ${init}`;
  }
  const isContinuing = orderSeed >= continuingOrder && orderSeed <= continuingOrder + MAX_ORDER;
  if (orderSeed === pretrainingOrder || isContinuing) return undefined;
  return `orders its windows with seed ${orderSeed}, and repetition ${index} has ${pretrainingOrder} and ` +
    `${continuingOrder}`;
}

/** Machines took turns: each period begins after the one before it, inside the run. */
function trainersFlaw({ trainedBy = [], journal }: TrainedRun): string | undefined {
  for (const [index, { fromStep }] of trainedBy.entries()) {
    const previous = trainedBy[index - 1]?.fromStep ?? -1;
    if (fromStep <= previous || fromStep > journal.steps) {
      return `says that a machine trained it from step ${fromStep} on, of ${journal.steps} and after step ${previous}`;
    }
  }
  return undefined;
}

/** Pieces that were retrained are pieces of the run, in its order. */
function retrainedFlaw({ retrained = [], journal }: TrainedRun): string | undefined {
  let end = 0;
  for (const { fromStep, toStep } of retrained) {
    if (fromStep < end || toStep < fromStep || toStep > journal.steps) {
      return `says that steps ${fromStep} to ${toStep} were retrained, of ${journal.steps} and after step ${end}`;
    }
    end = toStep;
  }
  return undefined;
}
