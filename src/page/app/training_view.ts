/** Training before the reader's eyes: the choice, the progress, and what came of each segment. */
import type { Answer } from "../protocol.ts";
import { element, show, tellWorking, withText } from "./elements.ts";
import { setVerdict } from "./verification_view.ts";

/** Shows retraining. */
export class TrainingView {
  readonly #rows = new Map<string, HTMLElement>();
  #steps = 0;
  #done = 0;
  #drawn = 0;

  begin(): void {
    this.#rows.clear();
    this.#done = 0;
    element("segments").replaceChildren();
    element("choice").textContent = "";
    element("progress").removeAttribute("value");
    element("progress-label").textContent = "Verifying first";
    setVerdict("outcome", "");
    this.setRunning(true);
    show(true, "training");
  }

  setRunning(isRunning: boolean): void {
    show(isRunning, "stop");
    // There is nothing to pause before the first step.
    show(false, "pause");
    this.setPaused(false);
  }

  setPaused(isPaused: boolean): void {
    element("pause").setAttribute("aria-pressed", String(isPaused));
    element("pause").textContent = isPaused ? "Go on" : "Pause";
  }

  data({ stage, doneBytes, totalBytes }: Extract<Answer, { kind: "data" }>): void {
    this.#progress(doneBytes, totalBytes, `Preparing the texts: ${stage}`);
  }

  choice({ segments, total, steps, worth, seed }: Extract<Answer, { kind: "choice" }>): void {
    this.#steps = steps;
    this.#drawn = segments.length;
    const drawn = seed === undefined ? "" : ` The seed of the choice is ${seed}.`;
    element("choice").textContent = `${segments.length} of ${total} segments, ${steps} steps.${drawn} ${worth}`;
    element("segments").replaceChildren(...segments.map((name) => {
      const row = withText("li", `${name} …`);
      this.#rows.set(name, row);
      return row;
    }));
    tellWorking("");
  }

  trained({ run, step }: Extract<Answer, { kind: "trained" }>): void {
    if (this.#done++ === 0) show(true, "pause");
    // Where checkpoints are missing more steps are made than are asked for.
    this.#progress(
      Math.min(this.#done, this.#steps),
      Math.max(1, this.#steps),
      `${run}, step ${step}: same bits so far`,
    );
  }

  segment({ name, line }: Extract<Answer, { kind: "segment" }>): void {
    const row = this.#rows.get(name);
    row?.replaceChildren(withText("span", line));
    row?.prepend(withText("span", "ok ", "mark ok"));
  }

  report({ report }: Extract<Answer, { kind: "report" }>): void {
    this.setRunning(false);
    const step = report.steps.find(({ name }) => name === "retrain");
    const status = step?.status ?? "not checked";
    const words = status === "ok" ? "Same bits" : status === "failed" ? "A difference" : "Not checked";
    if (status === "ok") this.#progress(1, 1, `All ${this.#drawn} segments`);
    else element("progress-label").textContent = "Ended";
    setVerdict("outcome", `${words}: ${step?.detail ?? "it was not retrained"}`, status.replace(" ", "-"));
  }

  #progress(done: number, total: number, label: string): void {
    const progress = element<HTMLProgressElement>("progress");
    progress.max = total;
    progress.value = done;
    element("progress-label").textContent = label;
  }
}
