/**
 * How each arm looks, the same in every figure. Looks follow from the order of experiments and arms: an arm that reads
 * the same run as an earlier one, or bears the same label, looks the same, and arms that meet in a figure look different.
 * Colour is never alone: looks also differ in dash pattern and marker.
 */
import type { StatedExperiment } from "../../results/experiment_file.ts";
import type { ReportArm } from "../input/input.ts";

/** Names of the marker shapes. */
export type MarkerName = "circle" | "square" | "triangle" | "diamond" | "cross" | "wedge";

/** A look without a label. */
interface Look {
  /** CSS variable, such as `--blue`, which changes with the reader's light or dark mode (stylesheet.ts) */
  readonly colour: string;
  /** SVG dash array; empty for a solid line */
  readonly dash: string;
  readonly marker: MarkerName;
}

/** The look of an arm. */
export interface ArmStyle extends Look {
  /** as the reader sees it: `0.5×`, `7 %, no warm-up` */
  readonly label: string;
}

const PALETTE: readonly Look[] = [
  { colour: "--blue", dash: "", marker: "circle" },
  { colour: "--red", dash: "4 2", marker: "diamond" },
  { colour: "--green", dash: "9 3 2 3", marker: "triangle" },
  { colour: "--purple", dash: "7 4", marker: "square" },
  { colour: "--gold", dash: "5 3", marker: "wedge" },
  { colour: "--grey", dash: "2 3", marker: "cross" },
  { colour: "--teal", dash: "", marker: "triangle" },
  { colour: "--pink", dash: "6 2 2 2", marker: "circle" },
  { colour: "--blue", dash: "5 3", marker: "square" },
  { colour: "--red", dash: "", marker: "wedge" },
  { colour: "--green", dash: "", marker: "diamond" },
  { colour: "--purple", dash: "", marker: "cross" },
];

/** Looks and labels of all arms. */
export class Legend {
  readonly #looks = new Map<string, Look>();
  readonly #labels = new Map<string, { readonly label: string; readonly legend: string }>();

  constructor(experiments: readonly StatedExperiment[], arms: readonly ReportArm[]) {
    const runs = new Map<string, string>();
    for (const { experiment, arm, runKey } of arms) {
      const reference = referenceTo(experiment, arm);
      if (!runs.has(reference)) runs.set(reference, runKey);
    }
    const byRun = new Map<string, Look>();
    const byLabel = new Map<string, Look>();
    for (const stated of experiments) {
      const used = new Set(
        experiments.filter(({ name }) => name !== stated.name && meet(stated, name, experiments))
          .flatMap(({ name, arms }) =>
            Object.keys(arms).flatMap((arm) => this.#looks.get(referenceTo(name, arm)) ?? [])
          ),
      );
      const own = Object.entries(stated.arms).map(([arm, { label = arm, legend = label }]) => {
        const reference = referenceTo(stated.name, arm);
        this.#labels.set(reference, { label, legend });
        return { reference, run: runs.get(reference), label };
      });
      const assign = ({ reference, run, label }: typeof own[number], look: Look) => {
        used.add(look);
        if (run !== undefined && !byRun.has(run)) byRun.set(run, look);
        if (!byLabel.has(label)) byLabel.set(label, look);
        this.#looks.set(reference, look);
      };
      const others = own.filter((arm) => {
        const ofRun = byRun.get(arm.run ?? "");
        const ofLabel = byLabel.get(arm.label);
        const shared = ofRun ?? (ofLabel === undefined || used.has(ofLabel) ? undefined : ofLabel);
        if (shared !== undefined) assign(arm, shared);
        return shared === undefined;
      });
      others.forEach((arm, index) => assign(arm, PALETTE.find((look) => !used.has(look)) ?? inTurn(index)));
    }
  }

  /**
   * The look of an arm.
   *
   * @param index of the arm in its figure; an arm that no experiment states takes its turn by it
   * @param isAmongOthers whether arms of several experiments meet, so that the label must say of which it is
   */
  style(experiment: string, arm: string, index: number, isAmongOthers = false): ArmStyle {
    const reference = referenceTo(experiment, arm);
    const { label, legend } = this.#labels.get(reference) ?? { label: arm, legend: arm };
    return { ...this.#looks.get(reference) ?? inTurn(index), label: isAmongOthers ? legend : label };
  }
}

function inTurn(index: number): Look {
  return PALETTE[index % PALETTE.length] as Look;
}

function referenceTo(experiment: string, arm: string): string {
  return `${experiment}/${arm}`;
}

/** Whether a figure shows arms of both experiments. */
function meet(one: StatedExperiment, other: string, experiments: readonly StatedExperiment[]): boolean {
  return experiments.some(({ name, figures }) =>
    figures.some((figure) => {
      const shown = [name, ...figure.with];
      return shown.includes(one.name) && shown.includes(other);
    })
  );
}
