/** What every full verification is made with, in a terminal as in a page: the rules, the plan made again, the page. */
import type { ExperimentFolders } from "../experiment/catalogue.ts";
import type { VerifyOptions } from "../manifest/verify/verify_options.ts";
import { manifestRenderer } from "../report/manifest_renderer.ts";
import { paperJudge } from "../results/paper_judge.ts";
import { loadRules, PAPER_FILE } from "./paper_file.ts";
import { checkTimestamps } from "../timestamp/check.ts";
import { replan } from "./replan.ts";

/** Options of a verification by the experiments at hand. */
export async function verificationMeans(
  folders: ExperimentFolders = {},
): Promise<Required<Pick<VerifyOptions, "judge" | "replan" | "renderer" | "timestamps">>> {
  const rules = await loadRules(folders);
  return {
    judge: paperJudge(rules, PAPER_FILE),
    replan: (plan, inputs) => replan(plan, inputs, folders),
    renderer: manifestRenderer(rules),
    timestamps: checkTimestamps(),
  };
}
