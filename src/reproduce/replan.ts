/** A plan made again from what it says of itself, to see whether its arms are what their names say. */
import { UserError } from "../errors.ts";
import { changesFromWords } from "../experiment/scale/change_scale.ts";
import type { CorpusDigests } from "../experiment/arm/mixes.ts";
import { buildPlan, type Plan, type PlannedData } from "../experiment/plan/plan.ts";
import type { Replanned } from "../manifest/verify/verify_options.ts";
import type { Artefact } from "../manifest/format/run.ts";
import { type ExperimentFolders, setOfFiles } from "../experiment/catalogue.ts";
import { errnoOf } from "../files/file_error.ts";
import { planInputs } from "./inputs.ts";

/**
 * Plans again by the experiments at hand.
 *
 * @param inputs what the manifest says of the files that it was made from
 */
export async function replan(
  plan: Plan,
  inputs: readonly Artefact[],
  givenFolders: ExperimentFolders = {},
): Promise<Replanned> {
  const folders = { ...givenFolders, set: setOfFiles(inputs.map(({ name }) => name)) };
  const { scale, seeds, engine, data, start, readings = {}, experiments } = plan;
  const isSame = await hasSameFiles(plan, inputs, folders);
  // A plan has each arm once a seed. One that says otherwise is no plan of ours, however many seeds it speaks of.
  const arms = experiments.reduce((sum, experiment) => sum + experiment.arms.length, 0);
  const uses = plan.runs.reduce((sum, { usedBy }) => sum + usedBy.length, 0);
  if (uses !== arms * seeds) return { isSame, planDigest: undefined };
  try {
    const again = await buildPlan({
      ...folders,
      scale: scale.name,
      seeds,
      engine,
      readings,
      only: experiments.flatMap(({ name, arms }) => arms.map((arm) => `${name}/${arm}`)),
      changes: scale.changes === undefined ? undefined : changesFromWords(scale.changes),
      // Where the user's files replace the scale's data, there is no mixture to read.
      ownFiles: scale.data.kind === "huggingface" && readings.domains === undefined,
      start: scale.start?.kind === "train" || scale.start?.kind === "files" ? scale.start.kind : undefined,
      imported: start?.state === "pinned" ? start.checkpoints : undefined,
      ownMixes: data.mixes === undefined ? undefined : Object.keys(data.mixes),
      corpusDigests: data.state === "pinned" ? pinnedDigests(data) : undefined,
    });
    return { isSame, planDigest: again.planDigest };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { isSame, planDigest: undefined };
  }
}

function pinnedDigests({ upstream, downstream, mixes }: Extract<PlannedData, { state: "pinned" }>): CorpusDigests {
  return { upstream, downstream, mixes };
}

/** Whether the manifest was made from the very files that a plan follows from here: none differs, is missing or new. */
async function hasSameFiles(plan: Plan, inputs: readonly Artefact[], folders: ExperimentFolders): Promise<boolean> {
  const ours = await planInputs(plan.scale.name, folders).catch((error: unknown) => {
    if (error instanceof UserError || errnoOf(error) === "ENOENT") return [];
    throw error;
  });
  const theirs = new Map<string, string>(
    inputs.filter(({ name }) => /^(own-)?experiments\//.test(name)).map(({ name, sha256 }) => [name, sha256]),
  );
  return ours.length > 0 && ours.length === theirs.size &&
    ours.every(({ name, sha256 }) => theirs.get(name) === sha256);
}
