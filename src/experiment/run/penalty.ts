/**
 * Penalties on the distance from a run's initial weights θ*, whose gradient is added to that of the loss before its norm
 * is taken and it is clipped. The loss that is recorded is that of the data alone.
 *
 * @see Li et al., arXiv 1802.01483 (L2-SP); Kirkpatrick et al., arXiv 1612.00796 (EWC)
 */
import { z } from "zod";

/** A penalty of one run; part of its key. */
export type PenaltySpecification =
  | {
    /** strength / 2 · Σ (θ − θ*)², over all parameters */
    readonly kind: "l2-sp";
    readonly strength: number;
  }
  | {
    /**
     * strength / 2 · Σ F (θ − θ*)², where F is the mean over windows of the squared gradient of a window's mean loss at θ*:
     * the diagonal of the empirical Fisher information
     */
    readonly kind: "ewc";
    readonly strength: number;
    /** the first windows of the upstream corpus, in the run's own order */
    readonly fisherWindows: number;
  };

const strength = z.number().positive().max(1e6);

/** What may stand for a penalty in an experiment, a plan or a manifest. */
export const penaltySchema: z.ZodType<PenaltySpecification> = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("l2-sp"), strength }),
  z.strictObject({ kind: z.literal("ewc"), strength, fisherWindows: z.int().min(1).max(1_000_000) }),
]);

/** In words: `L2-SP of strength 0.001`. */
export function penaltyInWords(penalty: PenaltySpecification): string {
  return penalty.kind === "l2-sp"
    ? `L2-SP of strength ${penalty.strength}`
    : `EWC of strength ${penalty.strength}, Fisher information of ${penalty.fisherWindows} upstream windows`;
}
