/**
 * The paper: its facts, numbers and open points (`experiments/paper.yaml`), and what the experiments claim and draw
 * (`experiments/*.yaml`). Together they are the document of rules that is signed with a manifest.
 */
import { z } from "zod";
import { parseYaml, validate } from "../text/yaml.ts";
import { type Claim, claimSchema } from "./claim_schema.ts";
import { EARLIER_FACT_NAMES } from "./earlier_facts.ts";
import { experimentFileSchema, type StatedExperiment } from "./experiment_file.ts";
import { planNumberShape } from "./plan_number.ts";
import { marginsOf, type Rule, ruleSchema } from "./rule_schema.ts";
import { ruleKind } from "./rules/catalogue.ts";
import { ruleParts } from "./rules/parts.ts";
import { rulesVersion } from "./rules_version.ts";
import { comparableAt, confidence, id, preconditionName, section, sentence } from "./statement_parts.ts";

const quantity = { id, name: z.string().min(1).max(120), unit: z.string().max(40).default("") };

const marginSchema = z.strictObject({ value: z.number().positive().max(10), unit: sentence, reason: sentence });

const preconditionSchema = z.strictObject({
  /** what follows "only if": `the model has learned` */
  title: sentence,
  /** why nothing can be compared without it, as the opening of a reason: `the model has learned next to nothing` */
  otherwise: sentence,
  rule: ruleSchema,
  reason: sentence,
});

/** How a setup number stands beside the plan's. */
const setupComparison = z.strictObject({
  ...planNumberShape,
  value: planNumberShape.value.optional(),
  /** how versions 0.1 and 0.2 named the plan's number */
  fact: z.enum(EARLIER_FACT_NAMES).optional(),
  /** `exact`: equal to 9 digits; `nearest-step`: as near as whole steps allow; `shown`: side by side, not judged */
  by: z.enum(["exact", "nearest-step", "shown"]).default("exact"),
  at: comparableAt,
}).refine(({ value, fact }) => (value === undefined) !== (fact === undefined), {
  path: ["value"],
  message: "the name of a number of the plan",
});

const setupSchema = z.strictObject({
  ...quantity,
  value: z.union([z.number(), z.string().min(1).max(200)]),
  section,
  confidence,
  ours: setupComparison.optional(),
  /** why there is nothing to compare with, or what to know */
  note: sentence.optional(),
});

/** A number read off our curves. */
const curveReading = z.strictObject({
  /** highest loss of all runs; rise of that over the start; loss at a point */
  statistic: z.enum(["peak", "peak-rise", "loss"]),
  runs: ruleParts.runs,
  metric: ruleParts.metric,
  at: ruleParts.point.optional(),
}).refine((reading) => (reading.at !== undefined) === (reading.statistic === "loss"), {
  message: 'a point "at" for statistic "loss", and none for the others',
});

const textNumberSchema = z.strictObject({
  ...quantity,
  value: z.number(),
  section,
  confidence,
  ours: curveReading,
  note: sentence.optional(),
});

const followUpSchema = z.strictObject({
  ...quantity,
  value: z.number(),
  confidence,
  ours: curveReading.optional(),
  note: sentence.optional(),
});

const axisSchema = z.strictObject({
  figure: z.int().min(1).max(9),
  metric: ruleParts.metric,
  low: z.number(),
  high: z.number(),
  confidence,
  runs: ruleParts.runs,
}).refine((axis) => axis.low < axis.high, { path: ["high"], message: "a number above `low`" });

const openPointSchema = z.strictObject({
  id,
  question: sentence,
  confidence,
  /** what is done here */
  here: sentence,
  /** where the user may choose (`src/experiment/readings.ts`): what each choice means */
  reading: z.strictObject({ name: id, ways: z.record(id, sentence) }).optional(),
});

const rateSchema = z.strictObject({ tokens: ruleParts.tokens, rate: z.number().min(0) });

const paperShape = {
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
  /** how the rules are decided; absent in documents of version 1 */
  rulesVersion: rulesVersion.default(1),
  margins: z.record(z.string(), marginSchema),
  /** what must hold before a claim can be compared */
  preconditions: z.record(preconditionName, preconditionSchema).default({}),
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
};

/** Shape of `experiments/paper.yaml`: what is about the paper as a whole. */
export const paperFileSchema = z.strictObject(paperShape);

