/** What the caller brings to a verification: keys, rules, and the steps that are made only if asked for. */
import type { Digest } from "../../digest/sha256.ts";
import type { Plan } from "../../experiment/plan/plan.ts";
import type { ArtefactReader } from "./artefacts.ts";
import type { VerifyingKey } from "../keys/keys.ts";
import type { Statement } from "../format/predicate.ts";
import type { Artefact } from "../format/run.ts";
import type { Review, StepOutcome, VerificationStep } from "./verification_report.ts";
import type { Judge } from "./verify_claims.ts";
import type { PageEvidence, ReportRenderer } from "./verify_report.ts";
import type { TrustedKey } from "./verify_signature.ts";

/** What retraining found, and what it leaves open. */
export interface RetrainingOutcome extends StepOutcome {
  /** in whole sentences, for the report */
  readonly caveats: readonly string[];
}

/**
 * Retrains pieces and compares; called when everything else is verified, with the plan that was. Errors mean that it
 * could not be done.
 */
export type Retrain = (statement: Statement, artefacts: ArtefactReader, plan: Plan) => Promise<RetrainingOutcome>;

/** A manifest as it was read and found to agree with itself: what reviewers attest. */
export interface AttestedManifest {
  /** of the file's bytes */
  readonly sha256: Digest;
  /** what it says */
  readonly statement: Statement;
  /** keys that its envelope names as signers; theirs is the claim, so that they are no reviewers of it */
  readonly signers: readonly Digest[];
  /** the verifier's clock, in milliseconds since 1970: what is dated later does not count; absent where no one counts */
  readonly now?: number;
  /** whether a key signed it, named or not; absent where nobody asks for reviewers */
  readonly isSignedBy?: (key: VerifyingKey) => Promise<boolean>;
}

/** What reviewers' attestations show, and what they leave open. */
export interface AttestationsOutcome extends StepOutcome {
  /** in whole sentences, for the report */
  readonly caveats: readonly string[];
  /** of every reviewer that was asked for */
  readonly reviews: readonly Review[];
}

/** Counts the attestations that lie beside a manifest. Errors mean that it could not be done. */
export type CountAttestations = (manifest: AttestedManifest, files: ArtefactReader) => Promise<AttestationsOutcome>;

/** What timestamps show, and what they leave open. */
export interface TimestampsOutcome extends StepOutcome {
  /** in whole sentences, for the report */
  readonly caveats: readonly string[];
}

/** Checks the timestamps that lie beside a manifest, given its bytes and statement. */
export interface CheckTimestamps {
  /** whether they were asked for: not there, or of nobody that is trusted, they make the verdict "could not check" */
  readonly isDemanded: boolean;
  /** Errors mean that it could not be done. */
  check(manifest: Uint8Array, statement: Statement, files: ArtefactReader): Promise<TimestampsOutcome>;
}

/** A plan that was made again. */
export interface Replanned {
  /** whether the experiments here are those that the manifest names by their digests */
  readonly isSame: boolean;
  /** of the plan that they give; undefined if they give none */
  readonly planDigest: Digest | undefined;
}

/** Makes a plan again from the verifier's own experiments, by what it says of its scale, readings, data and arms. */
export type Replan = (plan: Plan, inputs: readonly Artefact[]) => Promise<Replanned>;

/** What the caller brings to a verification. */
export interface VerifyOptions {
  /** keys whose owners the caller knows; if any are given, one of them must have signed */
  readonly trustedKeys?: readonly TrustedKey[];
  /** judges the claims again; without it the verdict is never "verified" */
  readonly judge?: Judge;
  /** makes the plan again; without it nothing shows that an arm is what its name says */
  readonly replan?: Replan;
  /** renders the page again; without it the page is named as unchecked */
  readonly renderer?: ReportRenderer;
  /** the clock, in milliseconds since 1970, that dates are checked against; the platform's if absent */
  readonly now?: number;
  /** does without checkpoints that are not there: only manifest, journals and curves were published */
  readonly withoutCheckpoints?: boolean;
  /** demands attestations of reviewers and counts them (src/attestation); without it none are read */
  readonly countAttestations?: CountAttestations;
  /** checks timestamps (src/timestamp); without it none are looked at */
  readonly timestamps?: CheckTimestamps;
  /** retrains pieces and compares them (src/retrain); without it no piece of the training is repeated */
  readonly retrain?: Retrain;
  /** told of each step as it is done, for whoever shows them; what is told changes nothing */
  readonly onStep?: (step: VerificationStep) => void;
  /** given plan and curves once they are verified, for whoever draws them */
  readonly onEvidence?: (evidence: PageEvidence) => void;
}
