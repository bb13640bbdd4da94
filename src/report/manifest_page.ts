/** The page of a manifest, the same bytes for its maker and for every verifier. Web-standard APIs only. */
import { canonicalJson } from "../digest/canonical_json.ts";
import { type ReportEvidence, reportInputOf } from "./input/manifest_input.ts";
import { renderReport } from "./page.ts";

/** Renders the page. Members are taken in the order of canonical JSON, in which a verifier reads them. */
export function manifestPage({ predicate, plan, paper, curves }: ReportEvidence): string {
  return renderReport(reportInputOf({ predicate: inOrder(predicate), plan: inOrder(plan), paper, curves }));
}

function inOrder<T>(value: T): T {
  return JSON.parse(canonicalJson(value)) as T;
}
