/**
 * Verification of a manifest, in named steps: the bytes before what they say, what they say before the artefacts, the
 * artefacts before what follows from them. Web-standard APIs only; the rules and the artefacts are given.
 */
import { type Digest, isDigest, sha256 } from "../../digest/sha256.ts";
import type { Plan } from "../../experiment/plan/plan.ts";
import type { RunKey } from "../../experiment/run/run.ts";
import type { Curves } from "../../results/curves.ts";
import { type ArtefactReader, readArtefact } from "./artefacts.ts";
import { statementCaveats } from "./caveats.ts";
import { type Envelope, readEnvelope } from "../format/dsse.ts";
import { PREDICATE_TYPES, type Statement } from "../format/predicate.ts";
import { schemaFlaws } from "../statement.ts";
import { readStatementPayload } from "../format/statement_payload.ts";
import { statementSchema } from "../format/statement_schema.ts";
import { isTrained } from "../format/run.ts";
import { statementFlaw, subjectFlaw } from "../consistency/statement_check.ts";
import { parseStrictJson } from "../../text/strict_json.ts";
import {
  concludeVerification,
  isOpen,
  type Review,
  type Signer,
  type StepName,
  type StepOutcome,
  VERIFICATION_STEPS,
  type VerificationReport,
  type VerificationStep,
} from "./verification_report.ts";
import { checkArtefacts, readProblem } from "./verify_artefacts.ts";
import { armsOf, checkClaims } from "./verify_claims.ts";
import { checkCurves } from "./verify_curves.ts";
import { checkJournals } from "./verify_journals.ts";
import { checkPlan, MAX_PLAN_BYTES } from "./verify_plan.ts";
import { checkReport, UNCHECKED_PAGE } from "./verify_report.ts";
import type { AttestedManifest, VerifyOptions } from "./verify_options.ts";
import { recordsFlaw } from "./verify_records.ts";
import { ratioFlaw } from "../consistency/summaries.ts";
import { checkSignatures, isSignedBy } from "./verify_signature.ts";
import { printable } from "../../files/safe_name.ts";

/** A manifest is not read beyond this size, in bytes. */
export const MAX_MANIFEST_BYTES = 32 << 20;
/** The file of rules is not read beyond this size, in bytes. */
export const MAX_RULES_BYTES = 1 << 20;

/** Stops the verification: the steps so far are the report. */
class Stop extends Error {}

class Verification {
  readonly steps: VerificationStep[] = [];
  readonly caveats: string[] = [];
  signers: readonly Signer[] = [];
  manifestDigest: Digest | undefined;
  statement: Statement | undefined;
  reviews: readonly Review[] | undefined;
  /** steps that may be left out but were asked for */
  readonly asked: readonly StepName[];

  constructor(private readonly artefacts: ArtefactReader, private readonly options: VerifyOptions) {
    this.asked = [
      ...(options.timestamps?.isDemanded === true ? ["timestamps"] as const : []),
      ...(options.countAttestations === undefined ? [] : ["attestations"] as const),
      ...(options.retrain === undefined ? [] : ["retrain"] as const),
    ];
  }

  note(name: StepName, outcome: StepOutcome): void {
    const step = { name, ...outcome };
    this.steps.push(step);
    this.options.onStep?.(step);
  }

  ok(name: StepName, detail: string): void {
    this.note(name, { status: "ok", detail });
  }

  stop(name: StepName, outcome: StepOutcome): never {
    this.note(name, outcome);
    throw new Stop();
  }

  fail(name: StepName, detail: string): never {
    return this.stop(name, { status: "failed", detail });
  }

  async run(bytes: Uint8Array): Promise<void> {
    this.checkSize(bytes);
    const envelope = this.readEnvelope(bytes);
    await this.checkSignature(envelope);
    const payload = this.checkTypes(envelope);
    const statement = this.checkSchema(payload);
    this.checkSubjects(statement);
    this.checkConsistency(statement);
    this.statement = statement;
    const good = await this.checkArtefacts(statement);
    const plan = await this.checkPlan(statement, good);
    const curves = await this.checkResults(statement, plan, good);
    await this.checkReport(statement, plan, curves, good);
    await this.checkTimestamps(bytes, statement);
    await this.checkAttestations(statement, envelope);
    await this.checkRetraining(statement, plan);
    this.caveats.push(...statementCaveats(statement));
  }

  checkSize(bytes: Uint8Array): void {
    if (bytes.length > MAX_MANIFEST_BYTES) {
      this.fail("size", `the manifest has ${bytes.length} bytes, and at most ${MAX_MANIFEST_BYTES} are allowed`);
    }
    this.ok("size", `${bytes.length} bytes`);
    this.manifestDigest = sha256(bytes);
  }

  readEnvelope(bytes: Uint8Array): Envelope {
    let value: unknown;
    try {
      value = parseStrictJson(bytes);
    } catch (error) {
      this.fail("envelope", `the manifest is not strict JSON: ${messageOf(error)}`);
    }
    const envelope = readEnvelope(value);
    if (typeof envelope === "string") this.fail("envelope", `the manifest is no DSSE envelope: ${envelope}`);
    this.ok("envelope", `a DSSE envelope with a payload of ${envelope.payload.length} bytes`);
    return envelope;
  }

