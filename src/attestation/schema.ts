/**
 * An attestation as a zod type. Members beyond it are refused, which is stricter than in-toto asks for and safe: an
 * attestation that is not counted turns no "no" into a "yes".
 */
import { z } from "zod";
import { digestSchema } from "../digest/digest_schema.ts";
import { textSchema } from "../experiment/run/run_schema.ts";
import { environmentSchema } from "../manifest/format/environment_schema.ts";
import { STATEMENT_TYPE } from "../manifest/format/predicate.ts";
import { artefactNameSchema } from "../manifest/format/run_schema.ts";
import { MAX_SHARES } from "../retrain/share.ts";
import { type Attestation, type AttestedRetraining, type Policy, SVR_PREDICATE_TYPES } from "./predicate.ts";
import { ATTESTED_STEPS } from "./signed_words.ts";
import { VERIFIERS } from "./verifiers.ts";

/** Segments that an attestation lists; one that retrained all lists none. */
export const MAX_ATTESTED_SEGMENTS = 1000;

/** `RUN:FROM..TO` */
const segments = z.array(z.string().min(1).max(4100)).min(1).max(MAX_ATTESTED_SEGMENTS);
const measure = { total: z.int().min(1), worth: textSchema };

const retrainingSchema: z.ZodType<AttestedRetraining> = z.discriminatedUnion("pieces", [
  z.strictObject({ pieces: z.literal("all"), ...measure }),
  z.strictObject({
    pieces: z.enum(["drawn", "repeated"]),
    seed: z.string().regex(/^[0-9a-f]{32}$/),
    segments,
    ...measure,
  }),
  z.strictObject({
    pieces: z.literal("share"),
    share: z.int().min(1).max(MAX_SHARES),
    shares: z.int().min(2).max(MAX_SHARES),
    ...measure,
  }),
  z.strictObject({ pieces: z.literal("named"), segments, ...measure }),
]);

const subject = z.array(
  z.strictObject({ name: artefactNameSchema, digest: z.strictObject({ sha256: digestSchema }) }),
).length(1);

const policySchema: z.ZodType<Policy> = z.strictObject({
  name: artefactNameSchema,
  digest: z.strictObject({ sha256: digestSchema }),
});

const details = {
  timeCreated: z.iso.datetime(),
  properties: z.array(textSchema).max(100),
  rewarm: z.strictObject({
    tool: z.strictObject({ name: z.literal("rewarm"), version: textSchema }),
    environment: environmentSchema,
    steps: z.array(
      z.strictObject({
        name: z.enum(ATTESTED_STEPS),
        status: z.enum(["ok", "failed", "not checked"]),
        detail: textSchema,
      }),
    ).max(100),
    replay: retrainingSchema.optional(),
    caveats: z.array(textSchema).max(100),
  }),
};

const id = z.enum(VERIFIERS.map(({ id }) => id));
const [EARLIER_TYPE, TYPE] = SVR_PREDICATE_TYPES;

/** The statement of a reviewer. */
export const attestationSchema: z.ZodType<Attestation> = z.discriminatedUnion("predicateType", [
  z.strictObject({
    _type: z.literal(STATEMENT_TYPE),
    subject,
    predicateType: z.literal(EARLIER_TYPE),
    predicate: z.strictObject({ verifier: z.strictObject({ id }), ...details }),
  }),
  z.strictObject({
    _type: z.literal(STATEMENT_TYPE),
    subject,
    predicateType: z.literal(TYPE),
    predicate: z.strictObject({
      verifier: z.strictObject({ id, policies: z.array(policySchema).max(16) }),
      ...details,
    }),
  }),
]);
