import assert from "node:assert/strict";
import { asPage, fileName } from "../../benchmarks/gpu/report.ts";
import { asMarkdown, asText, measuredPeaks, partTables } from "../../benchmarks/gpu/report_tables.ts";
import { type Finding, type PartResult, type Results, RESULTS_FORMAT } from "../../benchmarks/gpu/results.ts";
import { presetModel } from "../../src/model/presets.ts";

const { config: model } = presetModel("pythia-410m");

function partOf(finding: Finding, part = "any"): PartResult {
  return { part, stage: "speed", status: "passed", startedAt: "2026-11-23T10:00:00.000Z", seconds: 1.4, finding };
}

function resultsOf(...parts: PartResult[]): Results {
  return {
    format: RESULTS_FORMAT,
    rehearsal: false,
    device: "NVIDIA H200",
    commit: "0123456789abcdef",
    modified: false,
    parts,
  };
}

/** Rows of a part's first table. */
function rowsOf(finding: Finding, results = resultsOf()): readonly (readonly string[])[] {
  return partTables(partOf(finding), results)[0]?.rows ?? [];
}

const PEAKS: Finding = { kind: "peaks", bf16: 800e12, fp16: 800e12, f32: 50e12, copy: 4.3e12, facts: {} };

function speed(trainer: string, tokensPerSecond: number[], unit: "half" | "f32" = "half") {
  const common = { facts: {}, microBatchSequences: 8, memoryBytes: 2 ** 31, firstLoss: 11, lastLoss: 10 };
  return { trainer, unit, tokensPerSecond, ...common };
}

Deno.test("partTables() gives speeds as medians, MFU of both peaks, and the median of the rounds' own ratios", () => {
  const finding: Finding = {
    kind: "speed",
    name: "pythia-410m",
    model,
    batchSequences: 32,
    // The second round was slow for both.
    speeds: [speed("rewarm", [145_000, 50_000, 146_000]), speed("PyTorch", [72_500, 25_000, 73_000])],
    absent: [{ trainer: "PyTorch, eager", reason: "no time" }],
    lossDifference: 1e-3,
  };
  const [table, absent] = partTables(partOf(finding), resultsOf(partOf(PEAKS)));
  // 145,000 tokens/s of 2.725 GFLOP are 395.1 TFLOP/s: of 989.4 and of 800.
  assert.deepEqual(table?.rows, [
    ["rewarm", "8", "145,000 (50,000–146,000)", "395.1", "39.9 %", "49.4 %", "2.0", ""],
    ["PyTorch", "8", "72,500 (25,000–73,000)", "197.6", "20.0 %", "24.7 %", "2.0", "2.00×"],
  ]);
  assert.match(table?.title ?? "", /2\.725 GFLOP a token; losses differ by 1\.0e-3 at most/);
  assert.deepEqual(absent?.rows, [["PyTorch, eager", "no time"]]);
});

Deno.test("partTables() holds f32 trainers against the f32 peak, and leaves shares out where no peak is known", () => {
  const common = { kind: "speed", name: "any", model, batchSequences: 8, absent: [], lossDifference: 0 } as const;
  const ordered: Finding = { ...common, speeds: [speed("rewarm cuda-ordered", [9000], "f32")], absent: [] };
  const [row] = rowsOf(ordered, resultsOf(partOf(PEAKS)));
  // 24.5 TFLOP/s of 66.9 and of 50.
  assert.deepEqual(row?.slice(2, 6), ["9,000", "24.5", "36.7 %", "49.0 %"]);
  const [unknown] = rowsOf(ordered, { ...resultsOf(), device: "CPU stand-in" });
  assert.deepEqual(unknown?.slice(4, 6), ["", ""]);
  assert.deepEqual(measuredPeaks(resultsOf()), {});
});

Deno.test("partTables() shows every check that failed, and of many that passed only their number", () => {
  const check = (name: string, passed: boolean) => ({ name, passed, found: "1", expected: "2" });
  const many = Array.from({ length: 20 }, (_, i) => check(`case ${i}`, i !== 7));
  const [table] = partTables(partOf({ kind: "checks", checks: many }), resultsOf());
  assert.match(table?.title ?? "", /19 of 20 checks passed/);
  assert.deepEqual(table?.rows, [["case 7", "FAILED", "1", "2"]]);
  assert.equal(rowsOf({ kind: "checks", checks: many.slice(0, 3) }).length, 3);
});

