import assert from "node:assert/strict";
import { Legend } from "../../../src/report/charts/legend.ts";
import { PAPER } from "../../results/paper.ts";
import { sampleInput } from "../fixture.ts";

const { experiments, arms } = sampleInput();
const legend = new Legend(experiments, arms);
const look = (experiment: string, arm: string) => {
  const { label: _, ...look } = legend.style(experiment, arm, 0);
  return look;
};

Deno.test("Legend gives arms that read one run one look, whatever experiment they stand in", () => {
  assert.deepEqual(look("max-learning-rate", "1x"), look("warmup-length", "1%"));
  assert.deepEqual(look("earlier-checkpoints", "100%-warmup-1%"), look("warmup-length", "1%"));
});

Deno.test("Legend gives arms of one label one look", () => {
  for (const arm of ["constant", "0.5x", "2x"]) {
    assert.deepEqual(look("same-data", arm), look("max-learning-rate", arm));
  }
});

Deno.test("Legend gives arms that meet in a figure different looks", () => {
  for (const { name, figures } of PAPER.experiments) {
    for (const figure of figures.filter(({ plots }) => plots.kind !== "schedule")) {
      const shown = [name, ...figure.with].flatMap((shown) => {
        const stated = PAPER.experiments.find(({ name }) => name === shown);
        return Object.keys(stated?.arms ?? {}).map((arm) => JSON.stringify(look(shown, arm)));
      });
      assert.equal(new Set(shown).size, shown.length, figure.id);
    }
  }
});

Deno.test("Legend says of which experiment an arm is where arms of several meet", () => {
  assert.equal(legend.style("warmup-length", "2%", 0).label, "2\u00a0%");
  assert.equal(legend.style("warmup-length", "2%", 0, true).label, "warm-up 2\u00a0%");
  assert.equal(legend.style("unknown", "arm", 1).label, "arm");
});
