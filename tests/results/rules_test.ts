/** Rules whose outcomes the rehearsal does not exercise. */
import assert from "node:assert/strict";
import type { ArmCurves } from "../../src/results/arm_curves.ts";
import { judgeClaims } from "../../src/results/claims.ts";
import type { Rule } from "../../src/results/rule_schema.ts";
import { log } from "../../src/arithmetic/elementary.ts";
import { paperWith } from "./paper.ts";
import { arm, REHEARSAL } from "./rehearsal.ts";

/** 5, 50, 100, 150, 200, 240B tokens of the paper after the start. */
const STEPS = [0, 25, 247, 493, 740, 986, 1184];

function run(name: string, downstream: readonly number[]): ArmCurves {
  return arm(name, STEPS, downstream.map((loss) => [loss, loss]));
}

function judge(rule: Rule, ...arms: ArmCurves[]): string | undefined {
  return judgeClaims(paperWith(rule), arms, REHEARSAL)[0]?.verdict;
}

Deno.test("rule overtakes wants the run behind first and ahead later", () => {
  const rule: Rule = {
    kind: "overtakes",
    run: "x/a",
    reference: "x/b",
    metric: "downstream",
    behindAt: 100e9,
    aheadAt: 240e9,
    margin: "difference",
  };
  const reference = run("x/b", [2, 2, 2, 2, 2, 2, 2]);
  assert.equal(judge(rule, run("x/a", [6, 5, 4, 3, 2.1, 1.95, 1.9]), reference), "reproduced");
  assert.equal(judge(rule, run("x/a", [6, 5, 4, 3, 2.4, 2.2, 2.1]), reference), "contradicted"); // never ahead
  assert.equal(judge(rule, run("x/a", [1, 1, 1, 1, 1, 1, 1]), reference), "contradicted"); // never behind
  assert.equal(judge(rule, run("x/a", [6, 5, 4, 3, 2.4, 2.2, 1.999]), reference), "inconclusive");
});

Deno.test("rule lowest-until bears being behind by less than the margin, but wants a lead somewhere", () => {
  const rule: Rule = {
    kind: "lowest-until",
    run: "x/a",
    others: ["x/b", "x/c"],
    metric: "downstream",
    until: 100e9,
    margin: "difference",
  };
  const b = run("x/b", [2, 1.9, 1.8, 1.5, 1.4, 1.3, 1.2]), c = run("x/c", [2, 2, 1.7, 1.6, 1.5, 1.4, 1.3]);
  assert.equal(judge(rule, run("x/a", [2, 1.8, 1.6, 1.505, 3, 3, 3]), b, c), "reproduced"); // later points do not count
  assert.equal(judge(rule, run("x/a", [2, 1.8, 1.6, 1.52, 1, 1, 1]), b, c), "contradicted");
  assert.equal(judge(rule, run("x/a", [2, 1.898, 1.698, 1.498, 1, 1, 1]), b, c), "inconclusive"); // ahead by a hair
});

Deno.test("rule falls bears no rise beyond the margin between two points, nor a flat curve", () => {
  const rule: Rule = {
    kind: "falls",
    run: "x/a",
    metric: "upstream",
    through: [50e9, 100e9, 150e9, 200e9, 240e9],
    margin: "difference",
  };
  assert.equal(judge(rule, run("x/a", [6, 5, 4, 3, 2.5, 2.51, 2.4])), "reproduced"); // a rise of 0.4 %
  assert.equal(judge(rule, run("x/a", [6, 5, 4, 3, 2.5, 2.6, 2.4])), "contradicted"); // of 4 %
  assert.equal(judge(rule, run("x/a", [6, 5, 4, 4, 4, 4, 3.99])), "inconclusive");
});

Deno.test("rule does-not-recover is contradicted when a run comes back to its start", () => {
  const rule: Rule = { kind: "does-not-recover", runs: ["x/a"], metric: "upstream", at: "end", margin: "difference" };
  assert.equal(judge(rule, run("x/a", [2, 2.2, 2.1])), "reproduced");
  assert.equal(judge(rule, run("x/a", [2, 2.2, 2.0])), "contradicted");
  assert.equal(judge(rule, run("x/a", [2, 2.2, 2.005])), "inconclusive");
});

Deno.test("rule spikes is contradicted when the reference rises as much", () => {
  const rule: Rule = {
    kind: "spikes",
    run: "x/a",
    reference: "x/b",
    metric: "downstream",
    within: 15e9,
    margin: "difference",
  };
  assert.equal(judge(rule, run("x/a", [2, 2.5, 1.5]), run("x/b", [2, 2.1, 1.5])), "reproduced");
  assert.equal(judge(rule, run("x/a", [2, 2.5, 1.5]), run("x/b", [2, 2.5, 1.5])), "contradicted");
  assert.equal(judge(rule, run("x/a", [2, 1.9, 1.5]), run("x/b", [2, 1.8, 1.5])), "contradicted"); // below its start
});

Deno.test("rule ordered with ties bears a step the wrong way within the margin", () => {
  const rule = (ties: boolean): Rule => ({
    kind: "ordered",
    runs: ["x/a", "x/b"],
    direction: "falling",
    ties,
    metric: "downstream",
    at: 50e9,
    margin: "difference",
  });
  const flat = [run("x/a", [2, 2, 2]), run("x/b", [2, 2, 2.005])];
  assert.equal(judge(rule(true), ...flat), "reproduced");
  assert.equal(judge(rule(false), ...flat), "inconclusive");
  assert.equal(judge(rule(true), run("x/a", [2, 2, 2]), run("x/b", [2, 2, 2.05])), "contradicted");
});

Deno.test("rule not-below is contradicted when a run is lower than the reference by more than the margin", () => {
  const rule: Rule = {
    kind: "not-below",
    runs: ["x/a"],
    reference: "x/b",
    metric: "downstream",
    at: 50e9,
    margin: "difference",
  };
  const reference = run("x/b", [2, 2, 2]);
  assert.equal(judge(rule, run("x/a", [2, 2, 1.995]), reference), "reproduced");
  assert.equal(judge(rule, run("x/a", [2, 2, 1.9]), reference), "contradicted");
});

Deno.test("rule linear reads perplexities, wants them to rise together, and five evaluations", () => {
  const rule: Rule = { kind: "linear", runs: ["x/a"], until: 240e9, line: "line", noLine: "noLine" };
  const along = (perplexities: readonly (readonly [number, number])[]) =>
    arm("x/a", STEPS, perplexities.map(([upstream, downstream]) => [log(upstream), log(downstream)]));
  const line: [number, number][] = [[2, 5], [3, 7], [4, 9], [3.5, 8], [3, 7], [2.5, 6], [2.2, 5.4]]; // y = 2x + 1
  assert.equal(judge(rule, along(line)), "reproduced");
  assert.equal(judge(rule, along(line.map(([x, y]) => [x, 12 - y]))), "contradicted"); // a falling line
  assert.equal(judge(rule, along([[2, 5], [3, 9], [4, 5], [3.5, 9], [3, 5], [2.5, 9], [2.2, 5]])), "contradicted");
  assert.equal(judge(rule, along(line.slice(0, 4))), "not comparable");
  assert.equal(judge(rule, along(line.map(([x]) => [x, 3]))), "not comparable"); // a line over no variation
});
