/**
 * A report to look at and to test: curves through the few losses of a rehearsal at the tiny scale (another
 * implementation, one seed), smooth between them. Where the rehearsal has no number – upstream-trained runs on
 * downstream text, the 19 % checkpoint, other seeds, pre-training – the values are made up. Verdicts are made up too.
 */
import type { Verdict } from "../../src/results/claims.ts";
import type { ReportArm, ReportInput, ReportRun } from "../../src/report/input.ts";
import { sha256 } from "../../src/digest/sha256.ts";

const TOKENS_PER_STEP = 2048;
const HORIZON_STEPS = 1464;
const SHORT_STEPS = 248;
const STEPS = [0, 14, 29, 73, 248, 497, 732, 980, 1185, 1464];

type Losses = readonly (readonly [upstream: number, downstream: number])[];

const CONSTANT: Losses = [
  [.890, 1.491],
  [.912, 1.425],
  [.917, 1.394],
  [.934, 1.349],
  [.956, 1.267],
  [.975, 1.222],
  [.999, 1.185],
  [.991, 1.160],
  [.999, 1.144],
  [1.003, 1.127],
];
const HALF: Losses = [
  [.890, 1.491],
  [.981, 1.450],
  [1.029, 1.395],
  [1.066, 1.348],
  [1.091, 1.242],
  [1.088, 1.167],
  [1.098, 1.110],
  [1.047, 1.067],
  [1.040, 1.044],
  [1.034, 1.038],
];
const ONCE: Losses = [
  [.890, 1.491],
  [1.076, 1.490],
  [1.151, 1.443],
  [1.168, 1.399],
  [1.208, 1.266],
  [1.198, 1.179],
  [1.163, 1.106],
  [1.095, 1.045],
  [1.080, 1.012],
  [1.071, 1.001],
];
const TWICE: Losses = [
  [.890, 1.491],
  [1.252, 1.611],
  [1.359, 1.546],
  [1.356, 1.489],
  [1.351, 1.308],
  [1.297, 1.213],
  [1.228, 1.135],
  [1.137, 1.046],
  [1.117, .996],
  [1.097, .982],
];
const SCRATCH: Losses = [
  [5.785, 5.842],
  [4.014, 3.519],
  [3.128, 2.737],
  [2.716, 2.430],
  [2.172, 2.098],
  [1.626, 1.588],
  [1.473, 1.377],
  [1.349, 1.268],
  [1.319, 1.207],
  [1.295, 1.183],
];

/** Upstream losses of the same-data runs at steps 0, 14, 29, 73, 248, 497; their downstream losses follow on a line. */
function sameData(...upstream: readonly number[]): Losses {
  return upstream.map((loss) => [loss, 0.62 + loss * 0.98] as const);
}

/** The run whose losses these are, moved towards those of an earlier checkpoint. */
function fromCheckpoint(start: readonly [number, number], end: readonly [number, number]): Losses {
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
  { experiment: "upstream", arm: "pretrain", steps: 1953, warmup: 0.01, losses: SCRATCH.map(([u, d]) => [u - .4, d]) },
  ...[
    ["0%", 0, [[.890, 1.491], [1.222, 1.558], [1.182, 1.450], [1.188, 1.386], [1.207, 1.258]]] as const,
    ["0.5%", .005, [[.890, 1.491], [1.142, 1.529], [1.162, 1.441], [1.170, 1.391], [1.209, 1.260]]] as const,
    ["1%", .01, ONCE] as const,
    ["2%", .02, [[.890, 1.491], [.981, 1.450], [1.097, 1.431], [1.156, 1.399], [1.205, 1.269]]] as const,
  ].map(([arm, warmup, losses]) => ({ experiment: "warmup-length", arm, steps: SHORT_STEPS, warmup, losses })),
  { experiment: "max-learning-rate", arm: "constant", steps: HORIZON_STEPS, warmup: 0, losses: CONSTANT },
  { experiment: "max-learning-rate", arm: "0.5x", steps: HORIZON_STEPS, warmup: .01, losses: HALF },
  {
    experiment: "max-learning-rate",
    arm: "1x",
    steps: HORIZON_STEPS,
    warmup: .01,
    losses: ONCE,
    run: "warmup-length_1%",
  },
  { experiment: "max-learning-rate", arm: "2x", steps: HORIZON_STEPS, warmup: .01, losses: TWICE },
  { experiment: "from-scratch", arm: "scratch", steps: HORIZON_STEPS, warmup: .01, losses: SCRATCH },
  ...[
    ["constant", 0, sameData(.890, .896, .894, .890, .883, .880)] as const,
    ["0.5x", .01, sameData(.890, .931, .957, .949, .946, .910)] as const,
    ["1x", .01, sameData(.890, 1.002, 1.033, 1.021, 1.000, .956)] as const,
    ["2x", .01, sameData(.890, 1.152, 1.182, 1.181, 1.085, 1.008)] as const,
  ].map(([arm, warmup, losses]) => ({ experiment: "same-data", arm, steps: SHORT_STEPS, warmup, losses })),
  ...[
    ["7%-warmup-0%", 0, fromCheckpoint([2.174, 2.464], [1.750, 1.729])] as const,
    ["7%-warmup-1%", .01, fromCheckpoint([2.174, 2.464], [1.734, 1.722])] as const,
    ["19%-warmup-0%", 0, fromCheckpoint([1.52, 1.91], [1.48, 1.475])] as const,
    ["19%-warmup-1%", .01, fromCheckpoint([1.52, 1.91], [1.47, 1.468])] as const,
  ].map(([arm, warmup, losses]) => ({ experiment: "earlier-checkpoints", arm, steps: SHORT_STEPS, warmup, losses })),
  {
    experiment: "earlier-checkpoints",
    arm: "100%-warmup-0%",
    steps: SHORT_STEPS,
    warmup: 0,
    losses: [[.890, 1.491], [1.222, 1.558], [1.182, 1.450], [1.188, 1.386], [1.207, 1.258]],
    run: "warmup-length_0%",
  },
  {
    experiment: "earlier-checkpoints",
    arm: "100%-warmup-1%",
    steps: SHORT_STEPS,
    warmup: .01,
    losses: ONCE,
    run: "warmup-length_1%",
  },
];

/** Losses at a step, linear between the anchors, with a ripple of its own for every seed but the first. */
function lossesAt(losses: Losses, step: number, seed: number): [number, number] {
  const right = STEPS.findIndex((anchor) => anchor >= step);
  const index = right < 0 ? losses.length - 1 : Math.min(Math.max(1, right), losses.length - 1);
  const [from, to] = [STEPS[index - 1] as number, STEPS[index] as number];
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
      upstreamTokens: 1953 * TOKENS_PER_STEP,
      downstreamHorizonTokens: HORIZON_STEPS * TOKENS_PER_STEP,
      seeds,
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
    },
    arms,
    schedules: [
      { experiment: "max-learning-rate", arm: "constant", sampled: new Float32Array(601).fill(3e-4) },
      { experiment: "max-learning-rate", arm: "0.5x", sampled: sampledSchedule(1.5e-3, .01) },
      { experiment: "max-learning-rate", arm: "1x", sampled: sampledSchedule(3e-3, .01) },
      { experiment: "max-learning-rate", arm: "2x", sampled: sampledSchedule(6e-3, .01) },
    ],
    verdicts: VERDICTS,
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
    folder: "out/tiny",
    ...change,
  };
}
