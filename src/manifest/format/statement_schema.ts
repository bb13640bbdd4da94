/**
 * The statement as a zod type. Its JSON Schema is published in schemas/manifest.schema.json, and a test keeps the two in
 * step. Unknown members are refused everywhere: a later version that adds meaning gets another predicate type.
 */
import { z } from "zod";
import { containerSchema } from "../../container/facts.ts";
import { digestSchema } from "../../digest/digest_schema.ts";
import { importedCheckpointsSchema, readingsSchema } from "../../experiment/plan/plan_json.ts";
import { engineSchema, MAX_RUNS, MAX_SEEDS, textSchema } from "../../experiment/run/run_schema.ts";
import { type Verdict, VERDICT_NAMES } from "../../results/claims.ts";
import type { ComparisonRow } from "../../results/compare_numbers.ts";
import type { Estimate } from "../../results/estimates/estimate.ts";
import { ESTIMATE_UNITS } from "../../results/estimates/measure_kind.ts";
import { environmentSchema, factsSchema } from "./environment_schema.ts";
import { type Predicate, type PredicateType, type Statement, STATEMENT_TYPE } from "./predicate.ts";
import { artefactNameSchema, artefactSchema, RUN_SCHEMAS } from "./run_schema.ts";

const wholeNumber = z.int().min(0);

/** A decimal number, rounded as its rule says; or what a number becomes where there is none. */
const decimalSchema = z.string().max(64).regex(/^(-?(0|[1-9][0-9]*)(\.[0-9]+)?(e[+-]?[0-9]+)?|NaN|-?Infinity)$/, {
  error: "a decimal number",
}).meta({ id: "Decimal", description: "A number in decimal, NaN, or an infinity" });

/** Words that may be missing. */
const wordsSchema = z.string().max(4000);

/** The points of curves that were read. */
const evidenceSchema = z.array(z.strictObject({
  label: textSchema,
  runKey: digestSchema as z.ZodType<string>,
  step: wholeNumber,
  tokens: wholeNumber,
  value: decimalSchema,
})).max(100_000);

/** A claim as version 1 has it. */
const claimShape = {
  id: textSchema,
  title: textSchema,
  statement: textSchema,
  section: textSchema,
  figure: wordsSchema,
  confidence: textSchema,
  verdict: z.enum(VERDICT_NAMES),
  /** the rule in words, as fixed before the run */
  rule: textSchema,
  reason: textSchema,
  summary: wordsSchema,
  numbers: z.array(z.strictObject({ name: textSchema, value: decimalSchema })).max(10_000),
  evidence: evidenceSchema,
};
const CLAIM = { id: "Claim", description: "A claim of the paper, the rule that tests it, and its verdict" };

const earlierClaimSchema = z.strictObject(claimShape).meta(CLAIM) satisfies z.ZodType<Verdict>;
const claimSchema = z.strictObject({
  ...claimShape,
  /** the verdict for a reader; absent with rules of version 1 */
  words: textSchema.optional(),
  /** where the claim is from, if not from the paper */
  source: textSchema.optional(),
}).meta({ ...CLAIM, id: "JudgedClaim" }) satisfies z.ZodType<Verdict>;

const estimateSchema = z.strictObject({
  id: textSchema,
  experiment: textSchema,
  title: textSchema,
  measure: textSchema,
  missing: textSchema.optional(),
  numbers: z.array(z.strictObject({
    label: textSchema,
    unit: z.enum(ESTIMATE_UNITS),
    value: decimalSchema,
    seeds: z.int().min(1),
    atLeast: z.literal(true).optional(),
    intervals: z.array(z.strictObject({
      over: z.enum(["seeds", "documents"]),
      count: z.int().min(1),
      low: decimalSchema,
      high: decimalSchema,
    })).max(2),
  })).max(10_000),
  evidence: evidenceSchema,
}).meta({
  id: "Estimate",
  description: "The answer to an open question: numbers with intervals, and no verdict",
}) satisfies z.ZodType<Estimate>;

const comparisonSchema = z.strictObject({
  kind: z.enum(["setup", "text", "axis", "follow-up"]),
  id: textSchema,
  name: textSchema,
  /** the paper's number as it is printed there */
  paper: wordsSchema,
  source: wordsSchema,
  confidence: textSchema,
  ours: wordsSchema,
  comparable: z.boolean(),
  agrees: z.boolean().optional(),
  reason: wordsSchema,
}).meta({ id: "Comparison", description: "A number of the paper beside ours" }) satisfies z.ZodType<ComparisonRow>;

