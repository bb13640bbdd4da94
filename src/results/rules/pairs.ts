/** Runs, each with a reference of its own. */
import { z } from "zod";
import { ruleParts } from "./parts.ts";

/** Field of the rules that compare pair by pair. */
export const pairsOfRuns = z.array(z.strictObject({ run: ruleParts.run, reference: ruleParts.run })).min(1).max(8);
