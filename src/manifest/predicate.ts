/**
 * The predicate of rewarm's manifests as a zod type. Its JSON Schema is published in schemas/manifest.schema.json, and a
 * test keeps the two in step. Unknown members are refused everywhere: a later version that adds meaning gets another
 * predicate type.
 */
import { z } from "zod";
import { type Verdict, VERDICT_NAMES } from "../results/claims.ts";
import type { ComparisonRow } from "../results/compare_numbers.ts";
import {
  artefactNameSchema,
  artefactSchema,
  type DeepReadonly,
  digestSchema,
  runSchema,
  textSchema,
} from "./run_schema.ts";

/** Type of an in-toto statement, version 1. */
export const STATEMENT_TYPE = "https://in-toto.io/Statement/v1";
/** Type of the predicate, with its version. A name: nothing is fetched from it. */
export const PREDICATE_TYPE = "https://rewarm.dev/reproduction/v1";

const wholeNumber = z.int().min(0);

/** A decimal number, rounded as its rule says; or what a number becomes where there is none. */
const decimalSchema = z.string().max(64).regex(/^(-?(0|[1-9][0-9]*)(\.[0-9]+)?(e[+-]?[0-9]+)?|NaN|-?Infinity)$/, {
  error: "a decimal number",
}).meta({ id: "Decimal", description: "A number in decimal, NaN, or an infinity" });

/** Words that may be missing. */
const wordsSchema = z.string().max(4000);

const claimSchema = z.strictObject({
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
  /** the points of curves that were read */
  evidence: z.array(z.strictObject({
    label: textSchema,
    runKey: digestSchema as z.ZodType<string>,
    step: wholeNumber,
    tokens: wholeNumber,
    value: decimalSchema,
  })).max(100_000),
}).meta({
  id: "Claim",
  description: "A claim of the paper, the rule that tests it, and its verdict",
}) satisfies z.ZodType<
  Verdict
>;

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
  agrees: z.boolean().exactOptional(),
  reason: wordsSchema,
}).meta({ id: "Comparison", description: "A number of the paper beside ours" }) satisfies z.ZodType<ComparisonRow>;

const facts = z.record(z.string().min(1).max(200), z.string().max(4000));

const environmentSchema = z.strictObject({
  deno: textSchema,
  v8: textSchema,
  typescript: textSchema,
  os: textSchema,
  architecture: textSchema,
  cpu: textSchema,
  /** threads that trained */
  threads: wholeNumber,
  /** `none`, or the model with its driver */
  gpu: textSchema,
  /** permissions of the process, such as `read`, `write`; `all` if nothing was withheld */
  permissions: z.array(textSchema).max(1000),
  /** further versions, such as a driver's */
  libraries: facts,
});

const corpusSchema = z.strictObject({
  digest: digestSchema,
  /** counts and shares as decimal strings */
  summary: facts,
});

/** What a reproduction was, what it left, and what it found. */
export const predicateSchema = z.strictObject({
  tool: z.strictObject({ name: z.literal("rewarm"), version: textSchema }),
  scale: textSchema,
  /** `plan.json`; `planDigest` is the digest of the plan's content, which the file names too */
  plan: z.strictObject({ ...artefactSchema.shape, planDigest: digestSchema }),
  /** statements, numbers and rules of the paper: fixed before the run by this digest */
  paper: z.strictObject({ name: artefactNameSchema, sha256: digestSchema }),
  /** lockfiles and experiments, by their names in the repository */
  inputs: z.array(z.strictObject({ name: artefactNameSchema, sha256: digestSchema })).max(10_000),
  container: z.union([
    z.strictObject({ image: textSchema, sha256: digestSchema }),
    z.strictObject({ none: textSchema }),
  ]),
  environment: environmentSchema,
  engine: z.strictObject({
    name: textSchema,
    level: z.enum(["machine_to_machine", "run_to_run", "not_guaranteed"]),
    /** version of docs/arithmetic.md */
    arithmetic: textSchema,
    /** digest of the kernels' source, and what else the engine says of itself */
    description: facts,
  }),
  seeds: z.strictObject({
    count: z.int().min(1),
    /** seeds of initial weights and of window orders, by seed index */
    values: z.array(z.strictObject({ initialWeights: wholeNumber, order: wholeNumber })).max(1000).exactOptional(),
  }),
  corpora: z.strictObject({ upstream: corpusSchema, downstream: corpusSchema }),
  runs: z.array(runSchema).max(100_000),
  claims: z.array(claimSchema).max(10_000),
  comparisons: z.array(comparisonSchema).max(10_000),
  /** what this manifest does not show, in whole sentences */
  limits: z.array(textSchema).max(1000),
  /** the command as it was given */
  command: z.array(z.string().max(4000)).max(1000),
  metadata: z.strictObject({
    /** when the statement was made, ISO 8601 in UTC, as its maker says; no digest of a result depends on it */
    createdAt: z.iso.datetime(),
  }),
});

/** The predicate, parsed. */
export type Predicate = DeepReadonly<z.infer<typeof predicateSchema>>;
/** An in-toto statement with rewarm's predicate. */
export const statementSchema = z.strictObject({
  _type: z.literal(STATEMENT_TYPE),
  subject: z.array(z.strictObject({ name: artefactNameSchema, digest: z.strictObject({ sha256: digestSchema }) }))
    .min(1).max(1_000_000),
  predicateType: z.literal(PREDICATE_TYPE),
  predicate: predicateSchema,
});

/** The statement, parsed. */
export type Statement = DeepReadonly<z.infer<typeof statementSchema>>;

/** The JSON Schema (2020-12) of the statement, for schemas/manifest.schema.json. */
export function manifestJsonSchema(): string {
  const schema = z.toJSONSchema(statementSchema);
  const title = "Statement of a rewarm manifest: the payload of manifest.dsse.json";
  return `${JSON.stringify({ $schema: schema.$schema, title, ...schema }, null, 2)}\n`;
}
