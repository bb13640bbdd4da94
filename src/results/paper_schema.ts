/** Shape of `experiments/paper.yaml`: the paper's facts, numbers, open points and claims, each with its confidence. */
import { z } from "zod";
import { parseYaml, validate } from "../experiment/yaml.ts";
import { FACT_NAMES } from "./plan_facts.ts";
import { marginsOf, ruleParts, ruleSchema } from "./rule_schema.ts";

/**
 * How a number is known: A read in a primary text or file, B in a secondary source that quotes a primary one,
 * C arithmetic or inference, ? unknown.
 */
const confidence = z.enum(["A", "A/C", "B", "C", "?"]);

/** Where a number or a claim holds: at every scale, or only at the paper's own model and tokens. */
const comparableAt = z.enum(["every-scale", "paper-scale"]);

const id = z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/).max(60);
const sentence = z.string().min(1).max(600);
const section = z.string().min(1).max(40);
const quantity = { id, name: z.string().min(1).max(120), unit: z.string().max(40).default("") };

const marginSchema = z.strictObject({ value: z.number().positive().max(10), unit: sentence, reason: sentence });

/** How a setup number stands beside the plan's. */
const setupComparison = z.strictObject({
  fact: z.enum(FACT_NAMES),
  /** `exact`: equal to 9 digits; `nearest-step`: as near as whole steps allow; `shown`: side by side, not judged */
  by: z.enum(["exact", "nearest-step", "shown"]).default("exact"),
  at: comparableAt,
});

const setupSchema = z.strictObject({
  ...quantity,
  value: z.union([z.number(), z.string().min(1).max(200)]),
  section,
  confidence,
  ours: setupComparison.exactOptional(),
  /** why there is nothing to compare with, or what to know */
  note: sentence.exactOptional(),
});

/** A number read off our curves. */
const curveReading = z.strictObject({
  /** highest loss of all runs; rise of that over the start; loss at a point */
  statistic: z.enum(["peak", "peak-rise", "loss"]),
  runs: ruleParts.runs,
  metric: ruleParts.metric,
  at: ruleParts.point.exactOptional(),
}).refine((reading) => (reading.at !== undefined) === (reading.statistic === "loss"), {
  message: 'a point "at" for statistic "loss", and none for the others',
});

const textNumberSchema = z.strictObject({
  ...quantity,
  value: z.number(),
  section,
  confidence,
  ours: curveReading,
  note: sentence.exactOptional(),
});

const followUpSchema = z.strictObject({
  ...quantity,
  value: z.number(),
  confidence,
  ours: curveReading.exactOptional(),
  note: sentence.exactOptional(),
});

const axisSchema = z.strictObject({
  figure: z.int().min(1).max(9),
  metric: ruleParts.metric,
  low: z.number(),
  high: z.number(),
  confidence,
  runs: ruleParts.runs,
}).refine((axis) => axis.low < axis.high, { path: ["high"], message: "a number above `low`" });

const claimSchema = z.strictObject({
  id,
  title: z.string().min(1).max(80),
  statement: sentence,
  section,
  figure: z.string().max(20),
  confidence,
  comparable: comparableAt,
  rule: ruleSchema,
  /** how the paper's words were read, where they leave a choice */
  note: sentence.exactOptional(),
});

const openPointSchema = z.strictObject({
  id,
  question: sentence,
  confidence,
  /** what is done here */
  here: sentence,
  /** where the user may choose (`src/experiment/readings.ts`): what each choice means */
  reading: z.strictObject({ name: id, ways: z.record(id, sentence) }).exactOptional(),
});

const rateSchema = z.strictObject({ tokens: ruleParts.tokens, rate: z.number().min(0) });

/** Shape of `experiments/paper.yaml`. */
export const paperSchema = z.strictObject({
  paper: z.strictObject({
    title: sentence,
    arxiv: z.string(),
    authors: sentence,
    venue: sentence,
    software: sentence,
    model: sentence,
    upstream: sentence,
    downstream: sentence,
    parameters: z.int().positive(),
    downstreamTokens: z.int().positive(),
    confidence,
  }),
  followUp: z.strictObject({ arxiv: z.string(), differences: sentence }),
  margins: z.record(z.string(), marginSchema),
  setup: z.array(setupSchema),
  domains: z.strictObject({
    section,
    confidence,
    rows: z.array(z.strictObject({
      name: z.string(),
      samplingPercent: z.number(),
      trainTokens: z.number(),
      validationTokens: z.number(),
    })),
  }),
  learningRates: z.strictObject({
    run: ruleParts.run,
    section,
    confidence,
    maxLearningRate: z.number().positive(),
    rows: z.array(rateSchema),
    note: sentence,
  }),
  textNumbers: z.array(textNumberSchema),
  axisRanges: z.array(axisSchema),
  followUpNumbers: z.array(followUpSchema),
  openPoints: z.array(openPointSchema),
  claims: z.array(claimSchema).min(1),
}).superRefine((paper, context) => {
  const seen = new Set<string>();
  for (const list of ["setup", "textNumbers", "followUpNumbers", "openPoints", "claims"] as const) {
    paper[list].forEach((entry, index) => {
      if (seen.has(entry.id)) {
        context.addIssue({ code: "custom", path: [list, index, "id"], message: "an id that is not used above" });
      }
      seen.add(entry.id);
    });
  }
  paper.claims.forEach((claim, index) => {
    for (const name of marginsOf(claim.rule)) {
      if (Object.hasOwn(paper.margins, name)) continue;
      const key = claim.rule.kind === "linear" ? (claim.rule.line === name ? "line" : "noLine") : "margin";
      context.addIssue({
        code: "custom",
        path: ["claims", index, "rule", key],
        message: `the name of an entry of margins (${Object.keys(paper.margins).join(", ")})`,
      });
    }
  });
});

/** The checked content of `experiments/paper.yaml`. */
export type Paper = z.output<typeof paperSchema>;

/** A claim of the paper with the rule that tests it. */
export type Claim = Paper["claims"][number];

/** A number read off our curves. */
export type CurveReading = z.output<typeof curveReading>;

/**
 * Reads `experiments/paper.yaml`.
 *
 * @param fileName how messages name the file
 * @throws {UserError} as {@linkcode parseYaml} and {@linkcode validate} do
 */
export function parsePaper(text: string, fileName: string): Paper {
  return validate<Paper>(paperSchema, parseYaml(text, fileName), fileName);
}
