import assert from "node:assert/strict";
import type { Curves } from "../../src/results/curves.ts";
import { CURVE_COLUMNS, curvesCsv } from "../../src/results/curves_csv.ts";

function curvesOf(label: string): Curves {
  return {
    runKey: "k".repeat(64),
    label,
    tokensPerStep: 8,
    bytesPerToken: { upstream: 1, downstream: 3.5 },
    points: [
      { step: 0, tokens: 0, learningRate: 0, upstream: 5.545177459716797, downstream: 1e-7 },
      { step: 2, tokens: 16, learningRate: 0.003000000026077032, upstream: 5, downstream: 4 },
    ],
  };
}

Deno.test("curvesCsv() has a line a point, with numbers that read back as they were", () => {
  const key = "k".repeat(64);
  assert.equal(
    curvesCsv([curvesOf("a"), { ...curvesOf("b"), points: [] }]),
    `${CURVE_COLUMNS.join(",")}\n` +
      `a,${key},0,0,0,5.545177459716797,1e-7,1,3.5\n` +
      `a,${key},2,16,0.003000000026077032,5,4,1,3.5\n`,
  );
  assert.equal(curvesCsv([]), `${CURVE_COLUMNS.join(",")}\n`);
});

for (
  const [label, cell] of [
    ['a,"b"', '"a,""b"""'],
    ["two\nlines", '"two\nlines"'],
    ['=HYPERLINK("x")', `"'=HYPERLINK(""x"")"`],
    ["@SUM(1)", "'@SUM(1)"],
    ["+1", "'+1"],
    ["-1", "'-1"],
  ] as const
) {
  Deno.test(`curvesCsv() leaves the label ${JSON.stringify(label)} a text`, () => {
    assert(curvesCsv([curvesOf(label)]).includes(`\n${cell},kkk`));
  });
}
