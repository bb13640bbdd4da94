import assert from "node:assert/strict";
import { UserError } from "../../src/errors.ts";
import type { ArmCurves } from "../../src/results/arm_curves.ts";
import { type Estimate, makeEstimates } from "../../src/results/estimates/estimate.ts";
import { estimateSchema } from "../../src/results/estimates/estimate_schema.ts";
import { type Measure, MEASURE_KINDS } from "../../src/results/estimates/catalogue.ts";
import { formatEstimates } from "../../src/results/estimates/format_estimates.ts";
import { dominatedArea } from "../../src/results/estimates/kinds/frontier.ts";
import { loadPaper } from "../../src/reproduce/paper_file.ts";
import { parsePaper } from "../../src/results/paper_schema.ts";
import { armOfDocuments, currentPaper } from "./judging/current.ts";
import { arm, REHEARSAL } from "./rehearsal.ts";
import type { LossPair } from "./rehearsal_losses.ts";

const STEPS = [0, 15, 30, 74, 247];

const run = (name: string, losses: readonly LossPair[], seedIndex = 0) =>
  arm(`x/${name}`, STEPS, losses, { seedIndex });
const upstream = (losses: readonly number[]): LossPair[] => losses.map((loss) => [loss, 1]);

/** The paper with one experiment of one estimate. */
function estimate(measure: Measure, arms: readonly ArmCurves[], requires?: string[]): Estimate {
  const stated = estimateSchema.parse({ id: "estimate", title: "An estimate", measure, requires });
  const [experiment] = currentPaper([]).experiments;
  assert.ok(experiment !== undefined);
  const paper = currentPaper([], {
    experiments: [{ ...experiment, name: "x", estimates: [stated] }],
    preconditions: {
      learned: {
        title: "the model has learned",
        otherwise: "the model has learned next to nothing",
        rule: { kind: "learned", runs: ["x/a"], metric: "upstream", margin: "line" },
        reason: "a test",
      },
    },
  });
  const [made] = makeEstimates(paper, arms, REHEARSAL);
  assert.ok(made !== undefined);
  return made;
}

const values = ({ numbers }: Estimate) => numbers.map(({ label, value }) => [label, Number(value)]);

Deno.test("stability-gap: depth over control and start, length until the run is no longer above the control", () => {
  const control = run("constant", upstream([1, 1.02, 1.03, 1.04, 1.05]));
  const closed = run("a", upstream([1, 1.2, 1.3, 1.04, 1]));
  const measure: Measure = {
    kind: "stability-gap",
    runs: ["x/a"],
    control: "x/constant",
    metric: "upstream",
    within: 15e9,
  };
  const { numbers } = estimate(measure, [control, closed]);
  assert.equal(numbers[0]?.value, "0.250000"); // 1.3 over 1.04
  assert.equal(Number(numbers[1]?.value).toFixed(1), "15.0"); // step 74
  assert.equal(numbers[1]?.atLeast, undefined);
  const open = run("a", upstream([1, 1.2, 1.3, 1.2, 1.1]));
  const longer = estimate(measure, [control, open]).numbers[1];
  assert.equal(Number(longer?.value).toFixed(0), "50");
  assert.equal(longer?.atLeast, true);
});

Deno.test("change: of the whole and by domain, over all documents where they are known", () => {
  const { numbers } = estimate(
    { kind: "change", runs: ["x/a"], metric: "upstream", at: 50e9, byDomain: false },
    [run("a", upstream([2, 2, 2, 2, 2.2]))],
  );
  assert.deepEqual(numbers.map(({ value, intervals }) => [value, intervals]), [["0.100000", []]]);
  const documents = armOfDocuments("x/a", [0, 247], [[1, 2, 3], [0.9, 1.9, 2.6]]);
  const down = estimate(
    { kind: "change", runs: ["x/a"], metric: "downstream", at: 50e9, byDomain: true },
    [documents],
  );
  assert.deepEqual(values(down), [
    ["a at 50B tokens of the paper", -0.1],
    ["a, text", -0.1],
  ]);
  assert.deepEqual(down.numbers.map(({ intervals }) => intervals.map(({ over, count }) => [over, count])), [
    [["documents", 3]],
    [["documents", 3]],
  ]);
  const without = estimate(
    { kind: "change", runs: ["x/a"], metric: "upstream", at: 50e9, byDomain: true },
    [run("a", upstream([2, 2, 2, 2, 2.2]))],
  );
  assert.equal(without.missing, 'the curve of "x/a" has no losses by domain');
});

Deno.test("forgetting-removed: share of what the baseline forgets, and the cost downstream", () => {
  const at = (up: number, down: number): LossPair[] => [[1, 2], [1, 2], [1, 2], [1, 2], [up, down]];
  const arms = [run("0%", at(2, 1.5)), run("5%", at(1.25, 1.53))];
  const made = estimate({ kind: "forgetting-removed", runs: ["x/5%"], baseline: "x/0%", at: 50e9 }, arms);
  assert.deepEqual(values(made), [["removed by 5%", 0.75], ["cost of 5%", 0.02]]);
});

