/** What must hold before a claim can be compared at all: a model that learned nothing reproduces and contradicts nothing. */
import { type ArmCurves, CannotRead, type JudgeContext } from "../arm_curves.ts";
import { askedInWords, inWords } from "../contrast.ts";
import type { Paper } from "../paper_schema.ts";
import type { Evidence } from "../rules/assessment.ts";
import { measureContrast, type Measurement } from "./measurement.ts";
import { assessWithErrors } from "./sampling.ts";

/** A precondition, looked at. */
export interface ExaminedPrecondition {
  readonly name: string;
  /** why claims cannot be compared, in words; absent if it is met */
  readonly unmet?: string;
  readonly measurements: readonly Measurement[];
  readonly evidence: readonly Evidence[];
}

/** The preconditions of a document of rules, each looked at once. */
export class Preconditions {
  readonly #examined = new Map<string, ExaminedPrecondition>();

  constructor(
    private readonly paper: Pick<Paper, "preconditions" | "margins">,
    private readonly arms: readonly ArmCurves[],
    private readonly context: JudgeContext,
  ) {}

  /** @param name of an entry that the document has */
  examine(name: string): ExaminedPrecondition {
    const known = this.#examined.get(name);
    if (known !== undefined) return known;
    const examined = this.#look(name);
    this.#examined.set(name, examined);
    return examined;
  }

  #look(name: string): ExaminedPrecondition {
    const entry = this.paper.preconditions[name];
    if (entry === undefined) throw new Error(`No precondition "${name}"`);
    const marginValue = (margin: string) => this.paper.margins[margin]?.value ?? NaN;
    try {
      const finding = assessWithErrors(entry.rule, { ...this.context, arms: this.arms, marginValue });
      const measurements = finding.contrasts.map((contrast, index) =>
        measureContrast(contrast, finding.sampling?.[index])
      );
      const short = measurements.filter(({ outcome }) => outcome !== "holds");
      const examined = { name, measurements, evidence: finding.evidence };
      if (short.length === 0) return examined;
      const found = short.map(({ contrast, mean }) =>
        `"${contrast.label}" ${inWords(mean, contrast.unit)} (${askedInWords(contrast)})`
      );
      return { ...examined, unmet: `${entry.otherwise}: ${found.join("; ")}` };
    } catch (error) {
      if (!(error instanceof CannotRead)) throw error;
      return { name, measurements: [], evidence: [], unmet: `whether ${entry.title} cannot be read: ${error.message}` };
    }
  }
}
