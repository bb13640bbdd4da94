/** Anchors and links to runs, so that every number leads to its evidence. */
import type { ReportInput } from "../input/input.ts";
import { html, type Markup } from "./markup.ts";

/** Where runs stand on the page. */
export class Anchors {
  readonly #byKey = new Map<string, string>();
  readonly #labels = new Map<string, string>();

  /** @param runs the rows of the table of runs: only these can be linked to */
  constructor(runs: ReportInput["runs"]) {
    const taken = new Set<string>();
    for (const { runKey, label } of runs) {
      if (this.#byKey.has(runKey)) continue;
      const stem = `run-${runKey.toLowerCase().replace(/[^0-9a-z]+/g, "-").slice(0, 16)}`;
      let anchor = stem;
      for (let n = 2; taken.has(anchor); n++) anchor = `${stem}-${n}`;
      taken.add(anchor);
      this.#labels.set(runKey, label);
      this.#byKey.set(runKey, anchor);
    }
  }

  /** The id of a run's row; `undefined` if the table has none. */
  of(runKey: string): string | undefined {
    return this.#byKey.get(runKey);
  }

  /** The run's label, which is its folder's name; `undefined` if the table has no such run. */
  label(runKey: string): string | undefined {
    return this.#labels.get(runKey);
  }

  /** The run's name, leading to its row where there is one. */
  link(label: string, runKey: string): Markup {
    const anchor = this.of(runKey);
    return anchor === undefined ? html`${label}` : html`<a href="#${anchor}">${label}</a>`;
  }
}

/** A file of a run relative to the page; `undefined` if the label cannot be a folder's name. */
export function runFile(label: string, file: string): string | undefined {
  if (label === "" || label === "." || label === ".." || /[/\\\0]/.test(label)) return undefined;
  return `runs/${encodeURIComponent(label.toWellFormed())}/${file}`;
}

/** Links to files of a run, for what is in the folder beside the page. */
export function runFileLinks(label: string, files: readonly string[]): Markup {
  return html`${
    files.map((file, i) => {
      const address = runFile(label, file);
      return address === undefined
        ? null
        : html`${i > 0 ? " " : ""}<a href="${address}">${file}<span class="hidden"> of ${label}</span></a>`;
    })
  }`;
}

/** Anchor of a claim's row. */
export function claimAnchor(id: string): string {
  return `claim-${id.toLowerCase().replace(/[^0-9a-z]+/g, "-")}`;
}
