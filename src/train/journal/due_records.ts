/**
 * What a run's journal must hold by its specification: the schedule's learning rates, and a state and an evaluation
 * wherever one is due. The records themselves are read by journal_reader.ts. Web-standard APIs only.
 */
import { tokensPerStep } from "../../experiment/plan/cost.ts";
import { isEvaluationStep, isStateStep, isWholeEvaluation } from "../../experiment/run/evaluation.ts";
import type { PlannedRun } from "../../experiment/run/run.ts";
import type { PerCorpus, ValidationSet } from "../../results/curves.ts";
import { sampleMeans } from "../../results/document_losses.ts";
import type { JournalHeader } from "./journal_header.ts";
import {
  type Bits,
  type EvaluationRecord,
  fromBits,
  fromBits64,
  type JournalRecord,
  meanBits,
  type StepRecord,
  toBits,
  toBits64,
} from "./journal_record.ts";

/** Holds the records of one journal against what is due; give it the header, every record in order, and the end. */
export class DueRecords {
  /** steps that were skipped, ascending */
  readonly skips: number[] = [];
  #hasEvaluations = true;
  #validation: PerCorpus<ValidationSet> | undefined;
  #seen = { state: false, evaluation: false };

  /** @param rates of the steps of the run's schedule */
  constructor(
    private readonly run: Pick<PlannedRun, "specification">,
    private readonly rates: Float32Array,
  ) {}

  /** Why the header is not as due. Version 1 of the format has no evaluations, and only 3 has losses by document. */
  begin(header: JournalHeader): string | undefined {
    const { version } = header;
    this.#hasEvaluations = version !== 1;
    this.#validation = version === 3 ? header.validation : undefined;
    const { evaluation, model: { sequenceLength } } = this.run.specification;
    const most = evaluation.landmarkWindows;
    if ((version === 3) !== (most !== undefined)) {
      return `it has version ${version} of the format, and the run's losses are ${
        most === undefined ? "not " : ""
      }kept by document`;
    }
    for (const { documents = [], sampledDocuments = [] } of this.#sets()) {
      const whole = windowsOf(documents, sequenceLength);
      if (whole === undefined || whole > (most ?? 0)) {
        return `its documents are not those of at most ${most} windows of ${sequenceLength} tokens`;
      }
      if (windowsOf(sampledDocuments, sequenceLength) !== evaluation.windows || !isAscending(sampledDocuments)) {
        return `its sampled documents are not those of ${evaluation.windows} windows of ${sequenceLength} tokens, ` +
          "each document once, in the order of domains and documents";
      }
    }
    return undefined;
  }

  #sets(): ValidationSet[] {
    return this.#validation === undefined ? [] : [this.#validation.upstream, this.#validation.downstream];
  }

  /** Why the next record, or what is missing before it, is not as due. */
  visit(record: JournalRecord): string | undefined {
    switch (record.kind) {
      case "state":
        this.#seen.state = true;
        return isStateStep(this.run.specification, record.step)
          ? undefined
          : `it records a state at step ${record.step}, where none is due`;
      case "evaluation":
        this.#seen.evaluation = true;
        return this.#evaluationFlaw(record);
      case "divergence":
        return this.end(record.step);
      case "step":
      case "skip": {
        const flaw = this.end(record.step) ?? (record.kind === "step" ? this.#rateFlaw(record) : this.#skipFlaw());
        if (record.kind === "skip") this.skips.push(record.step);
        this.#seen = { state: false, evaluation: false };
        return flaw;
      }
    }
  }

  /** What is missing where the journal resumes from a number of steps, or ends there. */
  end(steps: number): string | undefined {
    const isStateDue = isStateStep(this.run.specification, steps);
    if (isStateDue && !this.#seen.state) return `it records no state at step ${steps}, where one is due`;
    const isDue = this.#hasEvaluations && isEvaluationStep(this.run.specification.evaluation, steps);
    return isDue && !this.#seen.evaluation ? `it records no evaluation at step ${steps}, where one is due` : undefined;
  }

  #rateFlaw({ step, lr }: StepRecord): string | undefined {
    const rate = this.rates[step - this.skips.length];
    return rate === undefined ? "it is for a step after the end of the schedule" : otherRate(lr, rate);
  }

  #skipFlaw(): string | undefined {
    return this.run.specification.engine.level === "machine_to_machine"
      ? "it skips a step, which its arithmetic never does"
      : undefined;
  }

  /**
   * Losses by domain and sampled document at every evaluation, of all documents where the whole set is read: as many as
   * there are of each, and means that are those of the sampled documents.
   */
  #listsFlaw({ step, domains, sampledDocuments, documents, ...means }: EvaluationRecord): string | undefined {
    if (this.#validation === undefined) return undefined;
    const isWhole = isWholeEvaluation(this.run.specification.evaluation, step);
    if (isWhole !== (documents !== undefined)) {
      return `it has ${isWhole ? "no " : ""}losses by document at step ${step}, where ${isWhole ? "" : "none "}are due`;
    }
    for (const corpus of ["upstream", "downstream"] as const) {
      const set = this.#validation[corpus];
      const sums = sampledDocuments?.[corpus];
      const isComplete = domains?.[corpus].length === set.domains.length &&
        sums?.length === set.sampledDocuments?.length &&
        (documents === undefined || documents[corpus].length === set.documents?.length);
      if (!isComplete) return `its ${corpus} losses are not those of the domains and documents that the header names`;
      const due = sampleMeans(set, (sums ?? []).map(fromBits64));
      const isTheirs = toBits64(due.mean) === means[corpus] &&
        due.domains.every((mean, index) => domains?.[corpus][index] === meanBits(mean));
      if (!isTheirs) return `its ${corpus} means at step ${step} do not follow from the sums of its sampled documents`;
    }
    return undefined;
  }

  #evaluationFlaw(record: EvaluationRecord): string | undefined {
    const { step, tokens, lr } = record;
    if (!isEvaluationStep(this.run.specification.evaluation, step)) {
      return `it records an evaluation at step ${step}, where none is due`;
    }
    const lists = this.#listsFlaw(record);
    if (lists !== undefined) return lists;
    const due = step * tokensPerStep(this.run);
    if (tokens !== due) return `it is said to be after ${tokens} tokens, and ${step} steps read ${due}`;
    return otherRate(lr, this.rates[Math.min(step - this.skips.length, this.rates.length - 1)] ?? 0);
  }
}

/** How many windows these documents' tokens are; undefined where they are not whole windows. */
function windowsOf(documents: readonly { readonly tokens: number }[], sequenceLength: number): number | undefined {
  const windows = documents.map(({ tokens }) => tokens / sequenceLength);
  return windows.every(Number.isInteger) ? windows.reduce((sum, count) => sum + count, 0) : undefined;
}

function isAscending(documents: NonNullable<ValidationSet["sampledDocuments"]>): boolean {
  return documents.every(({ domain, document }, index) => {
    const before = documents[index - 1];
    return before === undefined || domain > before.domain || (domain === before.domain && document > before.document);
  });
}

function otherRate(lr: Bits, rate: number): string | undefined {
  return toBits(rate) === lr ? undefined : `its learning rate is ${fromBits(lr)}, and the schedule has ${rate}`;
}
