/** The smoke plan with a model so small and an engine so quick that it can be carried out thousands of times. */
import assert from "node:assert/strict";
import type { Engine } from "../../src/engine/engine.ts";
import type { Plan } from "../../src/experiment/plan/plan.ts";
import type { PlannedRun } from "../../src/experiment/run/run.ts";
import type { FileSystem } from "../../src/files/file_system.ts";
import { lockOutputFolder } from "../../src/files/output_lock.ts";
import { generateSigningKey, type SigningKey } from "../../src/manifest/keys/keys.ts";
import { writeFileDurably } from "../../src/files/durable.ts";
import { carryOut, planText } from "../../src/reproduce/carry_out.ts";
import { digestsOf, type InputDigest, readInputs } from "../../src/reproduce/inputs.ts";
import type { ReproduceEvents, ReproduceOptions, Reproduction } from "../../src/reproduce/options.ts";
import { loadPaper, type PaperFile } from "../../src/reproduce/paper_file.ts";
import type { Corpora } from "../../src/train/evaluation/evaluation.ts";
import { trainPlan } from "../../src/train/train_plan.ts";
import { thisTrainer } from "../../src/worker/this_trainer.ts";
import { work, type WorkEnd, type WorkOptions } from "../../src/worker/work.ts";
import { Interrupted } from "../../src/train/run_environment.ts";
import { fakeEngine, fakePlan } from "../train/fake_training.ts";
import type { DiskImage } from "./disk_image.ts";
import { SimulatedDisk } from "./simulated_disk.ts";
import { SMALLEST_MODEL } from "../model/smallest_model.ts";
import { FIXTURE_CATALOGUE } from "../experiment/plan/plan_fixture.ts";

/** Where plans are carried out on a simulated disk. */
export const OUTPUT = "/out/smoke";
/** Before anything was done; the folder above the output folder stands there for good. */
export const EMPTY: DiskImage = new Map([["/out", undefined]]);

const MODEL = {
  maxLearningRate: 3e-3,
  config: SMALLEST_MODEL,
};

/** A plan that can be carried out at once, on any files. */
export class SmallSmoke {
  /** optimizer steps that the engine has done */
  steps = 0;
  readonly #engine: Engine;

  private constructor(
    readonly plan: Plan,
    private readonly corpora: Corpora,
    private readonly paper: PaperFile,
    private readonly inputs: readonly InputDigest[],
    private readonly key: SigningKey,
    engine: Engine,
  ) {
    this.#engine = {
      ...engine,
      open: async (options) => {
        const session = await engine.open(options);
        return {
          ...session,
          step: (...args) => {
            this.steps++;
            return session.step(...args);
          },
        };
      },
    };
  }

  /**
   * @param only experiments or arms; all if absent
   * @param lossAt replaces losses, by one that is no number for instance
   */
  static async make(only: readonly string[] = [], lossAt?: Parameters<typeof fakeEngine>[0]): Promise<SmallSmoke> {
    const engine = fakeEngine(lossAt);
    const { plan, corpora } = await fakePlan(engine, only, { model: MODEL });
    const paper = await loadPaper(FIXTURE_CATALOGUE);
    const inputs = digestsOf(await readInputs("smoke"));
    return new SmallSmoke(plan, corpora, paper, inputs, await generateSigningKey(), engine);
  }

  /** A run of the plan, after the run that it starts from. */
  withParent(run: PlannedRun): PlannedRun[] {
    const { initialWeights } = run.specification;
    const isParent = ({ key }: PlannedRun) => initialWeights.kind === "checkpoint" && key === initialWeights.run;
    return [...this.plan.runs.filter(isParent), run];
  }

  /** Takes the output folder and trains runs of the plan, and nothing else. */
  async train(
    runs: readonly PlannedRun[],
    files: FileSystem,
    events: Pick<ReproduceEvents, "onRun" | "onProgress" | "onWarning"> & { readonly signal?: AbortSignal } = {},
  ): Promise<void> {
    await using _lock = await lockOutputFolder(OUTPUT, files);
    await trainPlan({
      runs,
      engine: this.#engine,
      corpora: this.corpora,
      output: OUTPUT,
      files,
      trainer: thisTrainer(this.#engine),
      ...events,
    });
  }

  /** Writes the plan as `reproduce --plan-only` does. */
  async share(files: FileSystem): Promise<void> {
    await writeFileDurably(`${OUTPUT}/plan.json`, planText(this.plan), { files });
  }

  /** One worker of several. */
  async work(files: FileSystem, further: Partial<WorkOptions> = {}): Promise<WorkEnd> {
    const { plan, corpora } = this;
    return await work({
      plan,
      corpora,
      engine: this.#engine,
      output: OUTPUT,
      files,
      trainer: thisTrainer(this.#engine),
      ...further,
    });
  }

  /** Carries out the whole plan, from the lock to the manifest. */
  async carryOut(files: FileSystem, events: ReproduceEvents = {}): Promise<void> {
    await this.reproduce(files, { events });
  }

  /** The same with further options, and what came of it. */
  async reproduce(files: FileSystem, further: Partial<ReproduceOptions> = {}): Promise<Reproduction> {
    const options = {
      scale: "smoke",
      engine: this.#engine,
      threads: 1,
      output: OUTPUT,
      fileSystem: files,
      signingKey: () => Promise.resolve(this.key),
      ...further,
    };
    const { paper, inputs, plan, corpora } = this;
    return await carryOut(options, { paper, inputs, plan, corpora });
  }
}

/** Whether a file says who works on a run, on which no result depends. */
export function isLease(path: string): boolean {
  return path.startsWith(`${OUTPUT}/.locks`);
}

/** A disk without what says who works on which run. */
export function withoutLeases(image: DiskImage): DiskImage {
  return new Map([...image].filter(([path]) => !isLease(path)));
}

/** The folder of a run. */
export function folderOfRun({ label }: Pick<PlannedRun, "label">): string {
  return `${OUTPUT}/runs/${label}`;
}

/**
 * An output folder without what two processes leave differently: the lock's owner, and, in the manifest, the time, what
 * each of them trained itself, and the signature over it.
 */
export function comparable(image: DiskImage): DiskImage {
  const comparable = new Map(image);
  comparable.delete(`${OUTPUT}/.lock`);
  for (const path of image.keys()) if (isLease(path)) comparable.delete(path);
  const path = `${OUTPUT}/manifest.dsse.json`;
  const envelope = image.get(path);
  if (envelope === undefined) return comparable;
  const { payload } = JSON.parse(new TextDecoder().decode(envelope));
  const statement = JSON.parse(new TextDecoder().decode(Uint8Array.fromBase64(payload)));
  delete statement.predicate.metadata;
  for (const run of statement.predicate.runs) delete run.origin;
  return comparable.set(path, new TextEncoder().encode(JSON.stringify(statement)));
}

/** A disk on which Ctrl-C has ended the first run, with a checkpoint where none is scheduled. */
export async function interruptedDisk(smoke: SmallSmoke): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk(EMPTY);
  const controller = new AbortController();
  const onProgress = ({ step }: { readonly step: number }) => {
    if (step === 40) controller.abort();
  };
  const training = smoke.train(smoke.plan.runs, disk.files, { signal: controller.signal, onProgress });
  await assert.rejects(training, Interrupted);
  return disk;
}
