/** Environment, digests, and how to check them. */
import type { ReportFact, ReportInput } from "../input/input.ts";
import { type Content, html, type Markup } from "../markup/markup.ts";
import { digest } from "./runs_section.ts";
import { table } from "../markup/table.ts";

/** Where the results were made, and what from. */
export function provenanceSection(input: ReportInput): Markup {
  return html`
    <section aria-labelledby="provenance">
    <h2 id="provenance">Environment and digests</h2>
    ${facts(
      "environment",
      "The machine and the software that made the runs",
      "Item",
      "Value",
      input.environment,
      (x) => x,
    )}
    ${facts("digests", "SHA-256 digests of the inputs", "Input", "Digest", input.digests, digest)}
    </section>
    <section aria-labelledby="verify">
      <h2 id="verify">How to check this</h2>
      <p>This page repeats what the signed manifest beside it says. From the project’s folder, where FOLDER is the one that this page lies in:</p>
      <ol class="commands">
        <li>
          <p>Check the signature, every file’s digest, and the verdicts, recomputed from the curves:</p>
          <pre><code>deno task verify FOLDER/manifest.dsse.json</code></pre>
        </li>
        <li>
          <p>Also retrain pieces of it and compare the bits:</p>
          <pre><code>deno task verify FOLDER/manifest.dsse.json --retrain 5</code></pre>
        </li>
        <li>
          <p>Both in a browser, with nothing installed: <a
            href="verify.html?url=manifest.dsse.json">open the verifier</a> if it lies beside this page, or one of your own, and drop the folder on it. This makes one:</p>
          <pre><code>deno task page</code></pre>
        </li>
        <li>
          <p>Make all of it again from nothing, in another folder:</p>
          <pre><code>deno task ${input.command} --out ANOTHER</code></pre>
        </li>
      </ol>
    </section>
  `;
}

function facts(
  id: string,
  caption: string,
  name: string,
  value: string,
  rows: readonly ReportFact[],
  show: (value: string) => Content,
): Markup {
  if (rows.length === 0) return html`<p class="left-out">${caption}: none recorded.</p>`;
  return table({
    id: `${id}-table`,
    kind: "facts",
    caption,
    columns: [{ head: name }, { head: value }],
    rows: rows.map((row) => ({ cells: [row.name, show(row.value)] })),
  });
}
