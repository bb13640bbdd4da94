/** Retraining under `verify`, `retrain` and `attest`: the options, and carrying it out. */
import { UserError } from "../errors.ts";
import { parseSeed } from "../retrain/choice.ts";
import { parseShare } from "../retrain/share.ts";
import { retrain, type Retraining, type RetrainingPieces } from "../retrain/retrain.ts";
import { segmentName } from "../retrain/segment.ts";
import type { VerifyOptions } from "../manifest/verify/verify_options.ts";
import type { Values } from "./arguments.ts";
import { retrainingLines } from "./retrain_lines.ts";
import { abortOnSignals } from "./signals.ts";
import { ENGINE_OPTIONS } from "../engine/catalogue.ts";
import { startEngine } from "./start_engine.ts";
import { DATA_CACHE } from "./settings.ts";
import { filesFromOptions, SOURCE_OPTIONS, sourcesFromOptions } from "./options/source_options.ts";
import { print } from "../terminal.ts";

/** Options of retraining. */
export const RETRAIN_OPTIONS = {
  retrain: {
    kind: "list",
    value: "N|all|RUN:FROM..TO",
    wordEach: true,
    formerly: ["replay", "segment"],
    help: "retrain N segments drawn at random, all, or the pieces named; RUN is a label or begins a key",
  },
  share: {
    kind: "text",
    value: "I/N",
    help: "with --retrain all: the I-th of N parts of all segments, for N verifiers at the same time",
  },
  "retrain-seed": {
    kind: "text",
    value: "HEX",
    formerly: ["replay-seed"],
    help: "32 digits: repeat the choice of another verifier",
  },
  ...SOURCE_OPTIONS,
  upstream: {
    kind: "list",
    value: "PATH…",
    path: true,
    help: "files that were trained on, if not the scale's own data",
  },
  downstream: { kind: "list", value: "PATH…", path: true, help: "and after the shift" },
  tokenizer: {
    kind: "text",
    value: "FILE",
    path: true,
    words: ["bytes"],
    help: "tokenizer.json that they were trained with, or bytes (default: the scale's own)",
  },
  start: {
    kind: "text",
    value: "PATH",
    path: true,
    help: "models that runs started from, if they were their maker's own",
  },
  ...ENGINE_OPTIONS,
} as const;

/**
 * What is to be retrained; undefined if nothing is.
 *
 * @param usual stands for `--retrain` where it is not given
 */
export function piecesFromOptions(
  values: Values<typeof RETRAIN_OPTIONS>,
  usual?: string,
): RetrainingPieces | undefined {
  const { retrain: words = usual === undefined ? [] : [usual], "retrain-seed": seed } = values;
  const names = words.filter((word) => word.includes(":"));
  const [count, ...further] = words.filter((word) => !word.includes(":"));
  if (count !== undefined && names.length + further.length > 0) {
    throw new UserError(
      "TWO_CHOICES",
      `"--retrain" says ${words.map((word) => `"${word}"`).join(" and ")}`,
      "give one number of segments, or all, or only pieces such as RUN:FROM..TO",
    );
  }
  if (seed !== undefined && (count === undefined || count === "all")) {
    throw new UserError("UNUSED_OPTION", '"--retrain-seed" needs a number of segments to draw', "add --retrain 5");
  }
  const share = values.share === undefined ? undefined : parseShare(values.share);
  if (share !== undefined && count !== "all") {
    throw new UserError("UNUSED_OPTION", '"--share" is a part of all segments', "add --retrain all");
  }
  if (names.length > 0) return { kind: "named", names };
  if (count === undefined) {
    const unused = ([
      ...Object.keys(SOURCE_OPTIONS) as (keyof typeof SOURCE_OPTIONS)[],
      ...Object.keys(ENGINE_OPTIONS) as (keyof typeof ENGINE_OPTIONS)[],
    ] as const).find((
      name,
    ) => values[name] !== undefined);
    if (unused === undefined) return undefined;
    throw new UserError("UNUSED_OPTION", `"--${unused}" is for retraining only`, "add --retrain 5");
  }
  const segments = segmentCount("retrain", count, 'a whole number from 1, "all", or pieces such as RUN:FROM..TO');
  if (share !== undefined && share.shares > 1) return { kind: "share", ...share };
  if (segments === "all") return { kind: "all" };
  return { kind: "random", count: segments, seed: seed === undefined ? undefined : parseSeed(seed) };
}

/**
 * A number of segments, or all of them.
 *
 * @param option that has the value
 * @param expected what it may be
 * @throws {UserError} `BAD_NUMBER`
 */
export function segmentCount(
  option: string,
  value: string,
  expected = 'a whole number from 1, or "all"',
): number | "all" {
  if (value === "all") return value;
  if (/^[1-9]\d{0,8}$/.test(value)) return Number(value);
  throw new UserError("BAD_NUMBER", `Option "--${option}" is "${value}"`, `expected ${expected}`);
}

/**
 * Verifies and retrains.
 *
 * @param quiet prints nothing on the way
 * @returns undefined when it was interrupted
 */
export async function runRetraining(
  path: string,
  pieces: RetrainingPieces,
  values: Values<typeof RETRAIN_OPTIONS>,
  verifyOptions: VerifyOptions,
  quiet: boolean,
): Promise<Retraining | undefined> {
  const corpusFiles = filesFromOptions(values);
  const { start, ...downloads } = sourcesFromOptions(values);
  const { signal, dispose } = abortOnSignals();
  try {
    const result = await retrain(path, {
      ...verifyOptions,
      pieces,
      engine: () => startEngine(values),
      dataCache: DATA_CACHE,
      signal,
      corpusFiles,
      start: typeof start === "object" ? start : undefined,
      ...downloads,
      events: quiet ? undefined : retrainingLines(print),
    });
    return signal.aborted && result.report.verdict === "could not check" ? undefined : result;
  } finally {
    dispose();
  }
}

/** What retraining found, for `--json`. */
export function retrainingSummary({ choice, retrained, difference }: Retraining): Readonly<Record<string, unknown>> {
  return {
    segments: choice?.segments.map(segmentName),
    total: choice?.total,
    worth: choice?.worth,
    seed: choice?.seed,
    share: choice?.share,
    retrained: retrained.map(segmentName),
    difference,
  };
}