  async checkSignature(envelope: Envelope): Promise<void> {
    const { signature, signer, signers, caveats } = await checkSignatures(envelope, this.options.trustedKeys ?? []);
    if (signature.status !== "ok") this.stop("signature", signature);
    this.note("signature", signature);
    this.signers = signers;
    this.caveats.push(...caveats);
    if (signer.status === "failed") this.stop("signer", signer);
    this.note("signer", signer);
    if (signer.status === "not checked") {
      this.caveats.push(`Who owns key ${signers[0]?.keyId}: anyone can sign with a key of their own.`);
    }
  }

  checkTypes(envelope: Envelope): unknown {
    const payload = readStatementPayload(envelope, ...PREDICATE_TYPES);
    if (typeof payload === "string") this.fail("type", payload);
    return payload.value;
  }

  checkSchema(payload: unknown): Statement {
    const parsed = statementSchema.safeParse(payload);
    this.ok("type", parsed.data?.predicateType ?? "a statement of this program's");
    if (!parsed.success) this.fail("schema", schemaFlaws(parsed.error).join("; "));
    this.ok("schema", "every member has the form it must have, and none is unknown");
    return parsed.data;
  }

  checkSubjects(statement: Statement): void {
    const flaw = subjectFlaw(statement);
    if (flaw !== undefined) this.fail("subjects", flaw);
    this.ok("subjects", `${statement.subject.length} names, each once and inside the folder`);
  }

  checkConsistency(statement: Statement): void {
    const flaw = statementFlaw(statement, this.options.now);
    if (flaw !== undefined) this.fail("consistency", flaw);
    this.ok(
      "consistency",
      "keys, learning rates, seeds and references follow from what is stated, and skips from how runs ended",
    );
  }

  async checkArtefacts(statement: Statement): Promise<ReadonlySet<string>> {
    const checkpoints = new Set<string>(
      statement.predicate.runs.filter(isTrained)
        .flatMap(({ states }) => states.flatMap(({ checkpoint }) => checkpoint?.name ?? [])),
    );
    const isSpared = (name: string) => this.options.withoutCheckpoints === true && checkpoints.has(name);
    const { outcome, good, missing } = await checkArtefacts(statement, this.artefacts, isSpared);
    this.note("artefacts", outcome);
    if (outcome.status === "ok" && missing.length > 0) {
      this.caveats.push(`What ${missing.length} checkpoints hold: they are not there.`);
    }
    return good;
  }

  async checkPlan({ predicate }: Statement, good: ReadonlySet<string>): Promise<Plan | undefined> {
    const { name } = predicate.plan;
    if (!good.has(name)) {
      this.note("plan", { status: "not checked", detail: `"${printable(name)}" is missing or was changed` });
      return undefined;
    }
    const bytes = await readArtefact(this.artefacts, name, MAX_PLAN_BYTES);
    const plan = checkPlan(bytes, predicate);
    if (typeof plan === "string") {
      this.note("plan", { status: "failed", detail: plan });
      return undefined;
    }
    const again = await this.options.replan?.(plan, predicate.inputs);
    const counted = `all ${plan.runs.length} planned runs are in the manifest, and no others`;
    if (again?.planDigest === plan.planDigest) {
      this.ok("plan", `${counted}; the experiments of this version give the same plan`);
      return plan;
    }
    if (again?.isSame === true) {
      this.note("plan", {
        status: "failed",
        detail: `the experiments that the manifest names give another plan for scale "${plan.scale.name}"`,
      });
      return undefined;
    }
    this.ok("plan", counted);
    this.caveats.push(
      `That every arm trains what its name says: ${
        again === undefined
          ? "no experiments were at hand"
          : "the experiments that the manifest names are not those here"
      }.`,
    );
    return plan;
  }

  /** @returns the curves, if all are good */
  async checkResults(
    statement: Statement,
    plan: Plan | undefined,
    good: ReadonlySet<string>,
  ): Promise<ReadonlyMap<RunKey, Curves> | undefined> {
    const { predicate } = statement;
    const journals = await checkJournals(predicate, this.artefacts);
    this.note("journals", journals.outcome);
    const { outcome: found, curves } = await checkCurves(predicate, this.artefacts, journals.good);
    const flaw = found.status === "ok"
      ? ratioFlaw(predicate, [...curves.values()]) ?? await recordsFlaw(predicate, this.artefacts, good, curves)
      : undefined;
    const outcome: StepOutcome = flaw === undefined ? found : { status: "failed", detail: flaw };
    this.note("curves", outcome);
    if (outcome.status !== "ok" || plan === undefined) {
      this.note("claims", { status: "not checked", detail: "plan and curves are not all good" });
      return undefined;
    }
    const rules = await this.signedRules(statement, good);
    const evidence = {
      predicate,
      plan,
      arms: armsOf(predicate.runs, curves),
      rules,
    };
    const { caveat, ...claims } = await checkClaims(evidence, this.options.judge);
    this.note("claims", claims);
    if (caveat !== undefined) this.caveats.push(caveat);
    return curves;
  }

