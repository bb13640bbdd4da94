/** Places that answer with values: as many radio buttons as places, in both drawings, at the values of the curves. */
import assert from "node:assert/strict";
import { parseDocument } from "../../../src/report/charts/document.ts";
import { drawChart } from "../../../src/report/charts/chart.ts";
import { lossChart, perplexityChart } from "../../../src/report/charts/charts.ts";
import { Legend } from "../../../src/report/charts/legend.ts";
import { seriesOf } from "../../../src/report/charts/series.ts";
import { drawSpots } from "../../../src/report/charts/spots.ts";
import { MAX_CLAIMS, MAX_SPOTS } from "../../../src/report/markup/limits.ts";
import { STYLESHEET } from "../../../src/report/markup/stylesheet.ts";
import { sampleInput } from "../fixture.ts";

const { arms, experiments } = sampleInput();
const series = seriesOf(arms, ["warmup-length"], new Legend(experiments, arms));
const words = { title: "Loss & <more>", xLabel: "tokens", yLabel: "loss" };
const chart = lossChart(series, "upstream", 1000, words);
const document = parseDocument(drawChart(chart, "a").text);

Deno.test("lossChart() answers with the values of all arms at the first, the last and the highest evaluations", () => {
  const { spots } = chart;
  const tokens = spots.map(({ x }) => x ?? NaN);
  assert.deepEqual(tokens, tokens.toSorted((a, b) => a - b));
  assert.deepEqual([tokens[0], tokens.at(-1)], [0, 507_904]);
  assert(spots.length >= 10 && spots.length <= MAX_SPOTS);
  const peak = series[0]?.mean.reduce((a, b) => b.upstream > a.upstream ? b : a);
  const there = spots.find(({ x }) => x === peak?.tokens);
  assert.deepEqual(there?.values[0]?.text, peak?.upstream.toFixed(4));
  assert.equal(there?.title, "28.7M of the paper’s tokens, 28.7K here");
});

Deno.test("perplexityChart() answers at the points of every path", () => {
  const { spots } = perplexityChart(series, 1, words);
  assert(spots.length >= 2 * series.length && spots.length <= MAX_SPOTS);
  assert.deepEqual(
    new Set(spots.map(({ values }) => values[0]?.style.label)),
    new Set(series.map(({ style }) => style.label)),
  );
  assert.match(spots[0]?.values[0]?.text ?? "", /^2\.435 upstream, 4\.442 downstream$/);
  assert.equal(spots[0]?.title, "0 tokens");
});

Deno.test("drawChart() has a radio button a place, named by its values, and one for none", () => {
  const names = [...document.querySelectorAll("input")].map((input) => input.getAttribute("aria-label"));
  assert.equal(names.length, chart.spots.length + 1);
  assert.equal(names[0], "no values shown");
  assert.match(names[1] ?? "", /^0 of the paper’s tokens, 0 here: 0\u00a0% 0\.8900; 0\.5\u00a0% 0\.8900; /);
  assert.deepEqual(
    [...document.querySelectorAll("[role=radiogroup]")].map((group) => group.getAttribute("aria-label")),
    ["Values of “Loss & <more>”; arrow keys walk along them"],
  );
  for (const name of ["wide", "narrow"]) {
    assert.equal([...document.querySelectorAll(`svg.${name} .spots > .spot`)].length, chart.spots.length);
  }
});

Deno.test("drawChart() covers the whole plot with bands that do not overlap", () => {
  const bands = [...document.querySelectorAll("svg.wide .catch")].map((band) =>
    ["x", "width"].map((name) => Number(band.getAttribute(name)))
  );
  bands.forEach(([x = NaN, width = NaN], i) => {
    const next = bands[i + 1]?.[0];
    if (next !== undefined) assert(Math.abs(x + width - next) < 0.2, `${x} + ${width}, then ${next}`);
  });
});

Deno.test("the stylesheet has a rule for every place and every claim that a page may number", () => {
  assert.match(
    STYLESHEET,
    new RegExp(`:nth-child\\(${MAX_SPOTS + 1}\\):checked\\) \\.spot:nth-child\\(${MAX_SPOTS}\\)`),
  );
  assert.match(STYLESHEET, new RegExp(`\\.claim\\.c${MAX_CLAIMS - 1}\\[open\\]`));
  const spot = { title: "", values: [], dots: [] };
  const frame = { left: 0, top: 0, width: 1, height: 1, fontSize: 1 };
  assert.throws(() => drawSpots(Array(MAX_SPOTS + 1).fill(spot), frame, () => [0, 0]), /41 places of a chart, 40/);
});
