/** The verification, step by step as the terminal shows it. */
import type { Answer, ShownReport, ShownStep } from "../protocol.ts";
import { element, show, tellWorking, withText } from "./elements.ts";

const MARKS = { ok: "ok", failed: "FAILED", "not checked": "not checked" } as const;
const VERDICTS = { verified: "ok", failed: "failed", "could not check": "not-checked" } as const;

/** Shows steps as they come, and the report at the end. */
export class VerificationView {
  readonly #rows = new Map<string, HTMLElement>();
  #names: readonly string[] = [];

  /** @param names of the steps, in their order */
  setSteps(names: readonly string[]): void {
    this.#names = names;
  }

  /** Empties everything for another manifest, or the same once more. */
  begin(name: string): void {
    const list = element("steps");
    list.replaceChildren();
    this.#rows.clear();
    for (const step of this.#names) {
      const row = document.createElement("li");
      list.append(row);
      this.#rows.set(step, row);
      fill(row, step, "…", "", "");
    }
    element("name").textContent = name;
    element("digest").textContent = "–";
    element("signers").textContent = "–";
    element("text").textContent = "";
    setVerdict("verdict", "");
    show(true, "verification");
    show(false, "open-points");
    this.#tellNext(this.#names[0]);
  }

  step({ name, status, detail }: ShownStep): void {
    const row = this.#rows.get(name);
    if (row === undefined) return;
    fill(row, name, MARKS[status], status.replace(" ", "-"), detail);
    this.#tellNext(this.#names[this.#names.indexOf(name) + 1]);
  }

  #tellNext(name: string | undefined): void {
    tellWorking(name === undefined ? "" : `Checking: ${name} …`);
  }

  report({ report, text }: Extract<Answer, { kind: "report" }>): void {
    for (const step of report.steps) this.step(step);
    tellWorking("");
    element("digest").textContent = report.manifestDigest ?? "–";
    element("signers").textContent = signersOf(report);
    element("text").textContent = text;
    setVerdict("verdict", verdictOf(report, text), VERDICTS[report.verdict]);
    const isVerified = report.verdict === "verified";
    element("caveats").replaceChildren(...report.caveats.map((caveat) => withText("li", caveat)));
    show(isVerified && report.caveats.length > 0, "open-points");
  }
}

/** Sets a verdict and its colour; what is announced is the text. */
export function setVerdict(id: string, text: string, className = ""): void {
  const verdict = element(id);
  verdict.className = `verdict ${className}`;
  verdict.textContent = text;
}

/** The line of the terminal that begins with the verdict. */
function verdictOf({ verdict }: ShownReport, text: string): string {
  const start = verdict === "could not check" ? "Could not check:" : verdict === "failed" ? "Failed:" : "Verified:";
  return text.split("\n").find((line) => line.startsWith(start)) ?? verdict;
}

function signersOf({ signers }: ShownReport): string {
  if (signers.length === 0) return "nobody whose signature is good";
  return signers.map(({ keyId, trustedAs }) =>
    trustedAs === undefined ? `key ${keyId}, whose owner was not checked` : `${trustedAs} (key ${keyId})`
  ).join(" and ");
}

function fill(row: HTMLElement, step: string, mark: string, className: string, detail: string): void {
  row.replaceChildren(
    withText("span", step, "step"),
    withText("span", mark, `mark ${className}`),
    withText("span", detail, "detail"),
  );
}
