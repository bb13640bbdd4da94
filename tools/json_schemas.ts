/** JSON Schemas of the YAML files, by which editors complete and check them, and of what commands print for programs. */
import { z } from "zod";
import { diffJsonSchema } from "../src/cli/formats/diff_json.ts";
import { verificationJsonSchema } from "../src/cli/formats/verification_json.ts";
import { scaleSchema } from "../src/experiment/schema.ts";
import { experimentFileSchema } from "../src/results/experiment_file.ts";
import { paperFileSchema } from "../src/results/paper_schema.ts";

const SCHEMAS = {
  "schemas/experiment.schema.json": { title: "An experiment of rewarm", schema: experimentFileSchema },
  "schemas/scale.schema.json": { title: "A scale of rewarm", schema: scaleSchema },
  "schemas/paper.schema.json": { title: "The paper that rewarm reproduces", schema: paperFileSchema },
  "schemas/verification.schema.json": {
    title: "What verify, retrain and attest print with --format json",
    schema: verificationJsonSchema,
  },
  "schemas/diff.schema.json": { title: "What diff prints with --format json", schema: diffJsonSchema },
} as const;

/** Every schema's text by the name of its file. */
export function jsonSchemas(): [name: string, text: string][] {
  return Object.entries(SCHEMAS).map(([name, { title, schema }]) => {
    const json = z.toJSONSchema(schema, { io: "input" });
    return [name, `${JSON.stringify({ title, ...json }, null, 2)}\n`];
  });
}
