/** The end of a job, which its scheduler sets: a run stops while there is time for a checkpoint. */
import { UserError } from "../errors.ts";

/** Kept free before the end, besides what a step and a checkpoint take: schedulers are early by up to a minute. */
const MARGIN_SECONDS = 60;

/** Watches how long steps and checkpoints take, and how long the job has. */
export class Deadline {
  #longestStep = 0;
  #longestCheckpoint = 0;

  /**
   * @param endsAt milliseconds since 1970, by this machine's clock, which its scheduler's daemon reads too
   * @param now the clock
   */
  constructor(readonly endsAt: number, private readonly now: () => number = Date.now) {}

  /** A step took so many seconds, evaluations included. */
  stepTook(seconds: number): void {
    this.#longestStep = Math.max(this.#longestStep, seconds);
  }

  /** A checkpoint took so many seconds. */
  checkpointTook(seconds: number): void {
    this.#longestCheckpoint = Math.max(this.#longestCheckpoint, seconds);
  }

  /** Seconds until the job ends. */
  get left(): number {
    return (this.endsAt - this.now()) / 1000;
  }

  /** Seconds that a step, a checkpoint and the margin take; twice what they took at most so far. */
  get needed(): number {
    return MARGIN_SECONDS + 2 * (this.#longestStep + this.#longestCheckpoint);
  }

  /** Whether the next step might be one too many. */
  get isDue(): boolean {
    return this.left < this.needed;
  }

  /**
   * Refuses to begin what could not be saved: a job that is given again and again would never get on.
   *
   * @throws {UserError} `TIME_LIMIT_TOO_SHORT`
   */
  requireTime(label: string): void {
    if (!this.isDue) return;
    const seconds = (value: number) => `${Math.max(0, Math.round(value))} s`;
    throw new UserError(
      "TIME_LIMIT_TOO_SHORT",
      `The job ends in ${seconds(this.left)}, and a step of run "${label}" with a checkpoint takes up to ` +
        `${seconds(this.needed)}, ${MARGIN_SECONDS} s to spare included`,
      "give the job more time (sbatch --time)",
    );
  }
}
