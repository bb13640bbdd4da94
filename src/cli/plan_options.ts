/** Options that determine a plan, shared by the subcommands that make one. */
import { describeCorpora } from "../data/corpora.ts";
import type { CorpusFiles } from "../data/options.ts";
import { scaleCorpora } from "../data/scale_corpora.ts";
import { UserError } from "../errors.ts";
import { buildPlan, type Plan } from "../experiment/plan.ts";
import type { Values } from "./arguments.ts";
import { chooseEngine, ENGINE_OPTIONS } from "./engines.ts";
import { DEFAULT_SCALE } from "./settings.ts";

/** Errors of data that were not downloaded. */
const NOT_AT_HAND: readonly string[] = ["NOT_LOCKED", "LISTING_NOT_CACHED", "DATA_NOT_FETCHED"];

/** See above. */
export const PLAN_OPTIONS = {
  scale: { kind: "text", value: "NAME", help: `smoke, tiny, small, medium or paper (default: ${DEFAULT_SCALE})` },
  only: { kind: "list", value: "NAME…", help: "only these experiments, or arms as EXPERIMENT/ARM" },
  seeds: { kind: "count", value: "N", help: "repetitions with other seeds (default: 1)" },
  upstream: { kind: "list", value: "PATH…", help: "train on these files: .txt, .jsonl, .jsonl.zst" },
  downstream: { kind: "list", value: "PATH…", help: "and on these after the shift" },
  tokenizer: { kind: "text", value: "FILE", help: "tokenizer.json for these files (default: bytes are tokens)" },
  ...ENGINE_OPTIONS,
  json: { kind: "flag", help: "print the plan as JSON" },
} as const;

/**
 * Data files in place of the scale's own: both corpora or neither.
 *
 * @throws {UserError} `MISSING_CORPUS` if only one corpus is given, `UNUSED_OPTION` for a tokenizer without files
 */
export function filesFromOptions({ upstream, downstream, tokenizer }: Partial<CorpusFiles>): CorpusFiles | undefined {
  if (upstream === undefined && downstream === undefined) {
    if (tokenizer === undefined) return undefined;
    throw new UserError(
      "UNUSED_OPTION",
      '"--tokenizer" is for files of your own',
      "add --upstream PATH and --downstream PATH, or leave it out",
    );
  }
  if (upstream === undefined || downstream === undefined) {
    const missing = upstream === undefined ? "upstream" : "downstream";
    throw new UserError("MISSING_CORPUS", `No ${missing} files are given`, `add --${missing} PATH, or give neither`);
  }
  return { upstream, downstream, ...(tokenizer === undefined ? {} : { tokenizer }) };
}

/**
 * The plan that options ask for; corpora are described, not prepared. A scale whose data are not at hand is planned
 * without them.
 */
export async function planFromOptions(values: Values<typeof PLAN_OPTIONS>): Promise<Plan> {
  const options = {
    scale: values.scale ?? DEFAULT_SCALE,
    seeds: values.seeds ?? 1,
    engine: chooseEngine(values).identity,
    ...(values.only === undefined ? {} : { only: values.only }),
  };
  const plan = await buildPlan(options);
  const files = filesFromOptions(values);
  const { sequenceLength, vocabularySize } = plan.scale.model.config;
  const corpora = await describeCorpora({ ...scaleCorpora(plan.scale, files), sequenceLength, vocabularySize })
    .catch((error) => {
      if (error instanceof UserError && NOT_AT_HAND.includes(error.code)) return undefined;
      throw error;
    });
  if (corpora === undefined) return plan;
  const { upstream, downstream } = corpora;
  return await buildPlan({ ...options, corpusDigests: { upstream: upstream.digest, downstream: downstream.digest } });
}
