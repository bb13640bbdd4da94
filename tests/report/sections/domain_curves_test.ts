/** Losses by domain: drawn where there are several, each from its own numbers. */
import assert from "node:assert/strict";
import { parseDocument } from "../../../src/report/charts/document.ts";
import { Legend } from "../../../src/report/charts/legend.ts";
import { seriesOf } from "../../../src/report/charts/series.ts";
import { domainCurves } from "../../../src/report/sections/domain_curves.ts";
import { figureGroups } from "../../../src/report/sections/figures.ts";
import { sampleInput } from "../fixture.ts";
import type { ReportArm } from "../../../src/report/input/input.ts";

const input = sampleInput(2);
const figure = figureGroups(input.experiments).flatMap(({ figures }) => figures)
  .find(({ id }) => id === "figure-1-upstream") ?? assert.fail();
const validation = {
  domains: [{ name: "typescript", weight: 0.25 }, { name: "node", weight: 0.75 }],
};
const withDomains = (arm: ReportArm): ReportArm => ({
  ...arm,
  curves: {
    ...arm.curves,
    validation: { upstream: validation, downstream: validation },
    points: arm.curves.points.map((point, i) => ({
      ...point,
      domains: { upstream: [i === 0 ? null : point.upstream + 1, point.upstream - 0.25], downstream: [1, 2] },
    })),
  },
});
const drawn = (arms: readonly ReportArm[]) => {
  const series = seriesOf(arms, ["warmup-length"], new Legend(input.experiments, arms));
  return domainCurves(figure, series, input)?.text;
};

Deno.test("domainCurves() draws each domain from its own losses, the largest first", () => {
  const document = parseDocument(drawn(input.arms.map(withDomains)) ?? "");
  assert.match(document.querySelector("summary")?.textContent.trim() ?? "", /^By domain: node, typescript$/);
  const names = [...document.querySelectorAll("input")].map((element) => element.getAttribute("aria-label") ?? "");
  const starts = input.arms.filter(({ experiment, arm }) => experiment === "warmup-length" && arm === "0%")
    .map(({ curves }) => curves.points[0]?.upstream ?? NaN);
  const mean = starts.reduce((sum, loss) => sum + loss - 0.25, 0) / starts.length;
  assert.equal(starts.length, 2);
  assert(names.some((name) => name.startsWith(`0 of the paper’s tokens, 0 here: 0\u00a0% ${mean.toFixed(4)};`)));
  // the typescript domain had no window at the first step
  assert.equal(names.filter((name) => name.startsWith("0 of the paper")).length, 1);
});

Deno.test("domainCurves() draws nothing of one domain or of curves without losses by domain", () => {
  assert.equal(drawn(input.arms), undefined);
  const one = { domains: [{ name: "node", weight: 1 }] };
  assert.equal(
    drawn(
      input.arms.map(withDomains).map((arm) => ({
        ...arm,
        curves: { ...arm.curves, validation: { upstream: one, downstream: one } },
      })),
    ),
    undefined,
  );
});
