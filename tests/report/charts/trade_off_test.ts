/** Forgetting against adaptation, and replay's doses: computed from curves and from print. */
import assert from "node:assert/strict";
import { parseDocument } from "../../../src/report/charts/document.ts";
import { doseSeries, ownPanels, publishedPanel } from "../../../src/report/charts/trade_off.ts";
import type { ReportArm, ReportRecipe } from "../../../src/report/input/input.ts";
import { renderReport } from "../../../src/report/page.ts";
import { sampleInput } from "../fixture.ts";
import { sha256 } from "../../../src/digest/sha256.ts";
import { PAPER } from "../../results/paper.ts";

const HORIZON = 1000;

/** An arm whose upstream loss goes from 1 and whose downstream loss from 2 to these. */
function arm(
  name: string,
  recipe: ReportRecipe | undefined,
  upstream: number,
  downstream: number,
  seed = 0,
): ReportArm {
  const label = `replay_${name}_seed-${seed}`;
  const point = (step: number, up: number, down: number) => ({
    step,
    tokens: step * 10,
    learningRate: 1e-3,
    upstream: up,
    downstream: down,
  });
  return {
    experiment: "replay",
    arm: name,
    seedIndex: seed,
    label,
    runKey: sha256(label),
    steps: 81,
    warmupTokens: 10,
    startsAtRandom: false,
    trainedOn: "downstream",
    ...(recipe === undefined ? {} : { recipe }),
    curves: {
      runKey: sha256(label),
      label,
      tokensPerStep: 10,
      bytesPerToken: { upstream: 1, downstream: 1 },
      points: [point(0, 1, 2), point(81, upstream, downstream), point(100, 9, 9)],
    },
  };
}

const recipe = (replay: number, rate?: number, more: Partial<ReportRecipe> = {}): ReportRecipe => ({
  parameters: 54_560,
  replay,
  ...(rate === undefined ? {} : { rate }),
  ...more,
});
const ARMS = [
  arm("0%", recipe(0, 1), 1.5, 1),
  arm("5%", recipe(5, 1), 1.125, 1.01),
  arm("50%", recipe(50, 1), 1.05, 1.1),
  arm("constant", recipe(0), 1.2, 1.2),
  arm("2x", recipe(0, 2), 1.6, 0.99),
  arm("penalty", undefined, 7, 7),
  arm("strong-0%", recipe(0, 1, { mix: "strong" }), 4, 1.5),
  arm("strong-5%", recipe(5, 1, { mix: "strong" }), 2, 1.6),
  arm("alone", recipe(5, 1, { parameters: 9 }), 2, 1.6),
];
const GERMAN = {
  source: "arXiv 2403.08763",
  label: "405M, the Pile to German",
  mix: "strong",
  upstreamBefore: 2.17,
  points: [
    { replay: 50, upstream: 2.24, downstream: 1.22 },
    { replay: 0, upstream: 3.56, downstream: 1.11 },
    { replay: 1, upstream: 2.83, downstream: 1.12 },
  ],
};
const near = (value: number | undefined, wanted: number) =>
  assert(Math.abs((value ?? NaN) - wanted) < 1e-9, `${value}`);

Deno.test("ownPanels() measures arms by their start, and by 1× without replay of the same shift and size", () => {
  const panels = ownPanels(ARMS, 808, HORIZON);
  assert.deepEqual(panels.map(({ mix, points }) => [mix, points.map(({ name }) => name)]), [
    [undefined, [
      "constant, 0\u00a0% replay",
      "1×, 0\u00a0% replay",
      "2×, 0\u00a0% replay",
      "1×, 5\u00a0% replay",
      "1×, 50\u00a0% replay",
    ]],
    ["strong", ["1×, 0\u00a0% replay", "1×, 5\u00a0% replay"]],
  ]);
  const [constant, reference, , replay] = panels[0]?.points ?? [];
  near(constant?.behind, 0.2);
  near(constant?.forgotten, 0.2);
  near(reference?.behind, 0);
  near(replay?.forgotten, 0.125);
  near(replay?.behind, 0.01);
  assert.equal(replay?.run?.label, "replay_5%_seed-0");
});

