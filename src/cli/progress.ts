/** The progress of a plan in a terminal: one live view, or plain lines where the output is no terminal. */
import type { Calibration } from "../reproduce/calibrate.ts";
import { compactNumber, formatSeconds } from "../text/numbers.ts";
import { tokensPerStep } from "../experiment/plan/cost.ts";
import type { Plan } from "../experiment/plan/plan.ts";
import type { RunResult } from "../train/train_plan.ts";
import type { RunProgress } from "../train/run_environment.ts";
import { ControlCode, draw, lineWidth, print, printWarning } from "../terminal.ts";

const BAR_WIDTH = 28;
/** Milliseconds between redraws of the live view, and between plain lines within a run. */
const REDRAW_INTERVAL = 100;
const LINE_INTERVAL = 15_000;
/** Half-life of the shown speed, in seconds. */
const SPEED_HALF_LIFE = 5;

/** Draws what training reports. */
export class ProgressView {
  readonly #runs: number;
  readonly #totalTokens: number;
  readonly #live: boolean;
  #doneTokens = 0;
  #runTokens = 0;
  #finished = 0;
  #loss: number | undefined;
  #current: RunProgress["run"] | undefined;
  #speed: number;
  #lastTokens = 0;
  #lastTime = performance.now();
  #lastDraw = 0;
  #drawnLines = 0;

  /** @param live redraw in place; false prints lines */
  constructor(plan: Plan, calibration: Calibration, live: boolean) {
    this.#runs = plan.runs.length;
    this.#totalTokens = plan.runs.reduce((sum, run) => sum + run.steps * tokensPerStep(run), 0);
    this.#speed = calibration.tokensPerSecond ?? 0;
    this.#live = live;
  }

  /** A run took a step or evaluated. */
  onProgress(progress: RunProgress): void {
    const { run, step, loss } = progress;
    this.#current = run;
    const tokens = step * tokensPerStep(run);
    if (this.#runTokens === 0 || tokens < this.#runTokens) this.#lastTokens = tokens;
    this.#runTokens = tokens;
    if (loss !== undefined) this.#loss = loss;
    this.#measure();
    const now = performance.now();
    if (now - this.#lastDraw < (this.#live ? REDRAW_INTERVAL : LINE_INTERVAL)) return;
    this.#lastDraw = now;
    if (this.#live) this.#draw();
    else print(`  ${this.#status()}`);
  }

  #measure(): void {
    const now = performance.now();
    const seconds = (now - this.#lastTime) / 1000;
    const tokens = this.#runTokens - this.#lastTokens;
    if (seconds < 0.05) return;
    this.#lastTime = now;
    this.#lastTokens = this.#runTokens;
    if (tokens <= 0) return;
    const weight = seconds / (seconds + SPEED_HALF_LIFE);
    this.#speed = this.#speed === 0 ? tokens / seconds : this.#speed * (1 - weight) + weight * tokens / seconds;
  }

  /** A run ended, was there already, or was skipped. */
  onRun(result: RunResult): void {
    const { run } = result;
    this.#doneTokens += run.steps * tokensPerStep(run);
    this.#runTokens = 0;
    this.#lastTokens = 0;
    this.#finished++;
    this.#current = undefined;
    this.#print(
      `  ${String(this.#finished).padStart(String(this.#runs).length)}/${this.#runs}  ${describeResult(result)}`,
    );
  }

  /** A line that stays: a warning, say. */
  #print(line: string): void {
    this.#erase();
    print(line);
    if (this.#live && this.#finished < this.#runs) this.#draw();
  }

  /** Prints a warning above the live view. */
  warn(message: string): void {
    this.#erase();
    printWarning(`${message}`);
  }

  /** Ends the live view. */
  end(): void {
    this.#erase();
  }

  #status(): string {
    const run = this.#current;
    const name = run === undefined ? "" : `${run.label}  step ${this.#runTokens / tokensPerStep(run)}/${run.steps}`;
    const left = this.#speed > 0 ? (this.#totalTokens - this.#doneTokens - this.#runTokens) / this.#speed : NaN;
    const parts = [
      name,
      this.#loss === undefined ? "" : `loss ${this.#loss.toFixed(3)}`,
      `${compactNumber(this.#speed)} tokens/s`,
      Number.isFinite(left) ? `${formatSeconds(left)} left` : "",
    ];
    return parts.filter((part) => part !== "").join("  ");
  }

  #draw(): void {
    this.#erase();
    const share = Math.min(1, (this.#doneTokens + this.#runTokens) / this.#totalTokens);
    const filled = Math.round(share * BAR_WIDTH);
    const bar = `${"█".repeat(filled)}${"░".repeat(BAR_WIDTH - filled)}`;
    const width = lineWidth("stdout");
    const lines = [
      `  ${bar} ${(100 * share).toFixed(1)} %  run ${Math.min(this.#finished + 1, this.#runs)} of ${this.#runs}`,
      `  ${this.#status()}`,
    ].map((line) => line.slice(0, width));
    draw("stdout", `${lines.join("\n")}\n`);
    this.#drawnLines = lines.length;
  }

  #erase(): void {
    if (this.#drawnLines > 0) draw("stdout", ControlCode.up(this.#drawnLines), ControlCode.eraseBelow);
    this.#drawnLines = 0;
  }
}

/** What became of a run, in a line. */
export function describeResult(result: RunResult): string {
  const { run } = result;
  if (result.kind === "skipped") return `${run.label}  skipped: ${result.reason}`;
  const { outcome, steps, journalRoot } = result.record;
  if (outcome.kind === "diverged") return `${run.label}  diverged at step ${outcome.step} (${outcome.value})`;
  return `${run.label}  ${steps} steps  journal ${journalRoot.slice(0, 12)}${
    result.origin === "found" ? "  (found done)" : ""
  }`;
}
