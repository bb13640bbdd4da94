/** What a shared plan is trained on, opened on this machine and held against the plan. */
import { type OpenCorpora, openCorpora } from "../data/corpora.ts";
import { corpusOptions, type CorpusPlaces } from "../data/scale_corpora.ts";
import type { Shortage } from "../data/shortage.ts";
import { ownMember } from "../digest/own_member.ts";
import { shortDigest } from "../digest/sha256.ts";
import type { EngineIdentity } from "../engine/definition.ts";
import { UserError } from "../errors.ts";
import { digestsOfCorpora, mixesOf } from "../experiment/arm/mixes.ts";
import type { Plan } from "../experiment/plan/plan.ts";
import type { StartChoice } from "../experiment/arm/start.ts";
import { findStart } from "../train/start/find_start.ts";
import type { OpenImported } from "../train/checkpoint/imported_weights.ts";

/** Where data and models are on this machine. */
export interface SharedPlaces extends CorpusPlaces {
  /** models of the maker's own that runs start from */
  readonly start?: StartChoice;
}

/** Data and models of a plan. Dispose of it to close them. */
export interface OpenedPlan extends Disposable {
  readonly corpora: OpenCorpora;
  /** where corpora are shorter than the runs read */
  readonly shortages: readonly Shortage[];
  readonly imported?: OpenImported;
}

/**
 * Opens the data of a plan, and finds the models that it starts from.
 *
 * @throws {UserError} `DIGEST_MISMATCH` if they are not those that the plan was made with; `NO_PLAN` if it was made
 * without data; as `openCorpora` and `findStart`
 */
export async function openShared(plan: Plan, places: SharedPlaces): Promise<OpenedPlan> {
  const { data } = plan;
  if (data.state !== "pinned") {
    throw new UserError("NO_PLAN", "The plan was made before its data were fetched", "fetch them and plan again");
  }
  const found = await findStart(plan.scale, places);
  const planned = plan.start?.state === "pinned" ? plan.start.checkpoints : [];
  for (const { step, weights } of planned) {
    const here = found?.checkpoints.find((checkpoint) => checkpoint.step === step)?.weights;
    if (here !== weights) throw differs(`The model of step ${step} that runs start from`, here, weights);
  }
  const shortages: Shortage[] = [];
  const corpora = await openCorpora(corpusOptions(plan.scale, {
    ...places,
    mixes: mixesOf(plan.runs),
    onProgress: (progress) => {
      if (progress.stage === "shortage") {
        const { stage: _, ...shortage } = progress;
        shortages.push(shortage);
      }
      places.onProgress?.(progress);
    },
  }));
  try {
    const here = digestsOfCorpora(corpora);
    for (const name of ["upstream", "downstream"] as const) {
      if (here[name] !== data[name]) throw differs(`The corpus "${name}"`, here[name], data[name]);
    }
    for (const [mix, digest] of Object.entries(data.mixes ?? {})) {
      const found = ownMember(here.mixes ?? {}, mix);
      if (found !== digest) throw differs(`The mix "${mix}"`, found, digest);
    }
  } catch (error) {
    corpora.close();
    throw error;
  }
  return { corpora, shortages, imported: found?.open, [Symbol.dispose]: corpora.close };
}

function differs(what: string, here: string | undefined, planned: string): UserError {
  return new UserError(
    "DIGEST_MISMATCH",
    `${what} has the digest ${here === undefined ? "of nothing" : shortDigest(here)} on this machine, and ${
      shortDigest(planned)
    } in the plan`,
    "give the same files and lockfile as where the plan was made, with the same version of rewarm",
  );
}

/**
 * Refuses an engine that computes other bits than the plan is for.
 *
 * @throws {UserError} `OUTPUT_FOLDER_OF_ANOTHER_PLAN`
 */
export function requireEngineOf({ engine }: Plan, { level, arithmetic }: EngineIdentity): void {
  if (engine.level === level && engine.arithmetic === arithmetic) return;
  throw new UserError(
    "OUTPUT_FOLDER_OF_ANOTHER_PLAN",
    `The plan is for the arithmetic "${engine.arithmetic}" (${engine.level}), and the engine here computes by ` +
      `"${arithmetic}" (${level})`,
    "name the plan's engine with --engine",
  );
}
