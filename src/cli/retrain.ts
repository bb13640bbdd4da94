/** Training again under `verify` and `replay`: the options, and what is printed on the way. */
import { UserError } from "../errors.ts";
import { compactNumber } from "../experiment/plan_text.ts";
import { parseSeed } from "../retrain/choice.ts";
import { type Replay, replay, type ReplayEvents, type ReplayPieces } from "../retrain/retrain.ts";
import { counted, segmentName } from "../retrain/segment.ts";
import type { VerifyOptions } from "../manifest/verify/verify_options.ts";
import type { Values } from "./arguments.ts";
import { formatSeconds } from "./progress.ts";
import { abortOnSignals } from "./signals.ts";
import { ENGINE_OPTIONS, startEngine } from "./engines.ts";
import { DATA_CACHE } from "./settings.ts";
import { filesFromOptions, SOURCE_OPTIONS, sourcesFromOptions } from "./options/source_options.ts";
import { print } from "../terminal.ts";

/** Options of a replay. */
export const REPLAY_OPTIONS = {
  replay: { kind: "text", value: "N|all", help: "train N segments again, drawn at random, or every one" },
  segment: { kind: "list", value: "RUN:FROM..TO…", help: "train these pieces again; RUN is a label or begins a key" },
  "replay-seed": { kind: "text", value: "HEX", help: "32 digits: repeat the choice of another verifier" },
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
 * What is to be trained again; undefined if nothing is.
 *
 * @param usual stands for `--replay` where the options name no pieces
 */
export function piecesFromOptions(values: Values<typeof REPLAY_OPTIONS>, usual?: string): ReplayPieces | undefined {
  const { segment: names, "replay-seed": seed } = values;
  if (values.replay !== undefined && names !== undefined) {
    throw new UserError("TWO_CHOICES", 'Both "--replay" and "--segment" are given', "give one of them");
  }
  const count = values.replay ?? (names === undefined ? usual : undefined);
  if (seed !== undefined && (count === undefined || count === "all")) {
    throw new UserError("UNUSED_OPTION", '"--replay-seed" needs a number of segments to draw', "add --replay 5");
  }
  if (names !== undefined) return { kind: "named", names };
  if (count === undefined) {
    const unused = ([
      ...Object.keys(SOURCE_OPTIONS) as (keyof typeof SOURCE_OPTIONS)[],
      ...Object.keys(ENGINE_OPTIONS) as (keyof typeof ENGINE_OPTIONS)[],
    ] as const).find((
      name,
    ) => values[name] !== undefined);
    if (unused === undefined) return undefined;
    throw new UserError("UNUSED_OPTION", `"--${unused}" is for a replay only`, "add --replay 5");
  }
  const segments = segmentCount("replay", count);
  if (segments === "all") return { kind: "all" };
  return { kind: "random", count: segments, ...(seed === undefined ? {} : { seed: parseSeed(seed) }) };
}

/**
 * A number of segments, or all of them.
 *
 * @param option that has the value
 * @throws {UserError} `BAD_NUMBER`
 */
export function segmentCount(option: string, value: string): number | "all" {
  if (value === "all") return value;
  if (/^[1-9]\d{0,8}$/.test(value)) return Number(value);
  throw new UserError("BAD_NUMBER", `Option "--${option}" is "${value}"`, 'expected a whole number from 1, or "all"');
}

/**
 * Verifies with a replay.
 *
 * @param quiet prints nothing on the way
 * @returns undefined when it was interrupted
 */
export async function runReplay(
  path: string,
  pieces: ReplayPieces,
  values: Values<typeof REPLAY_OPTIONS>,
  verifyOptions: VerifyOptions,
  quiet: boolean,
): Promise<Replay | undefined> {
  const corpusFiles = filesFromOptions(values);
  const { start, ...downloads } = sourcesFromOptions(values);
  const { signal, dispose } = abortOnSignals();
  try {
    const result = await replay(path, {
      ...verifyOptions,
      pieces,
      engine: () => startEngine(values),
      dataCache: DATA_CACHE,
      signal,
      ...(corpusFiles === undefined ? {} : { corpusFiles }),
      ...(typeof start === "object" ? { start } : {}),
      ...downloads,
      ...(quiet ? {} : { events: progressLines() }),
    });
    return signal.aborted && result.report.verdict === "could not check" ? undefined : result;
  } finally {
    dispose();
  }
}

/** A replay for `--json`. */
export function replaySummary({ choice, replayed, difference }: Replay): Readonly<Record<string, unknown>> {
  return {
    ...(choice === undefined ? {} : {
      segments: choice.segments.map(segmentName),
      total: choice.total,
      worth: choice.worth,
      ...(choice.seed === undefined ? {} : { seed: choice.seed }),
    }),
    replayed: replayed.map(segmentName),
    ...(difference === undefined ? {} : { difference }),
  };
}

/** One line a segment, and the choice before them. */
function progressLines(): ReplayEvents {
  let start = 0;
  let done = 0;
  let total = 0;
  return {
    onChoice: ({ segments, total: all, seed, worth }) => {
      total = segments.length;
      const tokens = segments.reduce((sum, segment) => sum + segment.tokens, 0);
      print(`Training ${total} of ${all} segments again, ${compactNumber(tokens)} tokens`);
      if (seed !== undefined) print(`Seed of the choice: ${seed} (repeat it with --replay-seed)`);
      print(`${worth}\n`);
      start = performance.now();
    },
    onSegment: (segment, { startedAt, evaluations }) => {
      const seconds = (performance.now() - start) / 1000;
      start = performance.now();
      done++;
      const place = `${String(done).padStart(String(total).length)}/${total}`;
      const from = startedAt === segment.from ? "" : `, trained from step ${startedAt}`;
      print(
        `  ${place}  ${segmentName(segment)}  same bits: ${counted(segment.to - segment.from, "step")}, ` +
          `${counted(evaluations, "evaluation")}, ${formatSeconds(seconds)}${from}`,
      );
    },
  };
}
