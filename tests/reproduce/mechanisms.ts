/** Experiments whose arms have every mechanism that a run can have besides plain training. */
import { FIXTURE_CATALOGUE } from "../experiment/plan_fixture.ts";

/** Where they are read from. */
export const FOLDERS = {
  ...FIXTURE_CATALOGUE,
  ownExperiments: new URL("../fixtures/mechanisms/", import.meta.url),
} as const;

/** Options of a plan that has them alone. */
export const MECHANISMS = { ...FOLDERS, only: ["mechanisms"] };