  async checkReport(
    statement: Statement,
    plan: Plan | undefined,
    curves: ReadonlyMap<RunKey, Curves> | undefined,
    good: ReadonlySet<string>,
  ): Promise<void> {
    const { renderer, onEvidence } = this.options;
    const { data, report, ...predicate } = statement.predicate;
    const unchecked = (detail: string): StepOutcome => ({ status: "not checked", detail });
    const compare = async (): Promise<StepOutcome> => {
      if (report === undefined || data === undefined) {
        return unchecked("version 1 of the manifest does not say how its page was made");
      }
      if (plan === undefined || curves === undefined) return unchecked("plan and curves are not all good");
      const rules = await this.signedRules(statement, good);
      const evidence = { predicate: { ...predicate, data }, plan, curves, rules };
      onEvidence?.(evidence);
      if (!good.has(report.name)) return unchecked("the page is missing or was changed");
      if (renderer === undefined) return unchecked("no renderer is at hand to make the page again");
      return await checkReport(evidence, report, renderer);
    };
    const outcome = await compare();
    this.note("report", outcome);
    if (outcome.status === "not checked") this.caveats.push(`${UNCHECKED_PAGE}: ${outcome.detail}.`);
  }

  async checkTimestamps(bytes: Uint8Array, statement: Statement): Promise<void> {
    const { timestamps } = this.options;
    if (timestamps === undefined) {
      this.note("timestamps", { status: "not checked", detail: "nobody looked for any" });
      return;
    }
    const { caveats, ...outcome } = await timestamps.check(bytes, statement, this.artefacts);
    this.note("timestamps", outcome);
    this.caveats.push(...caveats);
  }

  async checkAttestations(statement: Statement, envelope: Envelope): Promise<void> {
    const { countAttestations } = this.options;
    if (countAttestations === undefined || this.manifestDigest === undefined) {
      this.note("attestations", { status: "not checked", detail: "no reviewers were required" });
      return;
    }
    const manifest: AttestedManifest = {
      sha256: this.manifestDigest,
      statement,
      signers: envelope.signatures.map(({ keyid }) => keyid).filter(isDigest),
      now: this.options.now ?? Date.now(),
      isSignedBy: (key) => isSignedBy(envelope, key),
    };
    const { caveats, reviews, ...outcome } = await countAttestations(manifest, this.artefacts);
    this.note("attestations", outcome);
    this.reviews = reviews;
    if (outcome.status === "ok") this.caveats.push(...caveats);
  }

  async checkRetraining(statement: Statement, plan: Plan | undefined): Promise<void> {
    const { retrain } = this.options;
    if (retrain === undefined) {
      this.note("retrain", { status: "not checked", detail: "no piece of the training was repeated" });
      this.caveats.push(
        "No piece of the training was repeated here: journals and curves are as their maker signed them.",
      );
      return;
    }
    if (plan === undefined || this.steps.some((step) => step.status === "failed" || isOpen(step, this.asked))) {
      this.note("retrain", { status: "not checked", detail: "nothing is retrained before the rest is verified" });
      return;
    }
    const { caveats, ...outcome } = await retrain(statement, this.artefacts, plan);
    this.note("retrain", outcome);
    this.caveats.push(...caveats);
  }

  /** The rules as they were signed, where they are an artefact that is as it was. */
  async signedRules({ predicate, subject }: Statement, good: ReadonlySet<string>): Promise<string | undefined> {
    const { name, sha256: expected } = predicate.paper;
    if (!good.has(name) || !subject.some((item) => item.name === name && item.digest.sha256 === expected)) {
      return undefined;
    }
    // Read for the second time: nobody may have changed it since.
    const bytes = await readArtefact(this.artefacts, name, MAX_RULES_BYTES);
    return sha256(bytes) === expected ? new TextDecoder().decode(bytes) : undefined;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Verifies a manifest against its artefacts. Never throws: whatever the bytes and the artefacts are, there is a report.
 *
 * @param bytes contents of `manifest.dsse.json`
 */
export async function verifyManifest(
  bytes: Uint8Array,
  artefacts: ArtefactReader,
  options: VerifyOptions = {},
): Promise<VerificationReport> {
  const verification = new Verification(artefacts, options);
  try {
    await verification.run(bytes);
  } catch (error) {
    if (!(error instanceof Stop)) {
      // The next step in line could not be done; what came before stands.
      const next = VERIFICATION_STEPS[verification.steps.length];
      if (next !== undefined) verification.note(next, { status: "not checked", detail: readProblem(error).detail });
    }
  }
  const { steps, caveats, signers, asked, manifestDigest, statement, reviews } = verification;
  return concludeVerification(steps, {
    caveats,
    signers,
    asked: asked.length === 0 ? undefined : asked,
    manifestDigest,
    reviews,
    statement,
  });
}
