/** Experiments whose arms have every mechanism that a run can have besides plain training. */

/** Where they are read from: the smoke scale has the models that some of them are for. */
export const FOLDERS = {
  set: "all",
  ownExperiments: new URL("../fixtures/mechanisms/", import.meta.url),
} as const;

/** Options of a plan that has them alone. */
export const MECHANISMS = { ...FOLDERS, only: ["mechanisms"] };
