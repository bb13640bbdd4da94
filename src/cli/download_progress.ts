/** The progress of a download: one live line on a terminal, else a line now and then. */
import type { DownloadProgress } from "../hub/download.ts";
import { formatSeconds } from "../text/numbers.ts";
import { ControlCode, draw, isTerminal, lineWidth } from "../terminal.ts";

/** Milliseconds between redraws of the live line, and between plain lines. */
const REDRAW_INTERVAL = 200;
const LINE_INTERVAL = 15_000;
/** Seconds over which the shown rate is averaged. */
const RATE_SECONDS = 10;

/** `1.53 GB`, `12.0 MB`. */
export function formatBytes(bytes: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let scaled = bytes, unit = 0;
  while (scaled >= 999.5 && unit < units.length - 1) {
    scaled /= 1000;
    unit++;
  }
  return `${scaled.toFixed(unit === 0 || scaled >= 99.95 ? 0 : scaled >= 9.995 ? 1 : 2)} ${units[unit]}`;
}

/** Draws what a download reports. */
export class DownloadView {
  readonly #live = isTerminal("stderr");
  /** times in milliseconds and bytes done then, of the last seconds */
  #marks: { readonly time: number; readonly bytes: number }[] = [];
  #lastDraw = 0;
  #drawn = false;

  /** The download moved. */
  show(progress: DownloadProgress): void {
    const time = performance.now();
    const { doneBytes, totalBytes, doneFiles, totalFiles, path, stage } = progress;
    // What was there before is no speed.
    if (stage === "cached" || this.#marks.length === 0) this.#marks = [{ time, bytes: doneBytes }];
    if (time - this.#lastDraw < (this.#live ? REDRAW_INTERVAL : LINE_INTERVAL)) return;
    this.#lastDraw = time;
    this.#marks.push({ time, bytes: doneBytes });
    while (this.#marks.length > 2 && time - (this.#marks[0]?.time ?? 0) > 1000 * RATE_SECONDS) this.#marks.shift();
    const [first] = this.#marks;
    const seconds = (time - (first?.time ?? time)) / 1000;
    const rate = seconds > 0 ? (doneBytes - (first?.bytes ?? 0)) / seconds : 0;
    const parts = [
      `${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`,
      `${doneFiles} of ${totalFiles} files`,
      rate > 0 ? `${formatBytes(rate)}/s` : "",
      rate > 0 ? `${formatSeconds((totalBytes - doneBytes) / rate)} left` : "",
      stage === "verify" ? `checking ${path}` : stage === "wait" ? `another process downloads ${path}` : "",
    ];
    this.#write(`  ${parts.filter((part) => part !== "").join("  ")}`);
  }

  /** Removes the live line. */
  end(): void {
    if (this.#drawn) draw("stderr", ControlCode.lineStart, ControlCode.eraseLine);
    this.#drawn = false;
  }

  #write(line: string): void {
    if (this.#live) {
      draw("stderr", ControlCode.lineStart, line.slice(0, lineWidth("stderr")), ControlCode.eraseLine);
    } else draw("stderr", `${line}\n`);
    this.#drawn = this.#live;
  }
}
