/** Parts that the paper's file and the experiments' files share: how surely something is known, and where it holds. */
import { z } from "zod";

/**
 * How a number or a claim is known: A read in a primary text or file, B in a secondary source that quotes a primary
 * one, C arithmetic or inference, ? unknown.
 */
export const confidence = z.enum(["A", "A/C", "B", "C", "?"]);

/** Where a number or a claim holds: at every scale, or only at the paper's own model and tokens. */
export const comparableAt = z.enum(["every-scale", "paper-scale"]);

/** Name of an entry, unique in its file. */
export const id = z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/).max(60);

/** A sentence for the report. */
export const sentence = z.string().min(1).max(600);

/** Section, table or other place in the paper. */
export const section = z.string().min(1).max(40);

/** Name of a precondition. */
export const preconditionName = z.string().regex(/^[a-z][a-z-]{0,39}$/);
