/** A verification for programs. The shape is published in schemas/verification.schema.json; members are added only. */
import { z } from "zod";
import { digestSchema } from "../../digest/digest_schema.ts";
import { VERIFICATION_STEPS } from "../../manifest/verify/verification_report.ts";
import type { Verified } from "../verification.ts";
import { retrainingSummary } from "../retrain.ts";

const stepName = z.enum(VERIFICATION_STEPS);
const sentence = z.string();

/** What `verify --format json` prints. */
export const verificationJsonSchema = z.object({
  verdict: z.enum(["verified", "failed", "could not check"]),
  exitCode: z.union([z.literal(0), z.literal(1), z.literal(2)]).meta({
    description: "0 verified, 1 failed, 2 could not check",
  }),
  steps: z.array(z.object({ name: stepName, status: z.enum(["ok", "failed", "not checked"]), detail: sentence })).meta({
    description: "all of them, in their order",
  }),
  caveats: z.array(sentence).meta({ description: 'what a verdict "verified" leaves open' }),
  signers: z.array(z.object({ keyId: z.string(), trustedAs: z.string().optional() })).meta({
    description: "keys whose signatures are good: SHA-256 of the public key, and the file that was given for it",
  }),
  asked: z.array(stepName).optional().meta({ description: "steps that are optional and were asked for" }),
  path: z.string().optional(),
  manifestDigest: digestSchema.optional(),
  reviews: z.array(z.object({
    reviewer: z.string(),
    keyId: digestSchema,
    status: z.enum(["counts", "missing", "refused", "unreadable"]),
    detail: sentence,
    attestedAt: z.string().optional(),
    caveats: z.array(sentence).optional(),
  })).optional().meta({ description: "of every reviewer whose attestation was demanded" }),
  retraining: z.object({
    segments: z.array(z.string()).optional().meta({ description: "chosen, as RUN:FROM..TO" }),
    total: z.int().optional().meta({ description: "segments of the whole manifest" }),
    worth: sentence.optional(),
    seed: z.string().optional(),
    share: z.object({ share: z.int(), shares: z.int() }).optional(),
    retrained: z.array(z.string()).meta({ description: "found the same" }),
    difference: z.object({
      run: z.string(),
      step: z.int(),
      field: z.string(),
      recorded: z.string(),
      retrained: z.string(),
    }).optional(),
  }).optional(),
  attestation: z.object({ file: z.string(), keyId: digestSchema }).optional().meta({
    description: "what attest signed",
  }),
});

/** The report as JSON, with what else there is to say. */
export function verificationJson(
  { report, retraining }: Verified,
  further: Readonly<Record<string, unknown>> = {},
): string {
  const { statement: _, ...summary } = report;
  return JSON.stringify({ ...summary, retraining: retraining && retrainingSummary(retraining), ...further }, null, 2);
}
