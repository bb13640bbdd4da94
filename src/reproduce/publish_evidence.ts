/** Makes the evidence that is published with a version, from a finished reproduction: `deno task evidence`. */
import { type Bundle, bundle } from "../bundle/bundle.ts";
import type { ExperimentFolders } from "../experiment/catalogue.ts";
import type { RunKey } from "../experiment/run/run.ts";
import { startsOf } from "../experiment/run/run_starts.ts";
import { writeFileDurably } from "../files/durable.ts";
import { filesWithin } from "../files/files_within.ts";
import { readFileBounded } from "../files/read_file.ts";
import { generateSigningKey, publicKeyPem } from "../manifest/keys/keys.ts";
import { manifestRenderer } from "../report/manifest_renderer.ts";
import { paperJudge } from "../results/paper_judge.ts";
import type { RunResult } from "../train/run_trainer.ts";
import type { SharedPlaces } from "../worker/open_shared.ts";
import { concludeFolder } from "./conclude_folder.ts";
import { loadRules, PAPER_FILE } from "./paper_file.ts";
import { EVIDENCE_FILES } from "./published_evidence.ts";

/** A page is a few megabytes. */
const MAX_REPORT_BYTES = 2 ** 26;

/** What is published, and where. */
export interface PublishOptions extends ExperimentFolders {
  /** output folder of a reproduction whose runs are all done; its manifest is signed anew */
  readonly output: string;
  /** folder of all evidence; the scale's is made in it */
  readonly evidence: string;
  /** where data are on this machine */
  readonly places: SharedPlaces;
  /** the command as it was given, for the manifest */
  readonly command: readonly string[];
}

/** What was published. */
export interface PublishedEvidence {
  /** the scale's folder */
  readonly folder: string;
  readonly bundle: Bundle;
  /** of the key that signed, whose private half is kept nowhere */
  readonly keyId: string;
}

/**
 * Concludes a folder with a key that exists in this process alone, and writes bundle, page and public key. Of the
 * checkpoints the bundle has those from which most continued runs start: retraining begins there or at random weights.
 *
 * @returns undefined if runs are missing
 * @throws {UserError} as {@linkcode concludeFolder} and {@linkcode bundle}
 */
export async function publishEvidence(options: PublishOptions): Promise<PublishedEvidence | undefined> {
  const { output, evidence, places, command, ...folders } = options;
  const key = await generateSigningKey();
  const conclusion = await concludeFolder({
    ...folders,
    output,
    places,
    command,
    signingKey: () => Promise.resolve(key),
  });
  if (conclusion.kind === "missing") return undefined;
  const { plan, results, manifestPath, reportPath } = conclusion.reproduction;
  const folder = `${evidence}/${plan.scale.name}`;
  const files = filesWithin(evidence);
  await files.makeFolder(folder);
  const rules = await loadRules(folders);
  const packed = await bundle(manifestPath, {
    output: `${folder}/${EVIDENCE_FILES.bundle}`,
    checkpoints: ["none", ...commonStarts(results)],
    judge: paperJudge(rules, PAPER_FILE),
    renderer: manifestRenderer(rules),
    files,
  });
  await writeFileDurably(`${folder}/${EVIDENCE_FILES.report}`, await readFileBounded(reportPath, MAX_REPORT_BYTES), {
    files,
  });
  await writeFileDurably(`${folder}/${EVIDENCE_FILES.publicKey}`, new TextEncoder().encode(publicKeyPem(key)), {
    files,
  });
  return { folder, bundle: packed, keyId: key.keyId };
}

/** Of each run that others start from, the checkpoint that most of them take, as `RUN:STEP`; the latest of equals. */
function commonStarts(results: readonly RunResult[]): string[] {
  const starts = new Map<RunKey, Map<number, number>>();
  for (const { run: { specification } } of results) {
    for (const { run, step } of startsOf(specification.initialWeights)) {
      const counts = starts.get(run) ?? new Map<number, number>();
      counts.set(step, (counts.get(step) ?? 0) + 1);
      starts.set(run, counts);
    }
  }
  return results.flatMap(({ run: { key, label } }) => {
    const counts = [...starts.get(key) ?? []].sort(([a, m], [b, n]) => n - m || b - a);
    return counts.slice(0, 1).map(([step]) => `${label}:${step}`);
  });
}
