/** The page beside the manifest, rendered again from what was verified. Web-standard APIs only. */
import { sha256, shortDigest } from "../../digest/sha256.ts";
import type { Plan } from "../../experiment/plan/plan.ts";
import type { RunKey } from "../../experiment/run/run.ts";
import { printable } from "../../files/safe_name.ts";
import type { Curves } from "../../results/curves.ts";
import type { DataFacts, Predicate, ReportArtefact } from "../format/predicate.ts";
import type { StepOutcome } from "./verification_report.ts";

/** Points of curves, once for each arm that shows them, beyond which no page is drawn to be compared. */
const MAX_DRAWN_POINTS = 300_000;
/** Arms beyond which none is. */
const MAX_DRAWN_ARMS = 1000;

/** What a page is rendered from. */
export interface PageEvidence {
  /** what the manifest says */
  readonly predicate: Omit<Predicate, "report" | "data"> & { readonly data: DataFacts };
  /** its plan */
  readonly plan: Plan;
  /** curves of all trained runs */
  readonly curves: ReadonlyMap<RunKey, Curves>;
  /** the signed file of rules, where it is an artefact of the manifest */
  readonly rules?: string;
}

/** Draws the page of a manifest. */
export interface ReportRenderer {
  /** names the bytes that it gives: the same version gives the same bytes of the same data */
  readonly version: string;
  /** The page; `undefined` if the rules that were signed are not at hand. */
  render(evidence: PageEvidence): Promise<string | undefined>;
}

/** What is said of a page that was not compared. */
export const UNCHECKED_PAGE = "What the page beside the manifest shows";

/**
 * Renders the page again and compares its bytes.
 *
 * @param report the page as it was signed, and as it was found to lie there
 */
export async function checkReport(
  evidence: PageEvidence,
  { name, rendererVersion, sha256: digest }: ReportArtefact,
  renderer: ReportRenderer,
): Promise<StepOutcome> {
  if (rendererVersion !== renderer.version) {
    const versions = `"${printable(rendererVersion, 100)}", and the one here is "${renderer.version}"`;
    return { status: "not checked", detail: `"${printable(name)}" was made by renderer ${versions}` };
  }
  const tooMuch = drawingFlaw(evidence);
  if (tooMuch !== undefined) return { status: "not checked", detail: tooMuch };
  const page = await renderer.render(evidence);
  if (page === undefined) return { status: "not checked", detail: "the rules that were signed are not at hand" };
  const again = sha256(page);
  if (again === digest) {
    return { status: "ok", detail: `"${printable(name)}" rendered again from the verified data, byte for byte` };
  }
  return {
    status: "failed",
    detail: `"${printable(name)}" is not the page that the manifest's data give: that has the digest ${
      shortDigest(again)
    }, and ${shortDigest(digest)} was signed`,
  };
}

/** Why a page is too much to be drawn: its size is whatever a signed manifest says; undefined if it is not. */
export function drawingFlaw({ plan, curves }: PageEvidence): string | undefined {
  const arms = plan.runs.flatMap(({ key, usedBy }) => usedBy.map(() => curves.get(key)?.points.length ?? 0));
  const points = arms.reduce((sum, count) => sum + count, 0);
  if (arms.length <= MAX_DRAWN_ARMS && points <= MAX_DRAWN_POINTS) return undefined;
  return `the page shows ${arms.length} arms with ${points} points, and is drawn again for at most ${MAX_DRAWN_ARMS} ` +
    `with ${MAX_DRAWN_POINTS}`;
}
