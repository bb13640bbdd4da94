/** The first thing in which a training repeated and a training recorded differ. */
import { shortDigest } from "../digest/sha256.ts";
import { type Bits, fromBits } from "../train/journal/journal_record.ts";

/** What of a run can differ. */
export type RetrainingField =
  | "batch"
  | "learning rate"
  | "loss"
  | "gradient norm"
  | "divergence"
  | "skip"
  | "state"
  | "checkpoint"
  | "curve";

/** A record that retraining did not give. */
export interface RetrainingDifference {
  /** label of the run */
  readonly run: string;
  /** number of the optimizer step, or of steps done for a state, a checkpoint and a curve */
  readonly step: number;
  /** what of the step's record differs */
  readonly field: RetrainingField;
  /** as it is recorded: bits of an f32 in hexadecimal, a digest, or a number */
  readonly recorded: string;
  /** as retraining gave it */
  readonly retrained: string;
}

/** Thrown where retraining does not give what is recorded. */
export class RetrainingMismatch extends Error {
  /** for programs that cannot use `instanceof` */
  override readonly name = "RetrainingMismatch";

  /** Its message names run, step, field and both values. */
  constructor(readonly difference: RetrainingDifference) {
    super(describeDifference(difference));
  }
}

/** The difference in one sentence without final stop. */
export function describeDifference({ run, step, field, recorded, retrained }: RetrainingDifference): string {
  return `run "${run}", step ${step}: its ${field} is ${shown(recorded)}, and retraining gives ${shown(retrained)}`;
}

/** f32 bits with their value, digests shortened, all else as it is. */
function shown(value: string): string {
  if (/^[0-9a-f]{8}$/.test(value)) return `${value} (${fromBits(value satisfies Bits)})`;
  return /^[0-9a-f]{64}$/.test(value) ? shortDigest(value) : value;
}
