/** A plan made again from what it says of itself, to see whether its arms are what their names say. */
import { UserError } from "../errors.ts";
import { changesFromWords } from "../experiment/change_scale.ts";
import { buildPlan, type Plan } from "../experiment/plan.ts";
import type { Replanned } from "../manifest/verify_options.ts";
import type { Artefact } from "../manifest/run.ts";
import { textDigest, windowsTextDigest } from "../digest/line_ends.ts";
import { experimentFiles, readInputs } from "./inputs.ts";

/**
 * Plans again by the experiments of this version.
 *
 * @param inputs what the manifest says of the files that it was made from
 */
export async function replan(plan: Plan, inputs: readonly Artefact[]): Promise<Replanned> {
  const { scale, seeds, engine, data, start, readings = {}, experiments } = plan;
  const ours = await readInputs(scale.name).catch(() => []);
  const files = experimentFiles(scale.name);
  const isSame = files.every((name) => {
    const own = ours.find((file) => file.name === name)?.bytes;
    const stated = inputs.find((file) => file.name === name)?.sha256;
    // Earlier versions stated the digests of a checkout's bytes.
    return own !== undefined && (stated === textDigest(own) || stated === windowsTextDigest(own));
  });
  try {
    const again = await buildPlan({
      scale: scale.name,
      seeds,
      engine,
      readings,
      only: experiments.flatMap(({ name, arms }) => arms.map((arm) => `${name}/${arm}`)),
      ...(scale.changes === undefined ? {} : { changes: changesFromWords(scale.changes) }),
      // With files of one's own in place of the scale's data, there is no mixture to be read in one way or another.
      ...(scale.data.kind === "huggingface" && readings.domains === undefined ? { ownFiles: true } : {}),
      ...(scale.start?.kind === "train" || scale.start?.kind === "files" ? { start: scale.start.kind } : {}),
      ...(start?.state === "pinned" ? { imported: start.checkpoints } : {}),
      ...(data.state === "pinned" ? { corpusDigests: { upstream: data.upstream, downstream: data.downstream } } : {}),
    });
    return { isSame, planDigest: again.planDigest };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { isSame, planDigest: undefined };
  }
}
