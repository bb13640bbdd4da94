/** Whether an attestation agrees with itself and with the manifest that it is about. Web-standard APIs only. */
import { canonicalJson } from "../digest/canonical_json.ts";
import { shortDigest } from "../digest/sha256.ts";
import { UserError } from "../errors.ts";
import { printable, unsafeNameReason } from "../files/safe_name.ts";
import { PREDICATE_TYPES } from "../manifest/format/predicate.ts";
import type { ManifestRun } from "../manifest/format/run.ts";
import { OPTIONAL_STEPS } from "../manifest/verify/verification_report.ts";
import type { AttestedManifest } from "../manifest/verify/verify_options.ts";
import { chooseSegments } from "../retrain/choice.ts";
import { parseSegment, segmentName, segmentsOf } from "../retrain/segment.ts";
import { segmentsOfShare, shareName } from "../retrain/share.ts";
import { type Attestation, type AttestedRetraining, policiesOf, type Policy, propertiesOf } from "./predicate.ts";
import { type AttestedStep, retrainingOf, stepNameOf } from "./signed_words.ts";
import { stepsOf, VERIFIERS } from "./verifiers.ts";

/** The first contradiction; `undefined` if there is none. A flaw reads on after "the attestation". */
export function attestationFlaw({ subject, predicate }: Attestation, manifest: AttestedManifest): string | undefined {
  const { verifier, timeCreated, properties, rewarm } = predicate;
  const { steps } = rewarm;
  const retraining = retrainingOf(rewarm);
  return subjectFlaw(subject, manifest) ?? verifierFlaw(verifier.id, manifest) ?? timeFlaw(timeCreated, manifest) ??
    stepsFlaw(steps, stepsOf(verifier.id)) ??
    (isSame(properties, propertiesOf(steps, retraining))
      ? undefined
      : "has properties that its steps do not bear out") ??
    policiesFlaw(verifier.policies, manifest) ?? retrainingFlaw(steps, retraining, manifest.statement.predicate.runs);
}

/** Nobody verifies what is not made yet, and nobody has verified what they will verify. */
function timeFlaw(timeCreated: string, { statement, now = Infinity }: AttestedManifest): string | undefined {
  const { createdAt } = statement.predicate.metadata;
  const time = Date.parse(timeCreated);
  if (time < Date.parse(createdAt)) return `is dated ${timeCreated}, and the manifest was made later, ${createdAt}`;
  if (time > now) return `is dated ${timeCreated}, and by the clock here it is ${new Date(now).toISOString()}`;
  return undefined;
}

function policiesFlaw(policies: readonly Policy[] | undefined, { statement }: AttestedManifest): string | undefined {
  if (policies === undefined || canonicalJson(policies) === canonicalJson(policiesOf(statement))) return undefined;
  return "has policies that are not the rules that the manifest names";
}

function subjectFlaw([subject]: Attestation["subject"], { sha256 }: AttestedManifest): string | undefined {
  if (subject === undefined) return "has no subject";
  const reason = unsafeNameReason(subject.name);
  if (reason !== undefined) return `has a subject "${printable(subject.name)}" whose name ${reason}`;
  if (subject.digest.sha256 === sha256) return undefined;
  return `is of another manifest: of ${shortDigest(subject.digest.sha256)}, and this one is ${shortDigest(sha256)}`;
}

/** The first verifier could not read what came after it. */
function verifierFlaw(id: string, { statement }: AttestedManifest): string | undefined {
  return id === VERIFIERS[0]?.id && statement.predicateType !== PREDICATE_TYPES[0]
    ? `is of a verifier, "${id}", that cannot read this manifest`
    : undefined;
}

/** All steps in their order, and none but those that may be left out is anything but good. */
function stepsFlaw(steps: readonly AttestedStep[], expected: readonly string[] = []): string | undefined {
  if (!isSame(steps.map(({ name }) => name), expected)) {
    return "does not list the steps of a verification in their order";
  }
  const bad = steps.find(({ name, status }) =>
    status === "failed" || (status === "not checked" && !OPTIONAL_STEPS.has(stepNameOf(name)))
  );
  return bad === undefined ? undefined : `is not of a verified manifest: its step "${bad.name}" is "${bad.status}"`;
}

function retrainingFlaw(
  steps: readonly AttestedStep[],
  retraining: AttestedRetraining | undefined,
  runs: readonly ManifestRun[],
): string | undefined {
  const isDone = steps.some(({ name, status }) => stepNameOf(name) === "retrain" && status === "ok");
  if (isDone !== (retraining !== undefined)) {
    return "has a step that retrains and details of it that contradict each other";
  }
  if (retraining === undefined) return undefined;
  const all = segmentsOf(runs);
  if (retraining.total !== all.length) return `counts ${retraining.total} segments, and the manifest has ${all.length}`;
  switch (retraining.pieces) {
    case "all":
      return undefined;
    case "share":
      return retraining.share <= retraining.shares && segmentsOfShare(all, retraining).length > 0
        ? undefined
        : `is of share ${shareName(retraining)}, which has no segments`;
    case "named":
      return isEvery(retraining.segments, (name) => segmentName(parseSegment(name, runs)) === name)
        ? undefined
        : "names a segment that the manifest does not have";
    case "drawn":
    case "repeated": {
      const drawn = chooseSegments(all, retraining.segments.length, retraining.seed).map(segmentName);
      return isSame(retraining.segments, drawn) ? undefined : "lists other segments than its seed draws";
    }
  }
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}

/** Whether a check holds for every name; one that stands twice, or that the check refuses, does not hold. */
function isEvery(names: readonly string[], check: (name: string) => boolean): boolean {
  try {
    return new Set(names).size === names.length && names.every(check);
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}