/** What the paper says, and the claims and figures of every experiment. */
export interface Paper extends z.output<typeof paperFileSchema> {
  /** of all experiments, in their order */
  readonly claims: readonly Claim[];
  /** empty in rules of versions 0.1 and 0.2, which held claims alone */
  readonly experiments: readonly StatedExperiment[];
}

/**
 * Shape of the document of rules that is signed with a manifest: the paper's file with every experiment in it. In
 * versions 0.1 and 0.2 it was `experiments/paper.yaml` itself, with a list of claims.
 */
const rulesSchema = z.strictObject({
  ...paperShape,
  experiments: z.array(experimentFileSchema).min(1).max(200).optional(),
  claims: z.array(claimSchema).min(1).optional(),
}).superRefine((rules, context) => {
  const issue = (path: PropertyKey[], message: string) => context.addIssue({ code: "custom", path, message });
  if ((rules.claims === undefined) === (rules.experiments === undefined)) {
    issue(["experiments"], "the experiments, or the claims alone as before version 0.3");
  }
  const seen = new Set<string>();
  const unique = (id: string, path: PropertyKey[]) => {
    if (seen.has(id)) issue([...path, "id"], "an id that is not used above");
    seen.add(id);
  };
  const checkRule = (rule: Rule, path: PropertyKey[]) => {
    for (const [field, name] of Object.entries(marginsOf(rule))) {
      if (Object.hasOwn(rules.margins, name)) continue;
      issue([...path, field], `the name of an entry of margins (${Object.keys(rules.margins).join(", ")})`);
    }
    const { supersededBy } = ruleKind(rule.kind);
    if (rules.rulesVersion === 1 || supersededBy === undefined) return;
    issue([...path, "kind"], `"${supersededBy}", since "${rule.kind}" is of rules of version 1`);
  };
  const checkRequires = (names: readonly string[] | undefined, path: PropertyKey[]) =>
    names?.forEach((name, index) => {
      if (rules.rulesVersion === 1) issue([...path, "requires"], "nothing: rules of version 1 have no preconditions");
      else if (!Object.hasOwn(rules.preconditions, name)) {
        const known = Object.keys(rules.preconditions).join(", ");
        issue([...path, "requires", index], `the name of an entry of preconditions (${known})`);
      }
    });
  const checkClaim = (claim: Claim, path: PropertyKey[]) => {
    unique(claim.id, path);
    checkRule(claim.rule, [...path, "rule"]);
    checkRequires(claim.requires, path);
  };
  Object.entries(rules.preconditions).forEach(([name, { rule }]) => checkRule(rule, ["preconditions", name, "rule"]));
  for (const list of ["setup", "textNumbers", "followUpNumbers", "openPoints"] as const) {
    rules[list].forEach(({ id }, index) => unique(id, [list, index]));
  }
  rules.claims?.forEach((claim, index) => checkClaim(claim, ["claims", index]));
  const figures = new Set<string>();
  rules.experiments?.forEach((experiment, index) => {
    experiment.claims.forEach((claim, position) => checkClaim(claim, ["experiments", index, "claims", position]));
    experiment.estimates.forEach((estimate, position) => {
      const path = ["experiments", index, "estimates", position];
      unique(estimate.id, path);
      if (rules.rulesVersion === 1) issue(path, "no estimates: rules of version 1 have none");
      else checkRequires(estimate.requires, path);
    });
    experiment.figures.forEach((figure, position) => {
      if (figures.has(figure.id)) {
        issue(["experiments", index, "figures", position, "id"], "an id that no figure above has");
      }
      figures.add(figure.id);
    });
  });
}).transform(({ experiments = [], claims = experiments.flatMap(({ claims }) => claims), ...paper }): Paper => ({
  ...paper,
  experiments,
  claims,
}));

/** A number read off our curves. */
export type CurveReading = z.output<typeof curveReading>;

/**
 * Checks a document of rules.
 *
 * @param fileName how messages name the file
 * @throws {UserError} as {@linkcode validate} does
 */
export function paperFromValue(value: unknown, fileName: string): Paper {
  return validate<Paper>(rulesSchema, value, fileName);
}

/**
 * Reads a document of rules, as it lies beside a manifest.
 *
 * @param fileName how messages name the file
 * @throws {UserError} as {@linkcode parseYaml} and {@linkcode validate} do
 */
export function parsePaper(text: string, fileName: string): Paper {
  return paperFromValue(parseYaml(text, fileName), fileName);
}
