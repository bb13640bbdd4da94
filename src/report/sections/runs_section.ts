/** The table of runs: what every number on the page came from. */
import { type Anchors, runFileLinks } from "../markup/anchors.ts";
import type { ReportInput } from "../input/input.ts";
import { html, type Markup } from "../markup/markup.ts";
import { fixed, grouped } from "../markup/numbers.ts";
import { table } from "../markup/table.ts";

const RUN_FILES = ["run.json", "curves.json", "journal.jsonl"];

/** All runs, with links to the files beside the page. */
export function runsSection({ runs, scale }: ReportInput, anchors: Anchors): Markup {
  return html`<section aria-labelledby="runs">
<h2 id="runs">Runs</h2>
${
    runs.length === 0 ? html`<p class="left-out">No runs were made.</p>` : html`<p>Each run once, also where several
experiments read it. The run key is the digest of everything that determines the run’s bits; the journal root is the last
link of the hash chain over its steps. Files are relative to this page.</p>
${
      table({
        id: "runs-table",
        caption:
          `All ${runs.length} runs, with the upstream and the downstream loss at the end in nats a ${scale.tokenUnit}`,
        columns: [
          { head: "Run" },
          { head: "State" },
          { head: "Trained on" },
          { head: "Steps", numeric: true },
          { head: "Tokens", numeric: true },
          { head: "Upstream", numeric: true },
          { head: "Downstream", numeric: true },
          { head: "Files" },
          { head: "Starts from" },
          { head: "Run key" },
          { head: "Journal root" },
        ],
        rows: runs.map((run) => ({
          id: anchors.of(run.runKey),
          cells: [
            run.label,
            run.status,
            run.corpus,
            grouped(run.steps),
            grouped(run.tokens),
            fixed(run.upstream, 4),
            fixed(run.downstream, 4),
            runFileLinks(run.label, RUN_FILES),
            run.startsFrom,
            digest(run.runKey),
            digest(run.journalRoot),
          ],
        })),
      })
    }`
  }
</section>`;
}

/** A digest, whole and on one line: it is there to be compared. */
export function digest(value: string): Markup {
  return html`<code class="digest">${value}</code>`;
}