const corpusSchema = z.strictObject({
  digest: digestSchema,
  summary: factsSchema,
});

const seedValuesSchema = z.array(
  z.strictObject({ initialWeights: wholeNumber, pretrainingOrder: wholeNumber, continuingOrder: wholeNumber }),
).max(MAX_SEEDS);
const seedCountSchema = z.int().min(1).max(MAX_SEEDS);

/** What a reproduction was, what it left, and what it found. */
const predicateShape = {
  tool: z.strictObject({ name: z.literal("rewarm"), version: textSchema }),
  scale: textSchema,
  plan: z.strictObject({ ...artefactSchema.shape, planDigest: digestSchema }),
  paper: z.strictObject({ name: artefactNameSchema, sha256: digestSchema }),
  inputs: z.array(z.strictObject({ name: artefactNameSchema, sha256: digestSchema })).max(10_000),
  container: containerSchema,
  environment: environmentSchema,
  engine: z.strictObject({ name: textSchema, ...engineSchema.shape, description: factsSchema }),
  corpora: z.strictObject({
    upstream: corpusSchema,
    downstream: corpusSchema,
    mixes: z.record(z.string().min(1).max(100), corpusSchema).optional(),
  }),
  readings: readingsSchema.optional(),
  start: importedCheckpointsSchema.optional(),
  comparisons: z.array(comparisonSchema).max(10_000),
  limits: z.array(textSchema).max(1000),
  command: z.array(z.string().max(4000)).max(1000),
  metadata: z.strictObject({
    createdAt: z.iso.datetime(),
  }),
};

const shortageSchema = z.strictObject({
  corpus: z.enum(["upstream", "downstream"]),
  domain: textSchema.optional(),
  wanted: wholeNumber,
  found: wholeNumber,
});

/** The predicate by its version. */
export const PREDICATE_SCHEMAS = {
  "https://rewarm.dev/reproduction/v1": z.strictObject({
    ...predicateShape,
    seeds: z.strictObject({ count: seedCountSchema, values: seedValuesSchema.optional() }),
    runs: z.array(RUN_SCHEMAS.v1).max(MAX_RUNS),
    claims: z.array(earlierClaimSchema).max(10_000),
  }),
  "https://rewarm.dev/reproduction/v2": z.strictObject({
    ...predicateShape,
    seeds: z.strictObject({ count: seedCountSchema, values: seedValuesSchema }),
    readings: readingsSchema,
    runs: z.array(RUN_SCHEMAS.v2).max(MAX_RUNS),
    data: z.strictObject({
      source: z.enum(["scale", "files"]),
      tokenUnit: z.enum(["byte", "BPE token"]),
      shortages: z.array(shortageSchema).max(10_000),
    }),
    report: z.strictObject({ ...artefactSchema.shape, rendererVersion: textSchema }),
    claims: z.array(claimSchema).max(10_000),
    rulesVersion: z.literal(2).optional(),
    estimates: z.array(estimateSchema).max(10_000).optional(),
  }),
} satisfies Record<PredicateType, z.ZodType<Predicate>>;

function statementOf<T extends PredicateType>(type: T) {
  return z.strictObject({
    _type: z.literal(STATEMENT_TYPE),
    subject: z.array(z.strictObject({ name: artefactNameSchema, digest: z.strictObject({ sha256: digestSchema }) }))
      .min(1).max(200_000),
    predicateType: z.literal(type),
    predicate: PREDICATE_SCHEMAS[type],
  });
}

/** An in-toto statement with rewarm's predicate, in any of its versions. */
export const statementSchema: z.ZodType<Statement> = z.discriminatedUnion("predicateType", [
  statementOf("https://rewarm.dev/reproduction/v1"),
  statementOf("https://rewarm.dev/reproduction/v2"),
]);

/** Where the JSON Schema of each version of the predicate is published, relative to the project's folder. */
export const SCHEMA_FILES: Readonly<Record<PredicateType, string>> = {
  "https://rewarm.dev/reproduction/v1": "schemas/manifest.v1.schema.json",
  "https://rewarm.dev/reproduction/v2": "schemas/manifest.schema.json",
};

/** The JSON Schema (2020-12) of a statement with this version of the predicate. */
export function manifestJsonSchema(type: PredicateType): string {
  const schema = z.toJSONSchema(statementOf(type));
  const title = "Statement of a rewarm manifest: the payload of manifest.dsse.json";
  return `${JSON.stringify({ $schema: schema.$schema, title, ...schema }, null, 2)}\n`;
}
