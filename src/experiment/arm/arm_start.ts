/** Where an arm's weights come from at a scale, and whether they can be had there. */
import { canonicalJson } from "../../digest/canonical_json.ts";
import { ownMember } from "../../digest/own_member.ts";
import { UserError } from "../../errors.ts";
import type { FindArmRun, RunContext } from "./arm.ts";
import { armModel } from "./arm_model.ts";
import { LEAST_STEPS } from "../scale/change_scale.ts";
import { PRETRAINING_ARM } from "./choose_arms.ts";
import { isCheckpointStep } from "../run/evaluation.ts";
import { PAPER_PRETRAINING_STEPS, scaledSteps } from "../scale/paper_units.ts";
import type { InitialWeights, RunSpecification } from "../run/run.ts";
import { runKey } from "../run/run_key.ts";
import type { Scale } from "../scale/scale.ts";
import type { Arm } from "../schema.ts";
import type { Seeds } from "../run/seeds.ts";
import type { ImportedCheckpoint } from "./start.ts";

/**
 * The weights that an arm starts from.
 *
 * @param find gives the runs of other arms
 * @throws {UserError} if they cannot be had at this scale
 */
export function armStart(
  { start, model }: Arm,
  reference: string,
  { scale, readings, imported }: RunContext,
  seeds: Seeds,
  find: FindArmRun,
): InitialWeights {
  switch (start.kind) {
    case "random":
      return { kind: "random", seed: seeds.init };
    case "interpolated": {
      const { specification, steps } = find(start.to);
      requireModel(specification, reference, start.to, model, scale);
      const from = specification.initialWeights;
      if (from.kind === "checkpoint") {
        const { run, step } = from;
        return { kind: "interpolation", from: { kind: "checkpoint", run, step }, ...end(specification, steps, start) };
      }
      if (from.kind === "imported") return { kind: "interpolation", from, ...end(specification, steps, start) };
      throw new UserError(
        "ARM_START",
        `Arm "${reference}" is on the line from the start of "${start.to}" to its end, and that arm starts from no model`,
        "name an arm that starts pre-trained",
      );
    }
    case "pretrained": {
      const isCarried = start.optimizerState === "carried" || readings["optimizer-state"] === "carried";
      if (imported !== undefined && isOwnPretraining(start.of)) {
        if (!isCarried) return importedStart(start.step, reference, imported);
        throw new UserError(
          "NO_OPTIMIZER_STATE",
          `Arm "${reference}" carries on Adam's moments, without which imported models come`,
          "pre-train the model here with --start train, or choose other arms with --only",
        );
      }
      const parent = start.of ?? `${PRETRAINING_ARM.experiment}/${PRETRAINING_ARM.arm}`;
      const { specification } = find(parent);
      requireModel(specification, reference, parent, model, scale);
      const step = scaledSteps(start.step, PAPER_PRETRAINING_STEPS, specification.schedule.totalSteps);
      if (step < 1 && scale.changes !== undefined) throw tooShort(reference, scale, "pretraining");
      if (step < 1) {
        throw new UserError(
          "ARM_START",
          `Arm "${reference}" starts at step ${start.step} of pre-training, before the first step of scale ` +
            `"${scale.name}"`,
          "start it later or lengthen pretraining.steps",
        );
      }
      if (!isCheckpointStep({ ...specification }, step)) {
        throw new UserError(
          "ARM_START",
          `Arm "${reference}" starts at step ${start.step} of "${parent}", where no checkpoint is kept`,
          `add ${start.step} to that arm's checkpointSteps`,
        );
      }
      const optimizerState = isCarried ? { optimizerState: "carried" as const } : {};
      return { kind: "checkpoint", run: runKey(specification), step, ...optimizerState };
    }
  }
}

function end(specification: RunSpecification, step: number, { fraction }: { readonly fraction: number }) {
  return { to: { run: runKey(specification), step }, fraction };
}

/** Whether an arm starts from the pre-training that models of others stand in for. */
function isOwnPretraining(of: string | undefined): boolean {
  return of === undefined || of === `${PRETRAINING_ARM.experiment}/${PRETRAINING_ARM.arm}`;
}

/** @throws {UserError} unless an arm has the model of the one that it starts from */
function requireModel(
  specification: RunSpecification,
  reference: string,
  parent: string,
  name: string | undefined,
  scale: Scale,
): void {
  const { config } = armModel(name === undefined ? {} : { model: name }, reference, scale);
  if (canonicalJson(config) === canonicalJson(specification.model)) return;
  throw new UserError(
    "ARM_MODEL",
    `Arm "${reference}" has another model than "${parent}", which it starts from`,
    "give both the same model, or neither of them one",
  );
}

/** The error for a scale that was changed to have fewer steps than an arm needs. */
export function tooShort(reference: string, scale: Scale, phase: "pretraining" | "continuing"): UserError {
  const { steps } = scale[phase];
  const enough = LEAST_STEPS * scale.continuing.batchSequences * scale.model.config.sequenceLength;
  return new UserError(
    phase === "pretraining" ? "ARM_START" : "ARM_LENGTH",
    `Scale "${scale.name}", changed (${(scale.changes ?? []).join(", ")}), has ${
      steps === 1 ? "1 step" : `${steps} steps`
    } of ${phase === "pretraining" ? "pre-training" : "continued training"}, too few for arm "${reference}"`,
    `give more tokens, "--tokens ${enough}" for instance` +
      (scale.continuing.batchSequences > 1 ? ', or a smaller "--batch"' : ""),
  );
}

/**
 * Why an arm cannot be had at a scale that is none the worse for it, in words; undefined if it can. Such an arm is left
 * out unless it is asked for by name.
 *
 * @param find gives other arms, by their references
 */
export function leftOutReason(
  { model, start }: Arm,
  { scale, imported }: Pick<RunContext, "scale" | "imported">,
  find: (reference: string) => Arm | undefined,
): string | undefined {
  if (model !== undefined && ownMember(scale.models ?? {}, model) === undefined) {
    return `the scale has no model "${model}"`;
  }
  if (start.kind === "interpolated") {
    const to = find(start.to);
    // One that is not there, or leads on to others, is an error of its own.
    if (to === undefined || to.start.kind === "interpolated") return undefined;
    return leftOutReason(to, { scale, ...(imported === undefined ? {} : { imported }) }, find);
  }
  if (imported === undefined || start.kind !== "pretrained" || !isOwnPretraining(start.of)) return undefined;
  return start.optimizerState === "carried" ? "imported models come without Adam's moments" : undefined;
}

/** Whether the model that an arm starts from is among those that were imported, if they were. */
export function canStart({ start }: Arm, { imported }: RunContext): boolean {
  return start.kind !== "pretrained" || imported === undefined || !isOwnPretraining(start.of) ||
    imported.some(({ step }) => step === start.step);
}

/** Of an imported model the paper's own steps are counted, whatever the scale. */
function importedStart(
  step: number,
  reference: string,
  imported: readonly ImportedCheckpoint[],
): InitialWeights {
  const checkpoint = imported.find((candidate) => candidate.step === step);
  if (checkpoint !== undefined) return { kind: "imported", weights: checkpoint.weights, step };
  const known = imported.map(({ step }) => step);
  throw new UserError(
    "NO_START_CHECKPOINT",
    `Arm "${reference}" starts from step ${step} of pre-training, but only ${
      known.length === 1 ? `step ${known[0]} was` : `steps ${known.join(", ")} were`
    } given`,
    `give a folder that has step${step} too, or choose other arms with --only`,
  );
}
