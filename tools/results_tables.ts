/**
 * The tables of docs/results.md, from manifests that verify:
 *
 *     deno run --allow-read tools/results_tables.ts "tiny, 3 seeds=out/tiny/manifest.dsse.json" …
 */
import { UserError } from "../src/errors.ts";
import type { Estimate } from "../src/results/estimates/estimate.ts";
import { formatVerification } from "../src/manifest/verify/verification_report.ts";
import { verifyManifestFile } from "../src/manifest/verify/verify_file.ts";
import type { Predicate } from "../src/manifest/format/predicate.ts";
import { verificationMeans } from "../src/reproduce/verification_means.ts";
import { numberInWords } from "../src/results/estimates/format_estimates.ts";
import { markdownTable } from "./markdown_table.ts";

/** A column: what a manifest is called, and what it states. */
interface Column {
  readonly name: string;
  readonly predicate: Predicate;
}

async function column(argument: string): Promise<Column> {
  const at = argument.indexOf("=");
  if (at < 1) throw new UserError("UNKNOWN_ARGUMENT", `"${argument}" is not NAME=MANIFEST`);
  const path = argument.slice(at + 1);
  const report = await verifyManifestFile(path, { ...await verificationMeans(), withoutCheckpoints: true });
  if (report.verdict !== "verified" || report.statement === undefined) throw new Error(formatVerification(report));
  return { name: argument.slice(0, at), predicate: report.statement.predicate };
}

/** Every claim in a row, in the words that readers are told, by section of the paper or source. */
function claimsTable(columns: readonly Column[]): string {
  const claims = new Map(
    columns.flatMap(({ predicate }) => predicate.claims.map((claim) => [claim.id, claim] as const)),
  );
  const rows = [...claims.values()].map(({ id, section, source, title }) => [
    source === undefined ? `§${section}` : source,
    title,
    ...columns.map(({ predicate }) => predicate.claims.find((claim) => claim.id === id)?.words ?? "–"),
  ]);
  return markdownTable(["from", "claim", ...columns.map(({ name }) => name)], rows);
}

/** The numbers of one estimate, a row each. */
function estimateTable(id: string, columns: readonly Column[]): string {
  const of = ({ predicate }: Column): Estimate | undefined =>
    predicate.estimates?.find((estimate) => estimate.id === id);
  const labels = [...new Set(columns.flatMap((column) => of(column)?.numbers.map(({ label }) => label) ?? []))];
  const rows = labels.map((label) => [
    label,
    ...columns.map((column) => {
      const row = of(column)?.numbers.find((number) => number.label === label);
      return row === undefined ? "–" : numberInWords(row);
    }),
  ]);
  const missing = columns.flatMap((column) => {
    const reason = of(column)?.missing;
    return reason === undefined ? [] : [`${column.name}: no numbers, ${reason}.`];
  });
  const table = rows.length === 0 ? [] : [markdownTable(["", ...columns.map(({ name }) => name)], rows)];
  return [...table, ...missing].join("\n\n");
}

const columns = await Promise.all(Deno.args.map(column));
console.log(`${claimsTable(columns)}\n`);
const estimates = new Map(
  columns.flatMap(({ predicate }) => (predicate.estimates ?? []).map(({ id, title }) => [id, title] as const)),
);
for (const [id, title] of estimates) console.log(`### ${title}\n\n${estimateTable(id, columns)}\n`);
