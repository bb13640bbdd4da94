/** The whole way: data and plan first, then everything that {@linkcode carryOut} does with them. */
import { describeContainer } from "../container/describe.ts";
import { openCorpora } from "../data/corpora.ts";
import type { CorpusSource } from "../data/options.ts";
import { scaleCorpora } from "../data/scale_corpora.ts";
import { buildPlan } from "../experiment/plan.ts";
import { carryOut } from "./carry_out.ts";
import type { ReproduceOptions, Reproduction } from "./options.ts";
import { loadPaper } from "./paper_file.ts";

/** The files given, or the embedded data in their place. */
export function corpusSource(files: ReproduceOptions["files"]): CorpusSource {
  return files === undefined ? { kind: "npm" } : { kind: "files", ...files };
}

/**
 * Trains what is not trained yet, judges the paper's claims, and leaves `plan.json`, `runs/`, `report.html` and
 * `manifest.dsse.json` in the output folder. Called again, it goes on where it stopped.
 *
 * @throws {UserError} on bad input, and where files cannot be read or written, naming what to do
 * @throws {Interrupted} when `signal` is aborted; the newest step is on the disk
 */
export async function reproduce(options: ReproduceOptions): Promise<Reproduction> {
  const { scale, only, seeds = 1, engine, files, dataCache, events = {} } = options;
  const paper = await loadPaper(); // rules that cannot be read must not be found out after training
  await describeContainer(); // nor what cannot be said of the container
  const { level, arithmetic } = engine;
  const choice = { scale, seeds, engine: { level, arithmetic }, ...(only === undefined ? {} : { only }) };
  const withoutData = await buildPlan(choice);
  const { sequenceLength, vocabularySize } = withoutData.scale.model.config;
  const corpora = await openCorpora({
    ...scaleCorpora(withoutData.scale, files),
    sequenceLength,
    vocabularySize,
    ...(dataCache === undefined ? {} : { cacheFolder: dataCache }),
    ...(events.onData === undefined ? {} : { onProgress: events.onData }),
  });
  const { upstream, downstream } = corpora;
  try {
    const plan = await buildPlan({
      ...choice,
      corpusDigests: { upstream: upstream.digest, downstream: downstream.digest },
    });
    return await carryOut(options, { paper, plan, corpora });
  } finally {
    upstream.close();
    downstream.close();
  }
}
