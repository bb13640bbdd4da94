/**
 * A report to look at and to test: curves through the few losses of a rehearsal at the tiny scale (another
 * implementation, one seed), smooth between them. Where the rehearsal has no number – upstream-trained runs on
 * downstream text, the 19 % checkpoint, other seeds, pre-training – the values are made up. Verdicts are made up too.
 */
import { PAPER } from "../results/paper.ts";
import type { Verdict } from "../../src/results/claims.ts";
import type { ReportArm, ReportInput, ReportRun } from "../../src/report/input/input.ts";
import { sha256 } from "../../src/digest/sha256.ts";
import {
  type LossPair,
  REHEARSAL_CHECKPOINTS,
  REHEARSAL_LOSSES,
  REHEARSAL_SAME_DATA,
  REHEARSAL_STEPS,
} from "../results/rehearsal_losses.ts";

const TOKENS_PER_STEP = 2048;
const HORIZON_STEPS = 1464;
const SHORT_STEPS = 248;

type Losses = readonly LossPair[];

/** Upstream losses of the same-data runs at steps 0, 14, 29, 73, 248, 497; their downstream losses follow on a line. */
function sameData(upstream: readonly number[]): Losses {
  return upstream.map((loss) => [loss, 0.62 + loss * 0.98] as const);
}

/** The run whose losses these are, moved towards those of an earlier checkpoint. */
function fromCheckpoint(start: LossPair, end: LossPair): Losses {
  const shape = [0, .35, .5, .72, 1];
  return shape.map((share) =>
    [start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])] as const
  );
}

interface Recipe {
  readonly experiment: string;
  readonly arm: string;
  readonly steps: number;
  readonly warmup: number;
  readonly losses: Losses;
  /** label of the run, where another arm has it too */
  readonly run?: string;
}

const RECIPES: readonly Recipe[] = [
  {
    experiment: "upstream",
    arm: "pretrain",
    steps: 1953,
    warmup: 0.01,
    losses: REHEARSAL_LOSSES["from-scratch/scratch"].map(([u, d]) => [u - .4, d]),
  },
  ...[
    ["0%", 0, REHEARSAL_LOSSES["warmup-length/0%"]] as const,
    ["0.5%", .005, REHEARSAL_LOSSES["warmup-length/0.5%"]] as const,
    ["1%", .01, REHEARSAL_LOSSES["max-learning-rate/1x"]] as const,
    ["2%", .02, REHEARSAL_LOSSES["warmup-length/2%"]] as const,
  ].map(([arm, warmup, losses]) => ({ experiment: "warmup-length", arm, steps: SHORT_STEPS, warmup, losses })),
  {
    experiment: "max-learning-rate",
    arm: "constant",
    steps: HORIZON_STEPS,
    warmup: 0,
    losses: REHEARSAL_LOSSES["max-learning-rate/constant"],
  },
  {
    experiment: "max-learning-rate",
    arm: "0.5x",
    steps: HORIZON_STEPS,
    warmup: .01,
    losses: REHEARSAL_LOSSES["max-learning-rate/0.5x"],
  },
  {
    experiment: "max-learning-rate",
    arm: "1x",
    steps: HORIZON_STEPS,
    warmup: .01,
    losses: REHEARSAL_LOSSES["max-learning-rate/1x"],
    run: "warmup-length_1%",
  },
  {
    experiment: "max-learning-rate",
    arm: "2x",
    steps: HORIZON_STEPS,
    warmup: .01,
    losses: REHEARSAL_LOSSES["max-learning-rate/2x"],
  },
  {
    experiment: "from-scratch",
    arm: "scratch",
    steps: HORIZON_STEPS,
    warmup: .01,
    losses: REHEARSAL_LOSSES["from-scratch/scratch"],
  },
  ...[
    ["constant", 0, sameData(REHEARSAL_SAME_DATA["same-data/constant"])] as const,
    ["0.5x", .01, sameData(REHEARSAL_SAME_DATA["same-data/0.5x"])] as const,
    ["1x", .01, sameData(REHEARSAL_SAME_DATA["same-data/1x"])] as const,
    ["2x", .01, sameData(REHEARSAL_SAME_DATA["same-data/2x"])] as const,
  ].map(([arm, warmup, losses]) => ({ experiment: "same-data", arm, steps: SHORT_STEPS, warmup, losses })),
  ...[
    ["7%-warmup-0%", 0, fromCheckpoint(...REHEARSAL_CHECKPOINTS["earlier-checkpoints/7%-warmup-0%"])] as const,
    ["7%-warmup-1%", .01, fromCheckpoint(...REHEARSAL_CHECKPOINTS["earlier-checkpoints/7%-warmup-1%"])] as const,
    ["19%-warmup-0%", 0, fromCheckpoint([1.52, 1.91], [1.48, 1.475])] as const,
    ["19%-warmup-1%", .01, fromCheckpoint([1.52, 1.91], [1.47, 1.468])] as const,
  ].map(([arm, warmup, losses]) => ({ experiment: "earlier-checkpoints", arm, steps: SHORT_STEPS, warmup, losses })),
  {
    experiment: "earlier-checkpoints",
    arm: "100%-warmup-0%",
    steps: SHORT_STEPS,
    warmup: 0,
    losses: REHEARSAL_LOSSES["warmup-length/0%"],
    run: "warmup-length_0%",
  },
  {
    experiment: "earlier-checkpoints",
    arm: "100%-warmup-1%",
    steps: SHORT_STEPS,
    warmup: .01,
    losses: REHEARSAL_LOSSES["max-learning-rate/1x"],
    run: "warmup-length_1%",
  },
];

