/** `experiments/paper.yaml`, read once for the tests of results. */
import { EXPERIMENTS_FOLDER } from "../../src/experiment/catalogue.ts";
import { type Claim, type Paper, parsePaper } from "../../src/results/paper_schema.ts";
import type { Rule } from "../../src/results/rule_schema.ts";

/** The text of the file. */
export const PAPER_TEXT: string = await Deno.readTextFile(new URL("paper.yaml", EXPERIMENTS_FOLDER));

/** The file, checked. */
export const PAPER: Paper = parsePaper(PAPER_TEXT, "experiments/paper.yaml");

/** The paper with one claim of the given rule, comparable at every scale unless said otherwise. */
export function paperWith(rule: Rule, comparable: Claim["comparable"] = "every-scale"): Paper {
  const claim: Claim = {
    id: "claim",
    title: "A claim",
    statement: "A claim.",
    section: "4",
    figure: "",
    confidence: "A",
    comparable,
    rule,
  };
  return { ...PAPER, claims: [claim] };
}
