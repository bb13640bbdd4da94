/** Verification before packing: what fails it is not passed on. */
import { UserError } from "../errors.ts";
import { printable } from "../files/safe_name.ts";
import type { ArtefactReader } from "../manifest/verify/artefacts.ts";
import type { Statement } from "../manifest/format/predicate.ts";
import { isOpen, type VerificationStep } from "../manifest/verify/verification_report.ts";
import { verifyManifest } from "../manifest/verify/verify.ts";
import type { VerifyOptions } from "../manifest/verify/verify_options.ts";

const MAX_DETAIL = 800;

/** A reader that says of some files that they are not there. */
function without(artefacts: ArtefactReader, isHidden: (name: string) => boolean): ArtefactReader {
  return {
    async *open(name) {
      if (isHidden(name)) throw new UserError("FILE_NOT_FOUND", `"${printable(name)}" is not looked at`);
      yield* artefacts.open(name);
    },
  };
}

/** @param steps of which one or more are not as they should be */
function notVerified(path: string, steps: readonly VerificationStep[]): UserError {
  const flaw = steps.find(({ status }) => status === "failed") ?? steps.find((step) => isOpen(step));
  return new UserError(
    "NOT_VERIFIED",
    `"${path}" does not verify, ${flaw?.name} ${flaw?.status}: ${printable(flaw?.detail ?? "", MAX_DETAIL)}`,
    `see all of it with "deno task verify ${path}"`,
  );
}

/**
 * The statement of a manifest whose signature, form and consistency are good. No artefact is looked at.
 *
 * @param path for messages
 * @throws {UserError} `NOT_VERIFIED`
 */
export async function readStatement(
  path: string,
  manifest: Uint8Array,
  artefacts: ArtefactReader,
): Promise<Statement> {
  const { verdict, steps, statement } = await verifyManifest(manifest, without(artefacts, () => true));
  if (statement === undefined || verdict === "failed") throw notVerified(path, steps);
  return statement;
}

/**
 * Verifies everything but checkpoints, which are hashed when they are packed. Claims may stay unchecked: the rules that
 * were signed are not always at hand.
 *
 * @param path for messages
 * @throws {UserError} `NOT_VERIFIED`
 */
export async function requireVerified(
  path: string,
  manifest: Uint8Array,
  artefacts: ArtefactReader,
  { checkpoints, ...options }:
    & { readonly checkpoints: ReadonlySet<string> }
    & Pick<VerifyOptions, "judge" | "renderer">,
): Promise<void> {
  const { steps } = await verifyManifest(manifest, without(artefacts, (name) => checkpoints.has(name)), {
    withoutCheckpoints: true,
    ...options,
  });
  const isFlaw = (step: VerificationStep) => step.status === "failed" || (step.name !== "claims" && isOpen(step));
  const flaws = steps.filter(isFlaw);
  if (flaws.length > 0) throw notVerified(path, flaws);
}
