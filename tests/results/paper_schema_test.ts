import assert from "node:assert/strict";
import { UserError } from "../../src/errors.ts";
import { loadExperiments } from "../../src/experiment/catalogue.ts";
import { PAPER_DOWNSTREAM_TOKENS } from "../../src/experiment/scale/paper_units.ts";
import { describeRule } from "../../src/results/rules/describe.ts";
import { parsePaper } from "../../src/results/paper_schema.ts";
import { type Rule, runsOf } from "../../src/results/rule_schema.ts";
import { FIXTURE_CATALOGUE } from "../experiment/plan/plan_fixture.ts";
import { PAPER, PAPER_TEXT } from "./paper.ts";

function refused(from: string | RegExp, to: string, message: RegExp) {
  const text = PAPER_TEXT.replace(from, to);
  assert.notEqual(text, PAPER_TEXT);
  assert.throws(() => parsePaper(text, "paper.yaml"), (error) => {
    assert.ok(error instanceof UserError);
    assert.match(error.message, message);
    return true;
  });
}

/** Points of the paper that a rule reads. */
function pointsOf(rule: Rule): number[] {
  const points = "through" in rule ? rule.through : [
    "at" in rule ? rule.at : 0,
    "until" in rule ? rule.until : 0,
    "within" in rule ? rule.within : 0,
    "aheadAt" in rule ? rule.aheadAt : 0,
  ];
  return points.filter((point) => typeof point === "number");
}

Deno.test("experiments/paper.yaml reads only arms that exist, and no further than they go", async () => {
  const arms = new Map<string, number>(
    (await loadExperiments()).flatMap(({ name, arms }) =>
      Object.entries(arms).map(([arm, { tokens }]) => [`${name}/${arm}`, tokens] as const)
    ),
  );
  for (const { id, rule } of PAPER.claims) {
    for (const run of runsOf(rule)) {
      const tokens = arms.get(run);
      assert.ok(tokens !== undefined, `claim ${id} reads "${run}", which no experiment has`);
      for (const point of pointsOf(rule)) assert.ok(point <= tokens, `claim ${id} reads ${run} at ${point}`);
    }
  }
  const others = [
    PAPER.learningRates.run,
    ...PAPER.textNumbers.flatMap(({ ours }) => ours.runs),
    ...PAPER.axisRanges.flatMap(({ runs }) => runs),
    ...PAPER.followUpNumbers.flatMap(({ ours }) => ours?.runs ?? []),
  ];
  assert.deepEqual(others.filter((run) => !arms.has(run)), []);
});

Deno.test("experiments/paper.yaml has claims of every section, and every arm of continued training in one of them", async () => {
  assert.deepEqual([...new Set(PAPER.claims.map(({ section }) => section))], ["4.1", "4.2", "4.3", "4.4", "4.5"]);
  const read = new Set([
    ...PAPER.claims.flatMap(({ rule }) => runsOf(rule)),
    ...PAPER.axisRanges.flatMap(({ runs }) => runs),
  ]);
  const arms = (await loadExperiments(FIXTURE_CATALOGUE)).filter(({ name }) => name !== "upstream")
    .flatMap(({ name, arms }) => Object.keys(arms).map((arm) => `${name}/${arm}`));
  assert.deepEqual(arms.filter((arm) => !read.has(arm)), []);
});

Deno.test("experiments/paper.yaml uses every margin, each with its reason", () => {
  const text = JSON.stringify(PAPER.claims);
  for (const name of Object.keys(PAPER.margins)) assert.ok(text.includes(`"${name}"`), `margin ${name} is not used`);
});

Deno.test("experiments/paper.yaml agrees with itself: domains add up, and the totals are the plan's", () => {
  const { rows } = PAPER.domains;
  const sum = (value: (row: typeof rows[number]) => number) => rows.reduce((total, row) => total + value(row), 0);
  assert.equal(sum((row) => row.samplingPercent), 100);
  assert.equal((sum((row) => row.trainTokens) / 1e9).toFixed(1), "296.9");
  assert.equal((sum((row) => row.validationTokens) / 1e6).toFixed(1), "315.8");
  assert.equal(PAPER.paper.downstreamTokens, PAPER_DOWNSTREAM_TOKENS);
});

Deno.test("describeRule() says every rule in words, with its margin and without gaps", () => {
  for (const { id, rule } of PAPER.claims) {
    const words = describeRule(rule, PAPER.margins);
    assert.doesNotMatch(words, /undefined|NaN/, id);
    assert.match(words, /0\.5 %|1 %|0\.95|0\.05/, id);
  }
  assert.equal(
    describeRule(PAPER.claims.find(({ id }) => id === "scratch-overtakes-constant")?.rule as Rule, PAPER.margins),
    "downstream loss of scratch is above that of constant at 100B tokens of the paper and below it at 240B tokens of " +
      "the paper, each by 0.5 % or more",
  );
});

Deno.test("parsePaper() names the entry when a rule is wrong", () => {
  refused("kind: spread-within", "kind: spread-withn", /experiments\[1\]\.claims\[0\]\.rule\.kind/);
  refused(
    "margin: equivalence",
    "margin: equivalent",
    /experiments\[1\]\.claims\[0\]\.rule\.margin is "equivalent", expected the name of/,
  );
  refused("at: 50000000000", "at: 500000000000", /experiments\[1\]\.claims\[0\]\.rule\.at is 500000000000, expected/);
  refused(
    /(kind: spread-within[^]*?)metric: downstream/,
    "$1metric: sideways",
    /experiments\[1\]\.claims\[0\]\.rule\.metric is "sideways"/,
  );
  refused(
    "id: warmup-length-upstream",
    "id: warmup-length-downstream",
    /experiments\[1\]\.claims\[1\]\.id .*not used above/,
  );
  refused(
    "value: hiddenSize",
    "value: hiddenSise",
    /setup\[3\]\.ours\.value is "hiddenSise": did you mean "hiddenSize"/,
  );
});
