/** JSON Schemas of the YAML files, by which editors complete and check them. */
import { z } from "zod";
import { scaleSchema } from "../src/experiment/schema.ts";
import { experimentFileSchema } from "../src/results/experiment_file.ts";
import { paperFileSchema } from "../src/results/paper_schema.ts";

const SCHEMAS = {
  "schemas/experiment.schema.json": { title: "An experiment of rewarm", schema: experimentFileSchema },
  "schemas/scale.schema.json": { title: "A scale of rewarm", schema: scaleSchema },
  "schemas/paper.schema.json": { title: "The paper that rewarm reproduces", schema: paperFileSchema },
} as const;

/** Every schema's text by the name of its file. */
export function yamlSchemas(): [name: string, text: string][] {
  return Object.entries(SCHEMAS).map(([name, { title, schema }]) => {
    const json = z.toJSONSchema(schema, { io: "input" });
    return [name, `${JSON.stringify({ title, ...json }, null, 2)}\n`];
  });
}
