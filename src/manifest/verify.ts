/**
 * Verification of a manifest, in named steps: the bytes before what they say, what they say before the artefacts, the
 * artefacts before what follows from them. Web-standard APIs only; the rules and the artefacts are given.
 */
import type { Plan } from "../experiment/plan.ts";
import { type ArtefactReader, readArtefact } from "./artefacts.ts";
import { type Envelope, PAYLOAD_TYPE, readEnvelope } from "./dsse.ts";
import { PREDICATE_TYPE, type Statement, STATEMENT_TYPE } from "./predicate.ts";
import { schemaFlaws } from "./statement.ts";
import { statementSchema } from "./statement_schema.ts";
import { isTrained } from "./run.ts";
import { statementFlaw, subjectFlaw } from "./statement_check.ts";
import { parseStrictJson } from "./strict_json.ts";
import {
  concludeVerification,
  type Signer,
  type StepName,
  type StepOutcome,
  VERIFICATION_STEPS,
  type VerificationReport,
  type VerificationStep,
} from "./verification_report.ts";
import { checkArtefacts, readProblem } from "./verify_artefacts.ts";
import { armsOf, checkClaims, type Judge } from "./verify_claims.ts";
import { checkCurves } from "./verify_curves.ts";
import { checkJournals } from "./verify_journals.ts";
import { checkPlan, MAX_PLAN_BYTES } from "./verify_plan.ts";
import { checkSignatures, type TrustedKey } from "./verify_signature.ts";
import { printable } from "../files/safe_name.ts";

/** A manifest is not read beyond this size, in bytes. */
export const MAX_MANIFEST_BYTES = 32 << 20;
const MAX_RULES_BYTES = 1 << 20;

/** What training pieces again found, and what it leaves open. */
export interface ReplayOutcome extends StepOutcome {
  /** in whole sentences, for the report */
  readonly caveats: readonly string[];
}

/** Trains pieces again and compares; called when everything else is verified. Errors mean that it could not be done. */
export type TrainAgain = (statement: Statement, artefacts: ArtefactReader) => Promise<ReplayOutcome>;

/** What the caller brings to a verification. */
export interface VerifyOptions {
  /** keys whose owners the caller knows; if any are given, one of them must have signed */
  readonly trustedKeys?: readonly TrustedKey[];
  /** judges the claims again; without it the verdict is never "verified" */
  readonly judge?: Judge;
  /** does without checkpoints that are not there: only manifest, journals and curves were published */
  readonly withoutCheckpoints?: boolean;
  /** asks for the replay and makes it (src/replay); without it no piece of the training is repeated */
  readonly trainAgain?: TrainAgain;
}

/** Stops the verification: the steps so far are the report. */
class Stop extends Error {}

class Verification {
  readonly steps: VerificationStep[] = [];
  readonly caveats: string[] = [];
  signers: readonly Signer[] = [];
  statement: Statement | undefined;

  constructor(private readonly artefacts: ArtefactReader, private readonly options: VerifyOptions) {}

  note(name: StepName, outcome: StepOutcome): void {
    this.steps.push({ name, ...outcome });
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
    await this.checkResults(statement, plan, good);
    await this.checkReplay(statement);
  }

  checkSize(bytes: Uint8Array): void {
    if (bytes.length > MAX_MANIFEST_BYTES) {
      this.fail("size", `the manifest has ${bytes.length} bytes, and at most ${MAX_MANIFEST_BYTES} are allowed`);
    }
    this.ok("size", `${bytes.length} bytes`);
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
    const { signature, signer, signers } = await checkSignatures(envelope, this.options.trustedKeys ?? []);
    if (signature.status !== "ok") this.stop("signature", signature);
    this.note("signature", signature);
    this.signers = signers;
    if (signer.status === "failed") this.stop("signer", signer);
    this.note("signer", signer);
    if (signer.status === "not checked") {
      this.caveats.push(`Who owns key ${signers[0]?.keyId}: anyone can sign with a key of their own.`);
    }
  }

