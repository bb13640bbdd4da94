/** A renderer for verification. What draws the page is loaded only when a page is to be compared. */
import { sha256 } from "../digest/sha256.ts";
import type { ReportRenderer } from "../manifest/verify/verify_report.ts";
import { parsePaper } from "../results/paper_schema.ts";
import { RENDERER_VERSION } from "./renderer_version.ts";

/**
 * A renderer by the rules that were signed: the copy beside the manifest, or those at hand where they are the same.
 *
 * @param texts of the rules at hand: one of each set of experiments
 */
export function manifestRenderer(texts: string | readonly string[]): ReportRenderer {
  const known = [texts].flat();
  return {
    version: RENDERER_VERSION,
    async render({ rules, ...evidence }) {
      const own = rules ?? known.find((text) => sha256(text) === evidence.predicate.paper.sha256);
      if (own === undefined) return undefined;
      const { manifestPage } = await import("./manifest_page.ts");
      return manifestPage({ ...evidence, paper: parsePaper(own, evidence.predicate.paper.name) });
    },
  };
}
