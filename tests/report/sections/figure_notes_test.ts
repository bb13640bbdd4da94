/** What is said under figures follows from their data. */
import assert from "node:assert/strict";
import { Legend } from "../../../src/report/charts/legend.ts";
import { type Series, seriesOf } from "../../../src/report/charts/series.ts";
import { forgettingNote } from "../../../src/report/sections/figure_notes.ts";
import { sampleInput } from "../fixture.ts";

const { arms, experiments } = sampleInput();
const legend = new Legend(experiments, arms);
const shifted = (series: Series, by: (upstream: number, index: number) => number): Series => ({
  ...series,
  members: series.members.map((member) => ({
    ...member,
    curves: {
      ...member.curves,
      points: member.curves.points.map((point, index) => ({ ...point, upstream: by(point.upstream, index) })),
    },
  })),
});

Deno.test("forgettingNote() says how much is forgotten of arms that went on from a trained model", () => {
  const [note, ...others] = forgettingNote(seriesOf(arms, ["max-learning-rate", "from-scratch"], legend));
  assert.deepEqual(others, []);
  assert.match(note ?? "", /^Forgotten at the end.*constant \+.*2× \+/);
  assert.doesNotMatch(note ?? "", /scratch/);
});

Deno.test("forgettingNote() says that nothing is forgotten where every arm ends below its start", () => {
  const series = seriesOf(arms, ["warmup-length"], legend).map((one) => shifted(one, (_, index) => 1 - index / 1000));
  const [note] = forgettingNote(series);
  assert.match(note ?? "", /^Nothing is forgotten here.*higher end is less gained and not more forgotten\.$/);
  const [first, ...rest] = series;
  assert(first !== undefined);
  const [mixed] = forgettingNote([shifted(first, (_, index) => 1 + index), ...rest]);
  assert.match(mixed ?? "", /^Forgotten at the end.* 0\u00a0% \+.*Not forgotten, since it ends below: 0\.5\u00a0% −/);
});

Deno.test("forgettingNote() says nothing of arms that train on upstream text", () => {
  assert.deepEqual(forgettingNote(seriesOf(arms, ["same-data"], legend)), []);
});

Deno.test("forgettingNote() reads all validation windows where start and end kept them", () => {
  const domains = [{ name: "typescript", weight: 1 }];
  const validation = { domains, documents: [{ domain: 0, tokens: 10 }] };
  const [series] = seriesOf(arms, ["warmup-length"], legend);
  assert(series !== undefined);
  const last = series.mean.at(-1)?.step;
  const whole = {
    ...series,
    members: series.members.map((member) => ({
      ...member,
      curves: {
        ...member.curves,
        validation: { upstream: validation, downstream: validation },
        points: member.curves.points.map((point) => {
          if (point.step !== 0 && point.step !== last) return point;
          const losses = [{ tokens: 10, loss: point.step === 0 ? 10 : 15 }];
          return { ...point, documents: { upstream: losses, downstream: losses } };
        }),
      },
    })),
  };
  assert.match(forgettingNote([whole])[0] ?? "", / 0\u00a0% \+50\u00a0%\.$/);
});
