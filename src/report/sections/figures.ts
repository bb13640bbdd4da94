/** The figures of the report: those of every experiment, under its heading. */
import { placeOf, type StatedExperiment } from "../../results/experiment_file.ts";
import type { Figure } from "../../results/figure_schema.ts";

/** A figure with the experiments whose arms it shows. */
export interface FigureDefinition extends Figure {
  /** without an arm of the first one there is no figure */
  readonly experiments: readonly [own: string, ...others: string[]];
}

/** Figures of one experiment. */
export interface FigureGroup {
  readonly id: string;
  readonly title: string;
  /** what is varied and what is held */
  readonly introduction: string;
  readonly figures: readonly FigureDefinition[];
}

/** All figures: the experiments with figures of the paper first, in their order, then those with figures of ours. */
export function figureGroups(experiments: readonly StatedExperiment[]): FigureGroup[] {
  const groups = experiments.filter(({ figures }) => figures.length > 0).map((experiment): FigureGroup => {
    const { name, title, question, introduction = question, figures } = experiment;
    return {
      id: name,
      title: `${title} (${placeOf(experiment)})`,
      introduction,
      figures: figures.map((figure) => ({ ...figure, experiments: [name, ...figure.with] })),
    };
  });
  const isPapers = ({ figures }: FigureGroup) => figures.some(({ paperFigure }) => paperFigure !== undefined);
  return [...groups.filter(isPapers), ...groups.filter((group) => !isPapers(group))];
}
