/** Which model an arm trains. */
import { ownMember } from "../../digest/own_member.ts";
import { UserError } from "../../errors.ts";
import type { PresetModel } from "../../model/presets.ts";
import type { Scale } from "../scale/scale.ts";
import type { Arm } from "../schema.ts";

/**
 * One of the scale's models: the one that the arm names, or the scale's own.
 *
 * @throws {UserError} `ARM_MODEL` if the scale does not have it
 */
export function armModel({ model }: Pick<Arm, "model">, reference: string, scale: Scale): PresetModel {
  if (model === undefined) return scale.model;
  const found = ownMember(scale.models ?? {}, model);
  if (found !== undefined) return found;
  const known = Object.keys(scale.models ?? {});
  throw new UserError(
    "ARM_MODEL",
    `Arm "${reference}" is for the model "${model}", which scale "${scale.name}" does not have`,
    known.length === 0
      ? "choose other arms with --only, or a scale that has further models"
      : `choose other arms with --only, or name one of its models: ${known.join(", ")}`,
  );
}
