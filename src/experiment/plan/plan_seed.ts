/** The runs of one repetition: those that chosen arms need, each after the runs that it starts from. */
import { UserError } from "../../errors.ts";
import { type ArmRun, armRun, hasCorpus, readArm, type RunContext } from "../arm/arm.ts";
import { canStart, leftOutReason } from "../arm/arm_start.ts";
import { PRETRAINING_ARM } from "../arm/choose_arms.ts";
import type { ArmReference, PlannedRun, RunKey, RunSpecification } from "../run/run.ts";
import { runKey } from "../run/run_key.ts";
import { startsOf } from "../run/run_starts.ts";
import type { Arm, Experiment } from "../schema.ts";
import { type Seeds, seedsOf } from "../run/seeds.ts";

interface MutableRun {
  readonly key: RunKey;
  readonly specification: RunSpecification;
  readonly label: string;
  steps: number;
  readonly checkpointSteps: Set<number>;
  readonly usedBy: ArmReference[];
}

/** An arm of the catalogue, as it is read. */
interface NamedArm {
  readonly experiment: string;
  readonly arm: string;
  readonly value: Arm;
}

/**
 * Plans one repetition.
 *
 * @param chosen arms as `experiment/arm`
 * @throws {UserError} if a chosen arm cannot be had at this scale
 */
export function planSeed(
  catalogue: readonly Experiment[],
  chosen: ReadonlySet<string>,
  context: RunContext,
  seedIndex: number,
): PlannedRun[] {
  const arms = new Map(
    catalogue.flatMap((experiment) =>
      Object.entries(experiment.arms).map(([arm, stated]): [string, NamedArm] => [
        `${experiment.name}/${arm}`,
        { experiment: experiment.name, arm, value: readArm(stated, experiment, context.readings) },
      ])
    ),
  );
  const armRuns = new ArmRuns(arms, context, seedsOf(seedIndex));
  // A run is named for the first arm of the whole catalogue, so that its name does not change with the choice.
  const labels = new Map<RunKey, string>();
  for (const [reference, { experiment, arm, value }] of arms) {
    if (!chosen.has(reference) && !armRuns.canBeHad(value)) continue;
    const { key } = armRuns.of(reference);
    if (!labels.has(key)) labels.set(key, `${experiment}_${arm}_seed-${seedIndex}`);
  }

  const runs = new Map<RunKey, MutableRun>();
  const use = ({ specification, steps }: ArmRun, checkpointStep?: number): MutableRun => {
    for (const start of startsOf(specification.initialWeights)) {
      use({ ...armRuns.byKey(start.run), steps: start.step }, start.step);
    }
    const key = runKey(specification);
    const run = runs.get(key) ??
      { key, specification, label: labels.get(key) ?? key, steps, checkpointSteps: new Set<number>(), usedBy: [] };
    run.steps = Math.max(run.steps, steps);
    if (checkpointStep !== undefined) run.checkpointSteps.add(checkpointStep);
    runs.set(key, run);
    return run;
  };
  for (const [reference, { experiment, arm }] of arms) {
    if (!chosen.has(reference)) continue;
    const needed = armRuns.of(reference);
    use(needed).usedBy.push({ experiment, arm, seedIndex, steps: needed.steps });
  }
  return [...runs.values()].map(({ checkpointSteps, ...run }) => ({
    ...run,
    checkpointSteps: [...checkpointSteps].sort((a, b) => a - b),
  }));
}

/** The runs of arms, each found once, those that it starts from before it. */
class ArmRuns {
  readonly #arms: ReadonlyMap<string, NamedArm>;
  readonly #context: RunContext;
  readonly #seeds: Seeds;
  readonly #found = new Map<string, ArmRun & { readonly key: RunKey }>();
  readonly #byKey = new Map<RunKey, ArmRun>();
  /** arms whose starts are being looked for */
  readonly #path: string[] = [];

  constructor(arms: ReadonlyMap<string, NamedArm>, context: RunContext, seeds: Seeds) {
    this.#arms = arms;
    this.#context = context;
    this.#seeds = seeds;
  }

  /** Whether an arm that nobody chose can be planned at all. */
  canBeHad(arm: Arm): boolean {
    const { start } = arm;
    const find = (reference: string) => this.#arms.get(reference)?.value;
    if (leftOutReason(arm, this.#context, find) !== undefined) return false;
    if (!hasCorpus(arm, this.#context)) return false;
    if (start.kind !== "interpolated") return canStart(arm, this.#context);
    const to = find(start.to);
    return to !== undefined && hasCorpus(to, this.#context) && to.start.kind === "pretrained" &&
      canStart(to, this.#context);
  }

  /** @throws {UserError} if the arm, or one that it starts from, cannot be had */
  of(reference: string): ArmRun & { readonly key: RunKey } {
    const known = this.#found.get(reference);
    if (known !== undefined) return known;
    const arm = this.#arms.get(reference);
    if (arm === undefined) throw this.#noSuchStart(reference);
    if (this.#path.includes(reference)) {
      throw new UserError("ARM_START", `Arm "${reference}" starts from itself: ${this.#path.join(" → ")}`);
    }
    this.#path.push(reference);
    const run = armRun(arm.value, reference, this.#context, this.#seeds, (other) => this.of(other));
    this.#path.pop();
    const found = { ...run, key: runKey(run.specification) };
    this.#found.set(reference, found);
    this.#byKey.set(found.key, run);
    return found;
  }

  byKey(key: RunKey): ArmRun {
    const run = this.#byKey.get(key);
    if (run === undefined) throw new Error(`No arm has run ${key}`);
    return run;
  }

  #noSuchStart(reference: string): UserError {
    const child = this.#path.at(-1) ?? "";
    if (reference === `${PRETRAINING_ARM.experiment}/${PRETRAINING_ARM.arm}`) {
      return new UserError(
        "NO_PRETRAINING",
        `Arm "${child}" starts pre-trained, but there is no arm "${reference}"`,
        "restore upstream.yaml",
      );
    }
    return new UserError("ARM_START", `Arm "${child}" starts from "${reference}", which is no arm of the experiments`);
  }
}
