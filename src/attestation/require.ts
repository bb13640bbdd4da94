/** The demand that so many reviewers attested a manifest. Web-standard APIs only. */
import { UserError } from "../errors.ts";
import { printable } from "../files/safe_name.ts";
import { type ArtefactReader, readArtefact } from "../manifest/verify/artefacts.ts";
import type { Review, StepOutcome } from "../manifest/verify/verification_report.ts";
import { listed, readProblem } from "../manifest/verify/verify_artefacts.ts";
import type { AttestationsOutcome, AttestedManifest, CountAttestations } from "../manifest/verify/verify_options.ts";
import type { TrustedKey } from "../manifest/verify/verify_signature.ts";
import { type Attestation, attestationName, type AttestedRetraining } from "./predicate.ts";
import { MAX_ATTESTATION_BYTES, readAttestation } from "./read.ts";
import { retrainingOf } from "./signed_words.ts";

/** What is demanded of reviewers. */
export interface AttestationDemand {
  /** distinct keys whose attestations must count */
  readonly count: number;
  /** whose attestations count; the same key twice is one reviewer */
  readonly reviewers: readonly TrustedKey[];
  /** what each of them must have retrained: so many segments, drawn with fresh randomness, or every one */
  readonly retrain?: number | "all";
}

/**
 * Makes the step of a verification that counts attestations. Only the files of the named reviewers are opened, each by
 * its one name: nothing else beside the manifest is looked at. Who signed the manifest is no reviewer of it.
 *
 * @throws {UserError} `BAD_NUMBER` or `NOT_ENOUGH_REVIEWERS` for a demand that nothing could meet
 */
export function requireAttestations(demand: AttestationDemand): CountAttestations {
  const { count } = demand;
  const reviewers = [...new Map(demand.reviewers.map((reviewer) => [reviewer.key.keyId, reviewer])).values()];
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new UserError("BAD_NUMBER", `${count} reviewers are required`, "expected a whole number from 1");
  }
  if (count > reviewers.length) {
    throw new UserError(
      "NOT_ENOUGH_REVIEWERS",
      `${count} reviewers are required, and ${reviewers.length} are named`,
      "require fewer, or name more",
    );
  }
  return async (manifest, files) => {
    const reviews: Review[] = [];
    for (const { name, key } of reviewers) {
      const found = manifest.signers.includes(key.keyId) || await manifest.isSignedBy?.(key)
        ? { status: "refused", detail: "signed the manifest, and is no reviewer of it" } as const
        : await readReview(key, manifest, files, demand.retrain);
      reviews.push({ reviewer: name, keyId: key.keyId, ...found });
    }
    return conclude(count, reviews);
  };
}

type Finding = Omit<Review, "reviewer" | "keyId">;

async function readReview(
  key: TrustedKey["key"],
  manifest: AttestedManifest,
  files: ArtefactReader,
  demanded: AttestationDemand["retrain"],
): Promise<Finding> {
  let attestation: Attestation | string;
  try {
    const bytes = await readArtefact(files, attestationName(key.keyId), MAX_ATTESTATION_BYTES);
    attestation = await readAttestation(bytes, key, manifest);
  } catch (error) {
    const { kind, detail } = readProblem(error);
    return { status: kind, detail: kind === "missing" ? `there is no "${attestationName(key.keyId)}"` : detail };
  }
  if (typeof attestation === "string") return { status: "refused", detail: attestation };
  const { rewarm, timeCreated } = attestation.predicate;
  const retraining = retrainingOf(rewarm);
  const done = describeRetraining(retraining);
  const said = { attestedAt: timeCreated, caveats: rewarm.caveats };
  return meets(retraining, demanded)
    ? { status: "counts", detail: done, ...said }
    : { status: "refused", detail: `${done}, ${dayOf(timeCreated)}; required: ${describeDemand(demanded)}`, ...said };
}

/** The day of a time in ISO 8601. */
function dayOf(time: string): string {
  return time.slice(0, 10);
}

/** A named piece, or a seed that another may have picked, is no spot check of the reviewer's own. */
function meets(retraining: AttestedRetraining | undefined, demanded: AttestationDemand["retrain"]): boolean {
  if (demanded === undefined || retraining?.pieces === "all") return true;
  return retraining?.pieces === "drawn" && demanded !== "all" && retraining.segments.length >= demanded;
}

function describeRetraining(retraining: AttestedRetraining | undefined): string {
  switch (retraining?.pieces) {
    case undefined:
      return "nothing retrained";
    case "all":
      return `all ${retraining.total} segments retrained`;
    case "drawn":
      return `${retraining.segments.length} of ${retraining.total} segments retrained`;
    case "repeated":
      return `${retraining.segments.length} of ${retraining.total} segments retrained, drawn by a given seed`;
    case "named":
      return "named pieces retrained";
  }
}

function describeDemand(demanded: AttestationDemand["retrain"]): string {
  return demanded === "all" ? "all segments retrained" : `${demanded} or more drawn segments retrained`;
}

function conclude(count: number, reviews: readonly Review[]): AttestationsOutcome {
  const of = (...statuses: Review["status"][]) =>
    reviews.filter(({ status }) => statuses.includes(status)).map(({ reviewer, status, detail, attestedAt = "" }) => {
      const date = status === "counts" ? `, ${dayOf(attestedAt)}` : "";
      return `${printable(reviewer)} (${printable(detail, 300)}${date})`;
    });
  const good = of("counts");
  const open = reviews.some(({ status }) => status === "unreadable");
  const status: StepOutcome["status"] = good.length >= count ? "ok" : open ? "not checked" : "failed";
  // What is damaged is named whatever comes of the step; who has not attested, only where that matters.
  const others = status === "ok" ? of("refused", "unreadable") : of("refused", "unreadable", "missing");
  const names = reviews.filter((review) => review.status === "counts").map(({ reviewer }) => printable(reviewer));
  return {
    status,
    detail: [
      `${good.length} of ${count} required reviewers attested this manifest${
        good.length === 0 ? "" : `: ${listed(good)}`
      }`,
      ...(others.length === 0 ? [] : [`not counted: ${listed(others)}`]),
    ].join("; "),
    caveats: [`That ${names.join(" and ")} did what they attest: it is their word.`],
    reviews,
  };
}
