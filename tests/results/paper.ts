/** The document of rules, composed once for the tests of results. */
import { loadPaper } from "../../src/reproduce/paper_file.ts";
import type { Claim } from "../../src/results/claim_schema.ts";
import type { Paper } from "../../src/results/paper_schema.ts";
import type { Rule } from "../../src/results/rule_schema.ts";
import { FIXTURE_CATALOGUE } from "../experiment/plan/plan_fixture.ts";

const { text, content } = await loadPaper(FIXTURE_CATALOGUE);

/** The text of the document. */
export const PAPER_TEXT: string = text;

/** The document, checked. */
export const PAPER: Paper = content;

/** The claim that a rule tests. */
export function claimOf(rule: Rule, more: Partial<Claim> = {}): Claim {
  return {
    id: "claim",
    title: "A claim",
    statement: "A claim.",
    section: "4",
    figure: "",
    confidence: "A",
    comparable: "every-scale",
    rule,
    ...more,
  };
}

/** The paper with one claim of the given rule, comparable at every scale unless said otherwise. */
export function paperWith(rule: Rule, comparable: Claim["comparable"] = "every-scale"): Paper {
  return { ...PAPER, claims: [claimOf(rule, { comparable })] };
}
