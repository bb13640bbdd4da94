/** Models that others trained, from which continued runs start instead of pre-training. */
import { type Digest, sha256 } from "../../digest/sha256.ts";
import { UserError } from "../../errors.ts";
import { PAPER_CHECKPOINT_STEPS } from "../scale/paper_units.ts";
import type { Readings } from "../readings.ts";
import type { Scale } from "../scale/scale.ts";

/** A model after some steps of pre-training. */
export interface ImportedCheckpoint {
  /** steps of pre-training as its maker counts them: the paper's 10,000, 27,000 and 143,000 */
  readonly step: number;
  /** SHA-256 of all weights as f32, little-endian, flat in the order of `parameterShapes` */
  readonly weights: Digest;
  /** where it came from: `huggingface:OWNER/NAME@COMMIT`, or a file's name */
  readonly origin: string;
}

/** Where continued runs start, if not from a run of the same plan. */
export type PlannedStart =
  | { readonly state: "pinned"; readonly checkpoints: readonly ImportedCheckpoint[] }
  | { readonly state: "not fetched"; readonly origin: string };

/** What a caller says of the start: a pre-training of its own, or where models of its own are. */
export type StartChoice = "train" | { readonly path: string };

/** The choice as a plan's options have it: where models are is no part of a plan. */
export function plannedChoice(choice: StartChoice | undefined): { readonly start?: "train" | "files" } {
  if (choice === undefined) return {};
  return { start: choice === "train" ? choice : "files" };
}

/** Whether a scale's continued runs start from models that others trained. */
export function startsFromImports({ start }: Scale): boolean {
  return start !== undefined && start.kind !== "train";
}

/**
 * The start of a plan: the checkpoints that were found for it; those that its scale names, not fetched yet; or none
 * where the plan trains its own model.
 *
 * @throws {UserError} `NO_OPTIMIZER_STATE` if imported models are to bring Adam's moments
 */
export function plannedStart(
  scale: Scale,
  found: readonly ImportedCheckpoint[] | undefined,
  readings: Readings,
): PlannedStart | undefined {
  if (!startsFromImports(scale)) return undefined;
  if (readings["optimizer-state"] === "carried") {
    throw new UserError(
      "NO_OPTIMIZER_STATE",
      'Imported models come without Adam\'s moments, which "optimizer-state=carried" needs',
      "pre-train the model here with --start train, or let them start at zero",
    );
  }
  if (found !== undefined) return { state: "pinned", checkpoints: found };
  const origin = scale.start?.kind === "huggingface" ? `huggingface:${scale.start.model}` : "files";
  return { state: "not fetched", origin };
}

/** The checkpoints of a start; in place of those that were not fetched, digests of a sentence that keep the plan whole. */
export function startCheckpoints(start: PlannedStart): readonly ImportedCheckpoint[] {
  if (start.state === "pinned") return start.checkpoints;
  const { origin } = start;
  return PAPER_CHECKPOINT_STEPS.map((step) => ({
    step,
    weights: sha256(`not fetched: ${origin} step ${step}`),
    origin,
  }));
}
