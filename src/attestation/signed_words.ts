/**
 * Words of attestations that no longer are the words of the code. Attestations got their form when retraining was called
 * "replay": the step `replay`, the property `REWARM_REPLAY` that follows from it, `REWARM_REPLAY_ALL`, and the member
 * `replay`. What is signed keeps that word, since verifiers of every version read it, and so does its form in
 * `predicate.ts`, `schema.ts` and `verifiers.ts`; only this file knows both. Web-standard APIs only.
 */
import { type StepName, VERIFICATION_STEPS, type VerificationStep } from "../manifest/verify/verification_report.ts";
import type { AttestedRetraining, VerificationDetails } from "./predicate.ts";

/** The step that retrains, as it is signed. */
const SIGNED_RETRAIN = "replay";

/** A verification's step as it is signed. */
export type AttestedStepName = Exclude<StepName, "retrain"> | typeof SIGNED_RETRAIN;

/** A step with its outcome, as it is signed. */
export type AttestedStep = Omit<VerificationStep, "name"> & { readonly name: AttestedStepName };

/** The property of a verification that retrained every segment. */
export const RETRAINED_ALL = "REWARM_REPLAY_ALL";

/** From a step's name to the one that is signed. */
export function attestedStepName(name: StepName): AttestedStepName {
  return name === "retrain" ? SIGNED_RETRAIN : name;
}

/** From a name that was signed to the step's. */
export function stepNameOf(name: AttestedStepName): StepName {
  return name === SIGNED_RETRAIN ? "retrain" : name;
}

/** Every step as it is signed, in the order of a verification. */
export const ATTESTED_STEPS: readonly AttestedStepName[] = VERIFICATION_STEPS.map(attestedStepName);

/** The member that holds what was retrained; there is none if nothing was. */
export function withRetraining(
  retraining: AttestedRetraining | undefined,
): Pick<VerificationDetails, typeof SIGNED_RETRAIN> {
  return retraining === undefined ? {} : { [SIGNED_RETRAIN]: retraining };
}

/** What was retrained, of an attestation's details. */
export function retrainingOf(
  details: Pick<VerificationDetails, typeof SIGNED_RETRAIN>,
): AttestedRetraining | undefined {
  return details[SIGNED_RETRAIN];
}
