/** The learning rates that runs were planned with, recomputed from their schedules. Web-standard APIs only. */
import { canonicalJson } from "../../digest/canonical_json.ts";
import { sha256 } from "../../digest/sha256.ts";
import type { RunSpecification } from "../../experiment/run/run.ts";
import { learningRateTable } from "../../schedule/learning_rate.ts";

/** Steps of all distinct schedules together, so that a hostile manifest cannot keep a verifier busy for hours. */
const MAX_TOTAL_STEPS = 20_000_000;

/** Tables of learning rates, each distinct schedule computed once. */
export class LearningRates {
  #tables = new Map<string, { table: Float32Array; digest: string }>();
  #totalSteps = 0;

  /** @param maxTotalSteps steps of all distinct schedules together */
  constructor(private readonly maxTotalSteps: number = MAX_TOTAL_STEPS) {}

  /** Why a run's schedule is not what its specification says; `undefined` if it is. */
  flaw({ schedule, scheduleDigest }: RunSpecification): string | undefined {
    try {
      const digest = this.#get(schedule)?.digest;
      if (digest === undefined) {
        return `has schedules longer than ${this.maxTotalSteps} steps in all, with those before it`;
      }
      return digest === scheduleDigest ? undefined : "has a digest of learning rates that its schedule does not give";
    } catch (error) {
      return `has no schedule that can be: ${error instanceof Error ? error.message : error}`;
    }
  }

  /** Rates of steps 0 to `totalSteps` − 1, f32; the schedule must have been checked by {@linkcode flaw}. */
  table(schedule: RunSpecification["schedule"]): Float32Array {
    const found = this.#get(schedule);
    if (found === undefined) throw new RangeError("The schedules are too long");
    return found.table;
  }

  #get(schedule: RunSpecification["schedule"]): { table: Float32Array; digest: string } | undefined {
    const name = canonicalJson(schedule);
    const known = this.#tables.get(name);
    if (known !== undefined) return known;
    if (this.#totalSteps + schedule.totalSteps > this.maxTotalSteps) return undefined;
    this.#totalSteps += schedule.totalSteps;
    const table = learningRateTable(schedule);
    const bytes = new DataView(new ArrayBuffer(table.byteLength));
    table.forEach((rate, step) => bytes.setFloat32(4 * step, rate, true));
    const entry = { table, digest: sha256(new Uint8Array(bytes.buffer)) };
    this.#tables.set(name, entry);
    return entry;
  }
}
