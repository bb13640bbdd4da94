/**
 * How each arm looks, the same in every figure. Colour is never alone: arms also differ in dash pattern and marker.
 * Colours are names of CSS variables (stylesheet.ts), which change with the reader's light or dark mode.
 */

/** Names of the marker shapes. */
export type MarkerName = "circle" | "square" | "triangle" | "diamond" | "cross" | "wedge";

/** The look of an arm. */
export interface ArmStyle {
  /** as the reader sees it: `0.5×`, `7 %, no warm-up` */
  readonly label: string;
  /** CSS variable, such as `--blue` */
  readonly colour: string;
  /** SVG dash array; empty for a solid line */
  readonly dash: string;
  readonly marker: MarkerName;
}

type Look = readonly [colour: string, dash: string, marker: MarkerName];

// The run with 1 % warm-up to the maximum LR stands in three experiments: blue, solid, circles in all of them.
const BASE: Look = ["--blue", "", "circle"];
const MAX_LEARNING_RATE: Readonly<Record<string, readonly [string, Look]>> = {
  "constant": ["constant", ["--gold", "7 4", "square"]],
  "0.5x": ["0.5×", ["--green", "9 3 2 3", "triangle"]],
  "1x": ["1×", BASE],
  "2x": ["2×", ["--red", "4 2", "diamond"]],
};

const LOOKS: Readonly<Record<string, Readonly<Record<string, readonly [label: string, look: Look]>>>> = {
  "upstream": { "pretrain": ["pre-training", BASE] },
  "warmup-length": {
    "0%": ["0\u00a0%", ["--red", "4 2", "diamond"]],
    "0.5%": ["0.5\u00a0%", ["--green", "9 3 2 3", "triangle"]],
    "1%": ["1\u00a0%", BASE],
    "2%": ["2\u00a0%", ["--purple", "7 4", "square"]],
  },
  "max-learning-rate": MAX_LEARNING_RATE,
  "from-scratch": { "scratch": ["from scratch", ["--grey", "2 3", "cross"]] },
  "same-data": MAX_LEARNING_RATE,
  "earlier-checkpoints": {
    "7%-warmup-0%": ["7\u00a0%, no warm-up", ["--gold", "5 3", "square"]],
    "7%-warmup-1%": ["7\u00a0%, warm-up 1\u00a0%", ["--gold", "", "triangle"]],
    "19%-warmup-0%": ["19\u00a0%, no warm-up", ["--purple", "5 3", "diamond"]],
    "19%-warmup-1%": ["19\u00a0%, warm-up 1\u00a0%", ["--purple", "", "wedge"]],
    "100%-warmup-0%": ["100\u00a0%, no warm-up", ["--blue", "5 3", "cross"]],
    "100%-warmup-1%": ["100\u00a0%, warm-up 1\u00a0%", BASE],
  },
};

const OTHERS: readonly Look[] = [
  BASE,
  ["--red", "4 2", "diamond"],
  ["--green", "9 3 2 3", "triangle"],
  ["--purple", "7 4", "square"],
  ["--gold", "5 3", "wedge"],
  ["--grey", "2 3", "cross"],
];

/** The look of an arm; arms of the user's own experiments take turns through the palette by their index. */
export function armStyle(experiment: string, arm: string, index: number): ArmStyle {
  const experimentLooks = Object.hasOwn(LOOKS, experiment) ? LOOKS[experiment] : undefined;
  const known = experimentLooks !== undefined && Object.hasOwn(experimentLooks, arm) ? experimentLooks[arm] : undefined;
  const [label, look] = known ?? [arm, OTHERS[index % OTHERS.length] ?? BASE];
  const [colour, dash, marker] = look;
  return { label, colour, dash, marker };
}
