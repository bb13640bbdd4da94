/** From the bytes of a `curves.json` to checked {@linkcode Curves}; nothing in the file is trusted. */
import { z } from "zod";
import { UserError } from "../errors.ts";
import { validate } from "../text/yaml.ts";
import type { Curves } from "./curves.ts";

/** Longest `curves.json` that is read, in UTF-16 code units: the paper's longest run has about 1,400 points. */
export const MAX_CURVES_LENGTH = 16_000_000;

/** Most evaluations in a curve. */
export const MAX_CURVE_POINTS = 100_000;

const step = z.int().min(0).max(2 ** 32);
/** nats a token; whatever an f32 holds, since a run whose loss rises so far was trained all the same */
const loss = z.number().min(0).max(2 ** 128);
const bytesPerToken = z.number().positive().max(1e6);

const perCorpus = <T extends z.ZodType>(schema: T) => z.strictObject({ upstream: schema, downstream: schema });

/** Most domains and documents of a validation set. */
const MAX_DOMAINS = 256, MAX_DOCUMENTS = 100_000;

const validationSetSchema = z.strictObject({
  domains: z.array(z.strictObject({ name: z.string().min(1).max(8192), weight: z.number().min(0).max(1) })).min(1)
    .max(MAX_DOMAINS),
  documents: z.array(z.strictObject({ domain: z.int().min(0), tokens: z.int().min(1) })).min(1).max(MAX_DOCUMENTS)
    .optional(),
  sampledDocuments: z.array(
    z.strictObject({ domain: z.int().min(0), document: z.int().min(0), tokens: z.int().min(1) }),
  ).min(1).max(MAX_DOCUMENTS).optional(),
}).refine(
  ({ domains, documents = [], sampledDocuments = [] }) =>
    [...documents, ...sampledDocuments].every(({ domain }) => domain < domains.length),
  { path: ["documents"], error: "documents of the domains that are named" },
);

const pointSchema = z.strictObject({
  step,
  tokens: z.int().min(0),
  learningRate: z.number().min(0).max(1e6),
  upstream: loss,
  downstream: loss,
  domains: perCorpus(z.array(loss.nullable()).max(MAX_DOMAINS)).optional(),
  sampledDocuments: perCorpus(z.array(z.number().min(0)).max(MAX_DOCUMENTS)).optional(),
  documents: perCorpus(z.array(z.strictObject({ tokens: z.int().min(1), loss: z.number().min(0) })).max(MAX_DOCUMENTS))
    .optional(),
});

/** What a point keeps losses of. */
const PART_WORDS = { domains: "domains", sampledDocuments: "sampled documents", documents: "documents" } as const;

/** Shape of `curves.json`. */
export const curvesSchema: z.ZodType<Curves> = z.strictObject({
  runKey: z.string().regex(/^[0-9a-f]{64}$/),
  label: z.string().min(1).max(200),
  tokensPerStep: z.int().min(1),
  bytesPerToken: z.strictObject({ upstream: bytesPerToken, downstream: bytesPerToken }),
  validation: perCorpus(validationSetSchema).optional(),
  points: z.array(pointSchema).max(MAX_CURVE_POINTS),
  diverged: z.strictObject({ step, loss: z.string().min(1).max(40) }).optional(),
}).superRefine((curves, context) => {
  curves.points.forEach((point, index) => {
    for (const corpus of ["upstream", "downstream"] as const) {
      for (const part of ["domains", "sampledDocuments", "documents"] as const) {
        const found = point[part]?.[corpus].length;
        const expected = curves.validation?.[corpus][part]?.length ?? 0;
        if (found === undefined || found === expected) continue;
        context.addIssue({
          code: "custom",
          path: ["points", index, part, corpus],
          message: `${expected} losses, as many as the validation set has ${PART_WORDS[part]}`,
        });
      }
    }
    const before = curves.points[index - 1];
    if (before !== undefined && point.step <= before.step) {
      context.addIssue({
        code: "custom",
        path: ["points", index, "step"],
        message: `a step after ${before.step}, the one before it`,
      });
    }
    if (point.tokens !== point.step * curves.tokensPerStep) {
      context.addIssue({
        code: "custom",
        path: ["points", index, "tokens"],
        message: `${point.step * curves.tokensPerStep}, step ${point.step} times tokensPerStep`,
      });
    }
  });
});

/**
 * Reads a curve.
 *
 * @param text content of a `curves.json`
 * @param fileName how messages name the file
 * @throws {UserError} `CURVES_TOO_LARGE`, `CURVES_SYNTAX`, or `INVALID_FIELD` with the path and what was expected
 */
export function parseCurves(text: string, fileName: string): Curves {
  if (text.length > MAX_CURVES_LENGTH) {
    throw new UserError(
      "CURVES_TOO_LARGE",
      `"${fileName}" has ${text.length} characters, but at most ${MAX_CURVES_LENGTH} are read`,
      "name the right file",
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new UserError(
      "CURVES_SYNTAX",
      `"${fileName}" is not valid JSON`,
      "restore the file or let its run be repeated",
      { cause },
    );
  }
  return validate(curvesSchema, value, fileName);
}
