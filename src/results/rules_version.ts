/** Versions of the rules: which kinds there are, and how their comparisons are decided. */
import { z } from "zod";

/** 1: of rewarm 0.1 to 0.3. 2: with preconditions and errors over seeds and documents. */
export type RulesVersion = 1 | 2;

/** The version that a document of rules states; those of version 1 state none. */
export const rulesVersion = z.union([z.literal(1), z.literal(2)]);