Deno.test("partTables() shows of each operation the output nearest to its bound, and all that are beyond", () => {
  const output = (operation: string, output: string, relative: number | null, passed = true) => ({
    ...{ operation, output, relative, passed, shape: "8×8", precision: "bf16" as const, largest: 0, bound: 1e-2 },
  });
  const rows = rowsOf({
    kind: "deviations",
    deviations: [
      output("good", "a", 1e-4),
      output("good", "b", 9e-3),
      output("bad", "c", 1e-4),
      output("bad", "d", 2e-2, false),
      output("bad", "e", null, false),
    ],
  });
  assert.deepEqual(rows.map((row) => [row[0], row[2], row[3], row.at(-1)]), [
    ["good (bf16)", "b", "9.0e-3", "passed"],
    ["bad (bf16)", "d", "2.0e-2", "FAILED"],
    ["bad (bf16)", "e", "NaN", "FAILED"],
  ]);
});

/** Kernels of a step: one that arithmetic limits, and many small ones. */
function profile(stepMilliseconds: number, time: number): Finding {
  const small = { unit: "f32", launches: 2, flops: 0, bytes: 1e6, predictedMilliseconds: 0.001 } as const;
  return {
    kind: "profile",
    name: "any",
    engine: "cuda-bf16",
    mode: "mixed",
    model,
    batchSequences: 8,
    microBatchSequences: 8,
    stepMilliseconds,
    predictedFor: "NVIDIA H200",
    kernels: [
      {
        ...{ kernel: "matmuls", shape: "nt 8×8×8", unit: "half", launches: 24, flops: 8e12, bytes: 1e9 },
        predictedMilliseconds: 8,
        milliseconds: 16 * time,
      },
      ...["a", "b"].map((kernel) => ({ kernel, ...small, milliseconds: 0.01 * time })),
    ],
  };
}

Deno.test("partTables() gives kernels' times beside the least they need, small ones in one row", () => {
  const [table] = partTables(partOf(profile(20, 1)), resultsOf());
  assert.deepEqual(table?.rows, [
    ["matmuls nt 8×8×8", "24", "16.00", "99.9 %", "500.0", "63", "8.00", "50.0 %"],
    ["2 others", "4", "0.02", "0.1 %", "0.0", "100", "0.00", "10.0 %"],
    ["all", "28", "16.02", "100.0 %", "499.4", "63", "8.00", "50.0 %"],
  ]);
  assert.match(table?.title ?? "", /16,384 tokens a step, 20\.0 ms, of which kernels 16\.0 ms/);
});

Deno.test("partTables() gives the least times of a step on paper, and the speed that follows", () => {
  const [table] = partTables(partOf(profile(0, 0)), resultsOf());
  assert.deepEqual(table?.rows[0], ["matmuls nt 8×8×8", "24", "8.00", "100.0 %", "8000"]);
  assert.match(table?.title ?? "", /at best 2,047,488 tokens\/s on NVIDIA H200/);
});

Deno.test("asMarkdown() and asText() give the same cells", () => {
  const table = { title: "Speeds", header: ["", "tokens/s"], rows: [["a | b", "10"], ["c", "2,000"]] };
  assert.equal(
    asMarkdown(table),
    ["**Speeds**", "", "|  | tokens/s |", "| --- | --: |", "| a \\| b | 10 |", "| c | 2,000 |"].join("\n"),
  );
  assert.equal(asText(table), ["Speeds", "       tokens/s", "a | b        10", "c         2,000"].join("\n"));
  assert.equal(
    asText({ ...table, words: true }),
    ["Speeds", "       tokens/s", "a | b  10", "c      2,000"].join("\n"),
  );
  assert.equal(asMarkdown({ ...table, rows: [] }), "**Speeds**");
});

Deno.test("asPage() says first what the results are of, and whether they are no measurement", () => {
  const results = resultsOf(partOf(PEAKS, "peaks"));
  assert.match(asPage(results), /^NVIDIA H200, commit 0123456789ab\.\n\n\*\*Parts\*\*/);
  assert.match(
    asPage({ ...results, modified: true, rehearsal: true }),
    /^A rehearsal on the CPU, not a measurement\. .*with changes\./,
  );
});

Deno.test("fileName() has the day and the device", () => {
  assert.equal(
    fileName({ ...resultsOf(partOf(PEAKS)), device: "NVIDIA H100 80GB HBM3" }),
    "2026-11-23-nvidia-h100-80gb-hbm3.json",
  );
});
