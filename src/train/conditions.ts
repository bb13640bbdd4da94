/**
 * What a run's bits depend on besides its key, where an engine promises them only from run to run: device, driver,
 * libraries. They are kept with every checkpoint, so that a run resumes under the same or by its owner's word.
 */
import { z } from "zod";
import { ownMember } from "../digest/own_member.ts";
import { recordSchema } from "../digest/record_schema.ts";
import type { Engine, Session } from "../engine/engine.ts";
import { UserError } from "../errors.ts";

/** An engine's conditions, by name. */
export type Conditions = Readonly<Record<string, string>>;

/** What the bits of a session depend on; undefined if on nothing. */
export function conditionsOf(
  engine: Pick<Engine, "conditions">,
  session: Pick<Session, "conditions">,
): Conditions | undefined {
  if (engine.conditions === undefined && session.conditions === undefined) return undefined;
  return { ...engine.conditions, ...session.conditions };
}

/** From which step on a run was computed under which conditions. */
export interface ConditionPeriod {
  /** optimizer steps done when it began */
  readonly fromStep: number;
  /** device, driver and libraries, by name */
  readonly conditions: Conditions;
}

/** Periods of one run, ascending by step; the first starts at step 0. */
export const conditionPeriodsSchema = z.array(z.strictObject({
  fromStep: z.int().min(0),
  conditions: recordSchema(z.string().min(1).max(200), z.string().max(4000)),
})).min(1).max(1000) satisfies z.ZodType<ConditionPeriod[]>;

/** Names of what differs, with both values. */
export function conditionDifferences(before: Conditions, now: Conditions): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])].sort();
  return names.map((name) => ({ name, then: ownMember(before, name), here: ownMember(now, name) }))
    .filter(({ then, here }) => then !== here)
    .map(({ name, then = "nothing", here = "nothing" }) => `${name}: "${then}" then, "${here}" now`);
}

/**
 * The periods of a run that resumes.
 *
 * @param before those of the checkpoint it resumes from; undefined if its engine's bits need no conditions
 * @param now the engine's conditions
 * @param accept resumes all the same, which the manifest then says
 * @throws {UserError} `CONDITIONS_CHANGED` naming what differs
 */
export function continueUnder(
  label: string,
  step: number,
  before: readonly ConditionPeriod[] | undefined,
  now: Conditions | undefined,
  accept: boolean,
): readonly ConditionPeriod[] | undefined {
  const last = before?.at(-1);
  const differences = conditionDifferences(last?.conditions ?? {}, now ?? {});
  if (differences.length === 0) return before;
  if (!accept) {
    throw new UserError(
      "CONDITIONS_CHANGED",
      `Run "${label}" stands at step ${step} and was computed under other conditions: ${differences.join("; ")}`,
      "resume it where they are as they were, add --accept-other-device (the manifest will say so), or choose another --out",
    );
  }
  return now === undefined ? before : [...before ?? [], { fromStep: step, conditions: now }];
}
