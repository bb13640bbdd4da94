/** Runs, each with a reference of its own. */
import { z } from "zod";
import { ruleParts } from "./parts.ts";

/** Field of the rules that compare pair by pair. */
export const pairsOfRuns = z.array(z.strictObject({ run: ruleParts.run, reference: ruleParts.run })).min(1).max(8);

/** Every run that they read: 2i is the run of pair i, 2i + 1 its reference. */
export function runsOfPairs({ pairs }: { readonly pairs: z.output<typeof pairsOfRuns> }): string[] {
  return pairs.flatMap(({ run, reference }) => [run, reference]);
}
