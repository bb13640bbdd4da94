/** All parts of a run, in the order in which they are done, and how a command line chooses among them. */
import { suggest, UserError } from "../../src/errors.ts";
import { machineFacts } from "./machine.ts";
import type { Part } from "./part.ts";
import { ACCURACY_PARTS } from "./parts/accuracy.ts";
import { BIT_PARTS } from "./parts/correctness.ts";
import { PROFILE_PARTS } from "./parts/profile.ts";
import { SANITIZER_PARTS } from "./parts/sanitizer.ts";
import { SPEED_PARTS } from "./parts/speed.ts";
import { STAGES } from "./results.ts";

/** Always first. */
export const ENVIRONMENT: Part = {
  name: "environment",
  stage: "environment",
  summary: "the GPU, its driver and clocks, libraries and programs; compiles all kernels",
  seconds: 120,
  needsNoGpu: true,
  run: async ({ settings }) => ({ kind: "facts", facts: await machineFacts(settings) }),
};

/** In order: what is cheap and fundamental first. */
export const PARTS: readonly Part[] = [
  ENVIRONMENT,
  ...BIT_PARTS.filter(({ name }) => name === "golden-digest"),
  ...ACCURACY_PARTS,
  ...BIT_PARTS.filter(({ name }) => name !== "golden-digest"),
  ...SANITIZER_PARTS,
  ...SPEED_PARTS,
  ...PROFILE_PARTS,
];

/**
 * Parts by their own names, or by their stages'; none means all. The environment is always among them.
 *
 * @throws {UserError} `UNKNOWN_PART` with the nearest match
 */
export function chooseParts(names: readonly string[]): Part[] {
  const known: string[] = [...new Set([...STAGES, ...PARTS.map(({ name }) => name)])];
  for (const name of names) {
    if (!known.includes(name)) {
      throw new UserError("UNKNOWN_PART", `Unknown stage or part "${name}"`, suggest(name, known));
    }
  }
  const isChosen = ({ name, stage }: Part) => names.length === 0 || names.includes(name) || names.includes(stage);
  return PARTS.filter((part) => part === ENVIRONMENT || isChosen(part));
}