/** Losses at a step, linear between the anchors, with a ripple of its own for every seed but the first. */
function lossesAt(losses: Losses, step: number, seed: number): [number, number] {
  const right = REHEARSAL_STEPS.findIndex((anchor) => anchor >= step);
  const index = right < 0 ? losses.length - 1 : Math.min(Math.max(1, right), losses.length - 1);
  const [from, to] = [REHEARSAL_STEPS[index - 1] as number, REHEARSAL_STEPS[index] as number];
  const share = Math.min(1, (step - from) / (to - from));
  const [a, b] = [losses[index - 1], losses[index]] as [readonly [number, number], readonly [number, number]];
  const ripple = seed * 0.011 * (((step * 7 + seed * 3) % 11) / 11 - 0.3);
  return [a[0] + share * (b[0] - a[0]) + ripple, a[1] + share * (b[1] - a[1]) + ripple * 0.8];
}

function armOf({ experiment, arm, steps, warmup, losses, run }: Recipe, seed: number): ReportArm {
  const label = `${run ?? `${experiment}_${arm}`}_seed-${seed}`;
  const runKey = sha256(label);
  const evaluated = new Set([0, steps]);
  for (let step = 0; step < steps; step += step < 146 ? 7 : 31) evaluated.add(step);
  return {
    experiment,
    arm,
    seedIndex: seed,
    label,
    runKey,
    steps,
    warmupTokens: warmup * HORIZON_STEPS * TOKENS_PER_STEP,
    trainedOn: experiment === "upstream" || experiment === "same-data" ? "upstream" : "downstream",
    startsAtRandom: experiment === "upstream" || experiment === "from-scratch",
    curves: {
      runKey,
      label,
      tokensPerStep: TOKENS_PER_STEP,
      bytesPerToken: { upstream: 1, downstream: 1 },
      points: [...evaluated].sort((a, b) => a - b).map((step) => {
        const [upstream, downstream] = lossesAt(losses, step, seed);
        return { step, tokens: step * TOKENS_PER_STEP, learningRate: 0.003, upstream, downstream };
      }),
    },
  };
}

/** GPT-NeoX's clamped cosine, good enough for a picture. */
function sampledSchedule(highest: number, warmup: number): Float32Array {
  return Float32Array.from({ length: 601 }, (_, i) => {
    const t = i / 600;
    if (t < warmup) return highest * t / warmup;
    return Math.max(highest / 2 * (Math.cos(Math.PI * (t - warmup)) + 1), highest * 0.1);
  });
}

function verdict(id: string, section: string, figure: string, name: Verdict["verdict"], title: string) {
  return {
    id,
    section,
    figure,
    verdict: name,
    title,
    statement: `${title}, as the paper says at more length.`,
    confidence: "A",
    summary: "in a few words",
    reason: "All comparisons hold.",
  };
}