  /** Before the schema: what another type or version means by its members is not ours to guess. */
  checkTypes({ payloadType, payload }: Envelope): unknown {
    if (payloadType !== PAYLOAD_TYPE) {
      this.fail("type", `the payload type is "${printable(payloadType)}", which is unknown`);
    }
    let value: unknown;
    try {
      value = parseStrictJson(payload);
    } catch (error) {
      this.fail("type", `the payload is not strict JSON: ${messageOf(error)}`);
    }
    const members = new Map(typeof value === "object" && value !== null ? Object.entries(value) : []);
    for (const [member, known] of [["_type", STATEMENT_TYPE], ["predicateType", PREDICATE_TYPE]] as const) {
      const found: unknown = members.get(member);
      if (found !== known) {
        const shown = typeof found === "string" ? `"${printable(found)}"` : "missing";
        this.fail("type", `"${member}" is ${shown}, and this version knows only "${known}"`);
      }
    }
    this.ok("type", PREDICATE_TYPE);
    return value;
  }

  checkSchema(payload: unknown): Statement {
    const parsed = statementSchema.safeParse(payload);
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
    const flaw = statementFlaw(statement);
    if (flaw !== undefined) this.fail("consistency", flaw);
    this.ok("consistency", "run keys, learning rates and references follow from what is stated");
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
    this.ok("plan", `all ${plan.runs.length} planned runs are in the manifest, and no others`);
    return plan;
  }

  async checkResults(statement: Statement, plan: Plan | undefined, good: ReadonlySet<string>): Promise<void> {
    const { predicate } = statement;
    const journals = await checkJournals(predicate, this.artefacts);
    this.note("journals", journals.outcome);
    const { outcome, curves } = await checkCurves(predicate, this.artefacts, journals.good);
    this.note("curves", outcome);
    if (outcome.status !== "ok" || plan === undefined) {
      this.note("claims", { status: "not checked", detail: "plan and curves are not all good" });
      return;
    }
    const rules = await this.signedRules(statement, good);
    const evidence = {
      predicate,
      plan,
      arms: armsOf(predicate.runs, curves),
      ...(rules === undefined ? {} : { rules }),
    };
    const { caveat, ...claims } = await checkClaims(evidence, this.options.judge);
    this.note("claims", claims);
    if (caveat !== undefined) this.caveats.push(caveat);
  }

  async checkReplay(statement: Statement): Promise<void> {
    const { trainAgain } = this.options;
    if (trainAgain === undefined) {
      this.note("replay", { status: "not checked", detail: "no piece of the training was repeated" });
      this.caveats.push("No piece of the training was repeated: journals and curves are as their maker signed them.");
      return;
    }
    if (this.steps.some(({ name, status }) => status !== "ok" && name !== "signer")) {
      this.note("replay", { status: "not checked", detail: "nothing is trained again before the rest is verified" });
      return;
    }
    const { caveats, ...outcome } = await trainAgain(statement, this.artefacts);
    this.note("replay", outcome);
    this.caveats.push(...caveats);
  }

  /** The rules as they were signed, where they are an artefact that is as it was. */
  async signedRules({ predicate, subject }: Statement, good: ReadonlySet<string>): Promise<string | undefined> {
    const { name, sha256 } = predicate.paper;
    if (!good.has(name) || !subject.some((item) => item.name === name && item.digest.sha256 === sha256)) {
      return undefined;
    }
    return new TextDecoder().decode(await readArtefact(this.artefacts, name, MAX_RULES_BYTES));
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
  const { steps, caveats, signers, statement } = verification;
  return concludeVerification(steps, {
    caveats,
    signers,
    ...(options.trainAgain === undefined ? {} : { asked: ["replay"] as const }),
    ...(statement === undefined ? {} : { statement }),
  });
}