Deno.test("difference and spread: over seeds, with Student's interval", () => {
  const arms = [1.1, 1.2, 1.3].flatMap((loss, seedIndex) => [
    run("a", upstream([1, 1, 1, 1, loss]), seedIndex),
    run("b", upstream([1, 1, 1, 1, 1]), seedIndex),
  ]);
  const [number] = estimate(
    { kind: "difference", runs: ["x/a"], reference: "x/b", metric: "upstream", at: 50e9 },
    arms,
  ).numbers;
  assert.equal(number?.value, "0.200000");
  // 0.2 ± 4.303 · 0.1 / √3
  assert.deepEqual(number?.intervals, [{ over: "seeds", count: 3, low: "-0.048414", high: "0.448414" }]);
  const spread = estimate({ kind: "spread", runs: ["x/a", "x/b"], metric: "upstream", at: 50e9 }, arms.slice(0, 2));
  assert.equal(spread.numbers[0]?.value, "0.067344"); // 0.1 / √2 over 1.05
});

Deno.test("frontier: the area that is dominated, with one corner for all sets", () => {
  const corner = { kept: 0, learned: 0 };
  assert.equal(dominatedArea([{ kept: 3, learned: 1 }, { kept: 1, learned: 3 }], corner), 5);
  assert.equal(dominatedArea([{ kept: 3, learned: 1 }, { kept: 2, learned: 1 }, { kept: 1, learned: 3 }], corner), 5);
  assert.equal(dominatedArea([corner], corner), 0);
  const at = (up: number, down: number): LossPair[] => [[1, 1], [1, 1], [1, 1], [1, 1], [up, down]];
  const arms = [run("a", at(1.2, 0.9)), run("b", at(1.1, 0.8)), run("c", at(1.2, 0.8)), run("d", at(1.1, 0.9))];
  const made = estimate({
    kind: "frontier",
    sets: { "with": ["x/a", "x/b"], "without": ["x/c", "x/d"] },
    at: 50e9,
  }, arms);
  assert.deepEqual(values(made), [["with", 0.01], ["without", 0]]);
});

Deno.test("an estimate whose precondition is not met, or whose arms are missing, has no numbers and says why", () => {
  const measure: Measure = { kind: "difference", runs: ["x/a"], reference: "x/b", metric: "upstream", at: 50e9 };
  const arms = [run("a", upstream([5, 5, 5, 5, 5]))];
  assert.match(estimate(measure, arms, ["learned"]).missing ?? "", /^the model has learned next to nothing: /);
  assert.equal(estimate(measure, arms).missing, 'arm "x/b" was not run');
});

Deno.test("formatEstimates() shows numbers with intervals, and says where no error is known", () => {
  const made = (numbers: Estimate["numbers"]): Estimate => ({
    id: "e",
    experiment: "x",
    title: "A question",
    measure: "",
    numbers,
    evidence: [],
  });
  const text = formatEstimates([
    made([{
      label: "removed by 5%",
      unit: "share",
      value: "0.712000",
      seeds: 3,
      intervals: [{ over: "seeds", count: 3, low: "0.680000", high: "0.744000" }],
    }, { label: "length", unit: "B tokens", value: "12.340000", seeds: 1, atLeast: true, intervals: [] }]),
    { ...made([]), missing: "nothing was run" },
  ]);
  assert.equal(
    text,
    "A question\n  removed by 5%: 71.2 %, 68.0 to 74.4 over 3 seeds\n  length: at least 12.3B tokens, no error known\n" +
      "A question\n  no numbers: nothing was run\n",
  );
  assert.equal(formatEstimates([]), "");
});

Deno.test("the rules' file refuses estimates of version 1 and preconditions that do not exist", async () => {
  const { text } = await loadPaper({ set: "all" });
  const refused = (from: string | RegExp, to: string, message: RegExp) => {
    const changed = text.replace(from, to);
    assert.notEqual(changed, text);
    assert.throws(() => parsePaper(changed, "paper.yaml"), (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, message);
      return true;
    });
  };
  refused(
    /(estimates:[^]*?)- learned/,
    "$1- learnt",
    /requires\[0\] is "learnt", expected the name of an entry of precond/,
  );
  refused("kind: forgetting-removed", "kind: forgeting-removed", /measure\.kind is "forgeting-removed"/);
});

Deno.test("every kind of estimate reads its fields, and no others", () => {
  for (const kind of MEASURE_KINDS) {
    const issues = estimateSchema.safeParse({ id: "e", title: "t", measure: { kind } }).error?.issues ?? [];
    assert.ok(issues.length > 0 && issues.every(({ path }) => path[1] !== "kind"), kind);
  }
});

Deno.test("line: what points between start and end remove and cost, and how high the loss rises over the chord", () => {
  const end = arm("x/a", [0, 247], [[2, 4], [3, 2]]);
  const points = [arm("x/p", [0], [[2.25, 3.2]]), arm("x/q", [0], [[2.9, 2.1]])];
  const measure: Measure = {
    kind: "line",
    run: "x/a",
    points: [{ fraction: 0.5, run: "x/p" }, { fraction: 0.75, run: "x/q" }],
  };
  assert.deepEqual(values(estimate(measure, [end, ...points])), [
    ["removed at p", 0.75], // 0.75 of 1
    ["cost at p", 0.6], // 1.2 over 2
    ["removed at q", 0.1],
    ["cost at q", 0.05],
    ["upstream barrier", 0.054545], // 2.9 over a chord of 2.75; p lies below its own
    ["downstream barrier", 0.066667], // 3.2 over a chord of 3
  ]);
});
