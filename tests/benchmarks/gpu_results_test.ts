import assert from "node:assert/strict";
import {
  type Finding,
  finite,
  hasPassed,
  mergeResults,
  type PartResult,
  readResults,
  type Results,
  RESULTS_FORMAT,
  withPart,
  writeResults,
} from "../../benchmarks/gpu/results.ts";
import { withFolder } from "../temporary_folder.ts";
import { SMALLEST_MODEL } from "../model/smallest_model.ts";

const CHECK = { name: "a", passed: true, found: "1", expected: "1" };
const DEVIATION = {
  operation: "matmul",
  shape: "2×2×2",
  precision: "bf16",
  output: "c",
  relative: 1e-3,
  largest: 2e-3,
  bound: 4e-3,
  passed: true,
} as const;

function partOf(part: string, finding: Finding, startedAt = "2026-11-23T10:00:00.000Z"): PartResult {
  return { part, stage: "correctness", status: "passed", startedAt, seconds: 1, finding };
}

function resultsOf(...parts: PartResult[]): Results {
  return { format: RESULTS_FORMAT, rehearsal: false, device: "NVIDIA H200", commit: "abc", modified: false, parts };
}

const CHECKS: Finding = { kind: "checks", checks: [CHECK] };
const DEVIATIONS: Finding = { kind: "deviations", deviations: [DEVIATION] };

Deno.test("writeResults() writes what readResults() reads, and leaves no other file", () =>
  withFolder(async (folder) => {
    const results = resultsOf(partOf("a", CHECKS), partOf("b", DEVIATIONS));
    await writeResults(`${folder}/results.json`, results);
    assert.deepEqual(await readResults(`${folder}/results.json`), results);
    assert.deepEqual(Array.from(Deno.readDirSync(folder), ({ name }) => name), ["results.json"]);
  }));

Deno.test("readResults() names what is wrong where", () =>
  withFolder(async (folder) => {
    const path = `${folder}/results.json`;
    await Deno.writeTextFile(path, JSON.stringify({ ...resultsOf(), device: 5 }));
    await assert.rejects(() => readResults(path), /results\.json" holds no results[^]*at device/);
    await Deno.writeTextFile(path, JSON.stringify({ ...resultsOf(), surplus: true }));
    await assert.rejects(() => readResults(path), /surplus/);
  }));

Deno.test("writeResults() refuses numbers that JSON cannot hold", () =>
  withFolder(async (folder) => {
    const broken = { kind: "deviations", deviations: [{ ...DEVIATION, relative: NaN }] } as const;
    await assert.rejects(() =>
      writeResults(`${folder}/results.json`, resultsOf(partOf("a", { ...broken, deviations: [...broken.deviations] })))
    );
    assert.deepEqual([...Deno.readDirSync(folder)], []);
    assert.equal(finite(NaN), null);
    assert.equal(finite(0.5), 0.5);
  }));

Deno.test("withPart() puts a part in the place of an earlier one of its name", () => {
  const results = withPart(resultsOf(partOf("a", CHECKS), partOf("b", CHECKS)), partOf("a", DEVIATIONS));
  assert.deepEqual(results.parts.map(({ part, finding }) => [part, finding?.kind]), [["b", "checks"], [
    "a",
    "deviations",
  ]]);
});

Deno.test("mergeResults() keeps the later of two parts, whatever order the files come in", () => {
  const early = resultsOf(partOf("a", CHECKS, "2026-11-23T10:00:00.000Z"), partOf("b", CHECKS));
  const late = resultsOf(partOf("a", DEVIATIONS, "2026-11-23T11:00:00.000Z"));
  for (const files of [[early, late], [late, early]]) {
    const { parts } = mergeResults(files);
    assert.deepEqual(parts.map(({ part, finding }) => [part, finding?.kind]), [["b", "checks"], ["a", "deviations"]]);
  }
});

Deno.test("mergeResults() refuses results of another device or commit, and none at all", () => {
  assert.throws(() => mergeResults([resultsOf(), { ...resultsOf(), device: "NVIDIA A100" }]), /device "NVIDIA H200"/);
  assert.throws(() => mergeResults([resultsOf(), { ...resultsOf(), commit: "def" }]), /commit "abc" and of "def"/);
  assert.throws(() => mergeResults([resultsOf(), { ...resultsOf(), rehearsal: true }]), /rehearsal/);
  assert.throws(() => mergeResults([]), /no results/);
});

Deno.test("hasPassed() needs every check and deviation to pass, and at least one", () => {
  assert(hasPassed(CHECKS));
  assert(hasPassed(DEVIATIONS));
  assert(!hasPassed({ kind: "checks", checks: [CHECK, { ...CHECK, passed: false }] }));
  assert(!hasPassed({ kind: "deviations", deviations: [DEVIATION, { ...DEVIATION, passed: false }] }));
  assert(!hasPassed({ kind: "checks", checks: [] }));
  assert(!hasPassed({ kind: "deviations", deviations: [] }));
});

Deno.test("hasPassed() takes trainers whose losses are apart, or no numbers, for different work", () => {
  const speed = {
    trainer: "one",
    facts: {},
    unit: "half" as const,
    microBatchSequences: 1,
    tokensPerSecond: [1],
    memoryBytes: 0,
    firstLoss: 1,
    lastLoss: 1,
  };
  const contest = (lossDifference: number | null, speeds = [speed, speed]): Finding => ({
    kind: "speed",
    name: "any",
    model: SMALLEST_MODEL,
    batchSequences: 1,
    speeds,
    absent: [],
    lossDifference,
  });
  assert(hasPassed(contest(1e-4)));
  assert(!hasPassed(contest(0.1)));
  assert(!hasPassed(contest(null)));
  assert(hasPassed(contest(null, [speed])));
});