/** Evidence from runs by their labels. */
const evidenceOf = (...labels: string[]) =>
  labels.map((label) => ({
    label: `${label.replace("_", "/").replace("_seed-", ", seed ")}: downstream loss in nats`,
    runKey: sha256(label),
    step: 1464,
    tokens: 1464 * TOKENS_PER_STEP,
    value: "1.001000",
  }));

const VERDICTS: readonly Verdict[] = [
  {
    ...verdict(
      "warmup-length-no-downstream-difference",
      "4.1",
      "1",
      "reproduced",
      "The length of the warm-up makes no significant difference downstream",
    ),
    rule: "Largest difference of downstream loss between any two lengths at 17 % of T stays below 0.02 nats",
    reason: "The four lengths lie within 0.011 nats of each other.",
    numbers: [{ name: "largest difference", value: "0.011" }, { name: "margin", value: "0.02" }],
    evidence: evidenceOf("warmup-length_0%_seed-0", "warmup-length_0.5%_seed-0", "warmup-length_1%_seed-0"),
  },
  {
    ...verdict(
      "max-lr-downstream-monotone",
      "4.2",
      "2",
      "reproduced",
      "The higher the maximum learning rate, the lower the final downstream loss",
    ),
    rule: "Final downstream loss of 2× < 1× < 0.5×, each by more than 0.005 nats",
    numbers: [{ name: "0.5×", value: "1.038" }, { name: "1×", value: "1.001" }, { name: "2×", value: "0.982" }],
    evidence: evidenceOf("max-learning-rate_0.5x_seed-0", "warmup-length_1%_seed-0", "max-learning-rate_2x_seed-0"),
  },
  {
    ...verdict(
      "constant-best-early",
      "4.2",
      "2",
      "inconclusive",
      "The constant learning rate is best downstream at first, and loses later",
    ),
    rule: "Constant has the lowest downstream loss at 34 % of T and the highest of the continued runs at the end",
    reason: "It leads only in the first few percent of the tokens.",
    numbers: [{ name: "constant − 1× at 34 % of T", value: "0.043" }, { name: "at the end", value: "0.126" }],
    evidence: evidenceOf("max-learning-rate_constant_seed-0"),
  },
  {
    ...verdict(
      "scratch-overtakes-constant",
      "4.3",
      "2, 3",
      "contradicted",
      "Training from scratch overtakes the constant learning rate after 67 % of the tokens",
    ),
    rule: "Downstream loss of scratch below constant at the end of the run",
    reason: "Scratch is still 0.056 nats behind at the end; the text is too short for it to catch up.",
    numbers: [{ name: "scratch − constant", value: "0.056" }],
    evidence: evidenceOf("from-scratch_scratch_seed-0", "max-learning-rate_constant_seed-0"),
  },
  {
    ...verdict(
      "pile-loss-peak",
      "4.1",
      "1",
      "not comparable",
      "The highest Pile loss over the warm-up lengths is about 2.5",
    ),
    rule: "Only at scale paper: highest upstream loss of the four arms between 2.45 and 2.55",
    numbers: [{ name: "ours", value: "1.222" }],
    evidence: evidenceOf("warmup-length_0%_seed-0"),
  },
];

