/** The scale that a plan is made at: its file's, changed and read as the options say. */
import { loadScale } from "../catalogue.ts";
import { changeScale } from "../scale/change_scale.ts";
import type { PlanOptions } from "./plan.ts";
import { applicableReadings, type Readings, readScale } from "../readings.ts";
import type { Scale } from "../scale/scale.ts";
import { resolvedScaleSchema } from "../schema.ts";
import { validate } from "../../text/yaml.ts";

/** What of the options determines a plan's scale. */
export type ScaleOptions = Pick<
  PlanOptions,
  "scale" | "changes" | "overrides" | "readings" | "ownFiles" | "start" | "folder" | "set"
>;

/**
 * The scale that a plan is made at, changed and read as its options say.
 *
 * @throws {UserError} on an unknown scale, a change that gives no valid one, or a reading without effect
 */
export async function planScale(
  options: ScaleOptions,
): Promise<{ readonly scale: Scale; readonly readings: Readings }> {
  const { models, ...own } = await loadScale(options.scale, options.folder);
  // Only experiments beyond the paper name further models; the paper's own plans stay what they were without them.
  const { set = "paper" } = options;
  const loaded = models === undefined || set === "paper" ? own : { ...own, models };
  const stated = override(loaded, options);
  const readings = applicableReadings(stated, options.readings ?? {}, options.ownFiles ?? false);
  return { scale: readScale(stated, readings), readings };
}

function override(scale: Scale, { changes = {}, start, overrides = {} }: ScaleOptions): Scale {
  const changed = changeScale(scale, changes);
  const chosen = { ...changed, start: start === undefined ? changed.start : { kind: start }, ...overrides };
  return validate(resolvedScaleSchema, chosen, `scale ${scale.name} with overrides`);
}
