/** Results as tables: the same for a terminal and for a page of the docs. */
import { flopsPerToken } from "../../src/model/config.ts";
import { median } from "../statistics.ts";
import { grouped, percent, textTable } from "../text_table.ts";
import { dataSheet, modelFlopsUtilization, type Peaks } from "./peaks.ts";
import type { Deviation, FindingOf, PartResult, Results, Speed } from "./results.ts";

/** A table; the first column is words. */
export interface Table {
  readonly title: string;
  /** whether the other columns are words too, rather than numbers */
  readonly words?: boolean;
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Lines for a terminal. */
export function asText({ title, words = false, header, rows }: Table): string {
  if (rows.length === 0) return title;
  if (!words) return `${title}\n${textTable(header, rows)}`;
  const widths = header.map((_, column) => Math.max(...[header, ...rows].map((cells) => (cells[column] ?? "").length)));
  const line = (cells: readonly string[]) => cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("  ").trimEnd();
  return [title, ...[header, ...rows].map(line).filter((text) => text !== "")].join("\n");
}

/** A table in Markdown. */
export function asMarkdown({ title, words = false, header, rows }: Table): string {
  if (rows.length === 0) return `**${title}**`;
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  const rule = header.map((_, column) => column === 0 || words ? "---" : "--:");
  return [`**${title}**\n`, line(header), line(rule), ...rows.map(line)].join("\n");
}

/** Checks that passed are counted when there are more of them than this. */
const MANY_CHECKS = 8;

function scientific(value: number | null): string {
  return value === null ? "NaN" : value === 0 ? "0" : value.toExponential(1);
}

function spread(values: readonly number[]): string {
  const middle = grouped(median(values));
  return values.length < 2 ? middle : `${middle} (${grouped(Math.min(...values))}–${grouped(Math.max(...values))})`;
}

function gibibytes(bytes: number): string {
  return (bytes / 2 ** 30).toFixed(1);
}

function checkTable(title: string, { checks }: FindingOf<"checks">): Table {
  const failed = checks.filter(({ passed }) => !passed);
  const shown = checks.length > MANY_CHECKS ? failed : checks;
  const rows = shown.map(({ name, passed, found, expected }) => [name, passed ? "passed" : "FAILED", found, expected]);
  const count = `${checks.length - failed.length} of ${checks.length} checks passed`;
  return { title: `${title}: ${count}`, words: true, header: ["check", "", "found", "expected"], rows };
}

/** How much of its bound an error takes. */
function strain({ relative, bound }: Deviation): number {
  if (relative === null) return Infinity;
  return relative === 0 ? 0 : relative / bound;
}

/** A row for each output that is beyond its bound and, of each operation, for the one nearest to it. */
function deviationTable(title: string, { deviations }: FindingOf<"deviations">): Table {
  const groups = Map.groupBy(deviations, ({ operation, shape, precision }) => `${operation} ${shape} ${precision}`);
  const shown = [...groups.values()].flatMap((group) => {
    const failed = group.filter(({ passed }) => !passed);
    const worst = group.toSorted((a, b) => strain(b) - strain(a)).slice(0, 1);
    return failed.length > 0 ? failed : worst;
  });
  const good = deviations.filter(({ passed }) => passed).length;
  return {
    title:
      `${title}: ${good} of ${deviations.length} outputs within bounds; of each operation the one nearest to its bound`,
    header: ["operation", "shape", "output", "‖error‖ / ‖float64‖", "bound", "largest error", ""],
    rows: shown.map(({ operation, shape, precision, output, relative, largest, bound, passed }) => [
      `${operation} (${precision})`,
      shape,
      output,
      scientific(relative),
      scientific(bound),
      scientific(largest),
      passed ? "passed" : "FAILED",
    ]),
  };
}

function peakTable(title: string, found: FindingOf<"peaks">, device: string): Table {
  const sheet = dataSheet(device);
  const row = (name: string, value: number | null, limit: number | undefined, unit: number, name2: string) => [
    name,
    value === null ? "" : `${(value / unit).toFixed(1)} ${name2}`,
    limit === undefined ? "" : `${(limit / unit).toFixed(1)} ${name2}`,
    value === null || limit === undefined ? "" : percent(value / limit),
  ];
  return {
    title: `${title}, ${found.facts["products"] ?? ""}`,
    header: ["", "reached", "data sheet, dense", "share"],
    rows: [
      row("bf16 matmul", found.bf16, sheet?.half, 1e12, "TFLOP/s"),
      row("fp16 matmul", found.fp16, sheet?.half, 1e12, "TFLOP/s"),
      row("f32 matmul", found.f32, sheet?.f32, 1e12, "TFLOP/s"),
      row("copy, read and written", found.copy, sheet?.memory, 1e9, "GB/s"),
    ],
  };
}

/** Peaks that this machine reached, where they were measured. */
export function measuredPeaks({ parts }: Pick<Results, "parts">): Partial<Peaks> {
  const found = parts.map(({ finding }) => finding).find((finding) => finding?.kind === "peaks");
  if (found?.kind !== "peaks") return {};
  return {
    ...(found.bf16 === null ? {} : { half: found.bf16 }),
    ...(found.f32 === null ? {} : { f32: found.f32 }),
    ...(found.copy === null ? {} : { memory: found.copy }),
  };
}

/** How many times as fast the first is as another: the median of the rounds' own ratios. */
function ratio(ours: Speed, other: Speed): string {
  if (ours === other) return "";
  return `${median(ours.tokensPerSecond.map((speed, i) => speed / (other.tokensPerSecond[i] ?? NaN))).toFixed(2)}×`;
}

function speedTables(title: string, found: FindingOf<"speed">, results: Results): Table[] {
  const { model, batchSequences, speeds, absent, lossDifference } = found;
  const measured = measuredPeaks(results), sheet = dataSheet(results.device);
  const share = (speed: Speed, peaks: Partial<Peaks> | undefined) => {
    const peak = peaks?.[speed.unit];
    return peak === undefined ? "" : percent(modelFlopsUtilization(model, median(speed.tokensPerSecond), peak));
  };
  const [ours] = speeds;
  const gigaflops = flopsPerToken(model, "full") / 1e9;
  const losses = speeds.length < 2 ? "" : `; losses differ by ${scientific(lossDifference)} at most`;
  const table: Table = {
    title: `${title}: ${batchSequences} × ${grouped(model.sequenceLength)} tokens a step, ` +
      `${gigaflops.toFixed(3)} GFLOP a token${losses}`,
    header: ["", "micro-batch", "tokens/s", "TFLOP/s", "MFU, data sheet", "MFU, measured peak", "GiB", "rewarm ÷ this"],
    rows: speeds.map((speed) => [
      speed.trainer,
      String(speed.microBatchSequences),
      spread(speed.tokensPerSecond),
      (median(speed.tokensPerSecond) * gigaflops / 1000).toFixed(1),
      share(speed, sheet),
      share(speed, measured),
      gibibytes(speed.memoryBytes),
      ours === undefined ? "" : ratio(ours, speed),
    ]),
  };
  if (absent.length === 0) return [table];
  const rows = absent.map(({ trainer, reason }) => [trainer, reason]);
  return [table, { title: "Absent", words: true, header: ["", "reason"], rows }];
}

/** Kernels that take less than this share of a step are added up in one row. */
const LEAST_SHARE = 0.005;

function profileTable(title: string, found: FindingOf<"profile">): Table {
  const { kernels, stepMilliseconds, predictedFor, batchSequences, model } = found;
  const isPaper = stepMilliseconds === 0;
  const timeOf = (kernel: typeof kernels[number]) => isPaper ? kernel.predictedMilliseconds : kernel.milliseconds;
  const sum = (list: typeof kernels, value: (kernel: typeof kernels[number]) => number) =>
    list.reduce((total, kernel) => total + value(kernel), 0);
  const total = sum(kernels, timeOf), least = sum(kernels, ({ predictedMilliseconds }) => predictedMilliseconds);
  const row = (name: string, list: typeof kernels) => {
    const time = sum(list, timeOf), flops = sum(list, (kernel) => kernel.flops), bytes = sum(list, (k) => k.bytes);
    const predicted = sum(list, ({ predictedMilliseconds }) => predictedMilliseconds);
    const cells = [name, grouped(sum(list, ({ launches }) => launches))];
    const work = [(flops / time / 1e9).toFixed(1), (bytes / time / 1e6).toFixed(0)];
    if (isPaper) return [...cells, predicted.toFixed(2), percent(predicted / total), (flops / bytes).toFixed(0)];
    return [...cells, time.toFixed(2), percent(time / total), ...work, predicted.toFixed(2), percent(predicted / time)];
  };
  const large = kernels.filter((kernel) => timeOf(kernel) >= LEAST_SHARE * total);
  const small = kernels.filter((kernel) => timeOf(kernel) < LEAST_SHARE * total);
  const rows = large.map((kernel) => row(`${kernel.kernel} ${kernel.shape ?? ""}`.trim(), [kernel]));
  if (small.length > 0) rows.push(row(`${small.length} others`, small));
  rows.push(row("all", kernels));
  const tokens = batchSequences * model.sequenceLength;
  const speed = `${grouped(1000 * tokens / least)} tokens/s`;
  const step = isPaper
    ? `${grouped(tokens)} tokens a step; at best ${speed} on ${predictedFor}`
    : `${grouped(tokens)} tokens a step, ${stepMilliseconds.toFixed(1)} ms, of which kernels ${total.toFixed(1)} ms`;
  return {
    title: `${title}: ${step}`,
    header: isPaper
      ? ["kernel", "launches", "least ms", "share", "FLOP/byte"]
      : ["kernel", "launches", "ms", "share", "TFLOP/s", "GB/s", `least ms, ${predictedFor}`, "least ÷ ms"],
    rows,
  };
}

/** A part's tables; none where it found nothing. */
export function partTables({ part, finding }: PartResult, results: Results): Table[] {
  switch (finding?.kind) {
    case "facts":
      return [{ title: part, words: true, header: ["", ""], rows: Object.entries(finding.facts) }];
    case "checks":
      return [checkTable(part, finding)];
    case "deviations":
      return [deviationTable(part, finding)];
    case "peaks":
      return [peakTable(part, finding, results.device)];
    case "speed":
      return speedTables(part, finding, results);
    case "profile":
      return [profileTable(part, finding)];
    default:
      return [];
  }
}

/** Characters of a reason; the results have all of it. */
const MOST_WORDS = 100;

/** All parts with how they ended. */
export function overview({ parts }: Results): Table {
  return {
    title: "Parts",
    words: true,
    header: ["part", "", "seconds", "why"],
    rows: parts.map(({ part, status, seconds, detail = "" }) => [
      part,
      status === "failed" || status === "broken" ? status.toUpperCase() : status,
      seconds.toFixed(0),
      (detail.split("\n")[0] ?? "").slice(0, MOST_WORDS),
    ]),
  };
}