/** The report's input with some seeds; `change` replaces parts of it. */
export function sampleInput(seeds = 1, change: Partial<ReportInput> = {}): ReportInput {
  const arms = RECIPES.flatMap((recipe) => Array.from({ length: seeds }, (_, seed) => armOf(recipe, seed)));
  const runs = new Map<string, ReportRun>();
  for (const { experiment, label, runKey, curves } of arms) {
    const last = curves.points.at(-1);
    if (runs.has(label) || !last) continue;
    runs.set(label, {
      label,
      runKey,
      status: "completed",
      corpus: experiment === "same-data" || experiment === "upstream" ? "upstream" : "downstream",
      startsFrom: experiment === "upstream" || experiment === "from-scratch"
        ? "random weights"
        : "upstream_pretrain_seed-0, step 1953",
      steps: last.step,
      tokens: last.tokens,
      upstream: last.upstream,
      downstream: last.downstream,
      journalRoot: sha256(`journal of ${label}`),
    });
  }
  return {
    scale: {
      name: "tiny",
      parameters: 182_848,
      tokenUnit: "byte",
      upstreamName: "three quarters TypeScript’s and one quarter Node’s declarations",
      downstreamName: "three quarters Node’s and one quarter TypeScript’s declarations",
      textIsThePapers: false,
      pretraining: { tokens: 1953 * TOKENS_PER_STEP },
      changes: [],
      downstreamHorizonTokens: HORIZON_STEPS * TOKENS_PER_STEP,
      seeds,
      criteria: [
        {
          id: "a",
          name: "tokens of pre-training a parameter",
          paper: 740,
          bounds: { least: 74 },
          ours: 22,
          holds: false,
        },
        { id: "b", name: "horizon ÷ pre-training", paper: 0.99, bounds: { least: 0.9, most: 2 }, ours: 1, holds: true },
      ],
      engine: "exact",
      determinism: "machine_to_machine",
    },
    paper: {
      title: "Continual Pre-Training of Large Language Models: How to (re)warm your model?",
      arxiv: "2308.04014v2",
      model: "Pythia-410M",
      parameters: 405_334_016,
      upstreamName: "the Pile",
      downstreamName: "SlimPajama",
      downstreamHorizonTokens: 296_859_205_632,
      pretrainingTokens: 299_892_736_000,
    },
    rulesVersion: 1,
    openPoints: [{
      question: "Were Adam’s moments reset at the start of continued training?",
      here: "moments start at zero in every run",
      confidence: "C",
    }],
    command: "reproduce --scale tiny",
    experiments: PAPER.experiments,
    arms,
    schedules: [
      { experiment: "max-learning-rate", arm: "constant", sampled: new Float32Array(601).fill(3e-4) },
      { experiment: "max-learning-rate", arm: "0.5x", sampled: sampledSchedule(1.5e-3, .01) },
      { experiment: "max-learning-rate", arm: "1x", sampled: sampledSchedule(3e-3, .01) },
      { experiment: "max-learning-rate", arm: "2x", sampled: sampledSchedule(6e-3, .01) },
    ],
    verdicts: VERDICTS,
    estimates: [{
      id: "gap",
      experiment: "max-learning-rate",
      title: "Depth of the stability gap",
      measure: "highest upstream loss above the constant arm",
      numbers: [{
        label: "depth of 1x",
        unit: "share of loss",
        value: "0.123400",
        seeds,
        intervals: [{ over: "documents", count: 33, low: "-0.010000", high: "0.200000" }],
      }],
      evidence: [],
    }],
    comparisons: [
      {
        kind: "setup",
        id: "warmup-shares",
        confidence: "A",
        agrees: true,
        name: "Warm-up as share of downstream tokens",
        paper: "0, 0.5, 1, 2 %",
        source: "section 3",
        ours: "0, 0.5, 1, 2 %",
        comparable: true,
        reason: "the same shares at every scale",
      },
      {
        kind: "text",
        id: "pile-peak",
        confidence: "A",
        name: "Highest upstream loss by warm-up length",
        paper: "about 2.5",
        source: "section 4.1",
        ours: "1.222",
        comparable: false,
        reason: "nats a BPE token of a 410M model there, nats a byte of a 0.18M model here",
      },
    ],
    corpora: [{
      name: "upstream",
      madeOf: "text of the family “typescript”",
      facts: [{ name: "train tokens", value: "2752539" }, { name: "share of typescript", value: "0.786169423939134" }],
      digest: sha256("upstream"),
    }],
    runs: [...runs.values()],
    environment: [
      { name: "Deno", value: "2.9.6" },
      { name: "Processor", value: "x86-64 with FMA3, 2 threads" },
      { name: "Engine", value: "exact, arithmetic version 1" },
    ],
    digests: [
      { name: "plan.json", value: sha256("plan") },
      { name: "lockfiles/data.lock.yaml", value: sha256("lock") },
      { name: "experiments/paper.yaml", value: sha256("claims") },
    ],
    warnings: [],
    limits: ["Replay of past data: the paper has none, and neither has this matrix."],
    ...change,
  };
}