Deno.test("ownPanels() takes the mean over seeds, each by its own reference, and each run once", () => {
  const again = { ...ARMS[1] as ReportArm, experiment: "size", arm: "own" };
  const other = [arm("0%", recipe(0, 1), 2, 2, 1), arm("5%", recipe(5, 1), 1.5, 2.06, 1)];
  const [panel] = ownPanels([...ARMS.slice(0, 2), again, ...other], 808, HORIZON);
  near(panel?.points[1]?.forgotten, (0.125 + 0.5) / 2);
  near(panel?.points[1]?.behind, (0.01 + 0.03) / 2);
});

Deno.test("ownPanels() reads no loss far from the point, nor of a run that diverged", () => {
  assert.deepEqual(ownPanels(ARMS, 500, HORIZON), []);
  const diverged = ARMS.map((one) => ({ ...one, curves: { ...one.curves, diverged: { step: 90, loss: "NaN" } } }));
  assert.deepEqual(ownPanels(diverged, 808, HORIZON), []);
});

Deno.test("doseSeries() gives the share of forgetting that each dose removes, and names what forgets nothing", () => {
  const { series, without } = doseSeries([
    ...ownPanels(ARMS, 808, HORIZON),
    publishedPanel(GERMAN),
    { title: "nothing", points: publishedPanel({ ...GERMAN, upstreamBefore: 3.56 }).points },
  ]);
  assert.deepEqual(without, ["nothing"]);
  const [own, strong, german] = series;
  near(own?.doses[1]?.removed, 0.75);
  near(own?.doses[2]?.removed, 0.9);
  near(strong?.doses[1]?.removed, 2 / 3);
  // the follow-up's own shares, by its losses: 52.5 and 95.0 %
  assert.deepEqual(german?.doses.map(({ removed }) => (removed * 100).toFixed(1)), ["0.0", "52.5", "95.0"]);
});

Deno.test("renderReport() draws a panel a shift, links every point to its run, and rings what others printed", () => {
  const base = sampleInput();
  const experiment = PAPER.experiments[0] ?? assert.fail();
  const plots = { at: 240e9, published: [GERMAN] };
  const figure = { horizon: "downstream" as const, with: [] };
  const stated = {
    ...experiment,
    name: "replay",
    claims: [],
    estimates: [],
    figures: [
      { ...figure, id: "figure-trade-off", title: "Trade-off", plots: { kind: "trade-off" as const, ...plots } },
      { ...figure, id: "figure-dose", title: "Doses", plots: { kind: "dose-response" as const, ...plots } },
    ],
  };
  const runs = ARMS.map(({ label, runKey }) => ({ ...base.runs[0] ?? assert.fail(), label, runKey }));
  const input = {
    ...base,
    scale: { ...base.scale, downstreamHorizonTokens: HORIZON },
    arms: ARMS,
    experiments: [stated],
    verdicts: [],
    runs,
  };
  const document = parseDocument(renderReport(input));
  const panels = [...document.querySelectorAll("#figure-trade-off .panel")];
  assert.equal(panels.length, 2);
  const links = [...panels[1]?.querySelectorAll("svg.wide a") ?? []].map((link) => link.getAttribute("href") ?? "");
  assert.equal(links.length, 5);
  assert.deepEqual(links.slice(2), Array(3).fill("https://arxiv.org/abs/2403.08763"));
  for (const link of links.slice(0, 2)) assert.equal(document.getElementById(link.slice(1))?.tagName, "TR");
  assert.match(panels[1]?.textContent ?? "", /Rings: 405M, the Pile to German \(arXiv 2403\.08763\)/);
  assert.equal(panels[0]?.querySelector("svg")?.getAttribute("role"), "group");
  const doses = document.getElementById("figure-dose-data")?.closest("table")?.textContent.replace(/\s+/g, " ") ?? "";
  assert.match(doses, /1 % ––52\.5 % 5 % 75 %66\.7 %– 50 % 90 %–95 %/);
  const without = parseDocument(renderReport({ ...input, arms: ARMS.slice(0, 1) }));
  assert.match(without.getElementById("figure-dose")?.textContent ?? "", /is left out: this report holds no arms/);
});
