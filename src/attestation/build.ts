/** From what a verification found to the statement that a reviewer signs. */
import project from "../../deno.json" with { type: "json" };
import { UserError } from "../errors.ts";
import { printable } from "../files/safe_name.ts";
import { describeEnvironment } from "../manifest/format/environment.ts";
import { STATEMENT_TYPE } from "../manifest/format/predicate.ts";
import { schemaFlaws } from "../manifest/statement.ts";
import type { VerificationReport, VerificationStep } from "../manifest/verify/verification_report.ts";
import type { Retraining } from "../retrain/retrain.ts";
import { segmentName } from "../retrain/segment.ts";
import { attestationFlaw } from "./attestation_check.ts";
import {
  type Attestation,
  type AttestedRetraining,
  policiesOf,
  propertiesOf,
  SVR_PREDICATE_TYPE,
  VERIFIER_ID,
} from "./predicate.ts";
import { attestationSchema, MAX_ATTESTED_SEGMENTS } from "./schema.ts";
import { type AttestedStep, attestedStepName, withRetraining } from "./signed_words.ts";

/** Longest detail or caveat that is attested, in characters. */
const MAX_SENTENCE = 1000;

/** What came of a verification, with its choice of pieces if some were retrained: `Retraining` is one. */
export type VerificationFindings = Pick<Retraining, "report" | "choice">;

/**
 * The statement of an attestation.
 *
 * @param name of the manifest's file
 * @param threads that retrained, 0 if nothing was retrained
 * @param now the reviewer's clock, in milliseconds since 1970; the platform's if absent
 * @throws {UserError} `NOT_VERIFIED` for any verdict but "verified", `TOO_MANY_SEGMENTS`, `CLOCK_BEHIND` for a manifest
 * that was made later than now
 */
export function buildAttestation(
  name: string,
  { report, choice }: VerificationFindings,
  threads: number,
  now: number = Date.now(),
): Attestation {
  const { verdict, manifestDigest, statement, signers, caveats } = report;
  if (verdict !== "verified") {
    throw new UserError(
      "NOT_VERIFIED",
      `The verdict on "${name}" is "${verdict}"`,
      "only what is verified is attested",
    );
  }
  if (manifestDigest === undefined || statement === undefined) throw new TypeError("This report is of no manifest");
  const timeCreated = new Date(now).toISOString();
  const { createdAt } = statement.predicate.metadata;
  if (now < Date.parse(createdAt)) {
    throw new UserError(
      "CLOCK_BEHIND",
      `The manifest was made at ${createdAt}, and the clock here says ${timeCreated}`,
      "set the clock: an attestation that is older than its manifest does not count",
    );
  }
  const steps = report.steps.map((step) => publicStep(step, signers));
  const isRetrained = report.steps.some(({ name, status }) => name === "retrain" && status === "ok");
  const retraining = isRetrained && choice !== undefined ? attestedRetraining(choice) : undefined;
  const parsed = attestationSchema.safeParse({
    _type: STATEMENT_TYPE,
    subject: [{ name, digest: { sha256: manifestDigest } }],
    predicateType: SVR_PREDICATE_TYPE,
    predicate: {
      verifier: { id: VERIFIER_ID, policies: policiesOf(statement) },
      timeCreated,
      properties: propertiesOf(steps, retraining),
      rewarm: {
        tool: { name: "rewarm", version: project.version },
        environment: describeEnvironment({ threads }),
        steps,
        ...withRetraining(retraining),
        caveats: caveats.map((caveat) => printable(caveat, MAX_SENTENCE)),
      },
    },
  });
  if (!parsed.success) throw new TypeError(`This is no attestation: ${schemaFlaws(parsed.error).join("; ")}`);
  const flaw = attestationFlaw(parsed.data, { sha256: manifestDigest, statement, signers: [] });
  if (flaw !== undefined) throw new TypeError(`This attestation ${flaw}`);
  return parsed.data;
}

/** A step as others may see it: the caller's name of a key, often the path of a file, is the caller's own. */
function publicStep(
  { name, status, detail }: VerificationStep,
  signers: VerificationReport["signers"],
): AttestedStep {
  const known = signers.filter(({ trustedAs }) => trustedAs !== undefined).map(({ keyId }) => keyId);
  const told = name === "signer" && status === "ok" ? `the reviewer knows key ${known.join(" and ")}` : detail;
  return { name: attestedStepName(name), status, detail: printable(told, MAX_SENTENCE) };
}

function attestedRetraining(
  { kind, share, segments, total, seed, worth }: NonNullable<Retraining["choice"]>,
): AttestedRetraining {
  if (kind === "all") return { pieces: "all", total, worth };
  if (share !== undefined) return { pieces: "share", ...share, total, worth };
  if (segments.length > MAX_ATTESTED_SEGMENTS) {
    throw new UserError(
      "TOO_MANY_SEGMENTS",
      `${segments.length} segments were retrained, and an attestation lists at most ${MAX_ATTESTED_SEGMENTS}`,
      'draw fewer, or all with "--retrain all"',
    );
  }
  const names = [...new Set(segments.map(segmentName))];
  if (kind === "named") return { pieces: "named", segments: names, total, worth };
  if (kind === "share" || seed === undefined) throw new TypeError("Segments were drawn without a seed");
  return { pieces: kind, seed, segments: names, total, worth };
}
