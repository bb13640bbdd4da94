/** Numbers for people, ticks, and the small geometry of charts. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { compact, fixed, grouped, percent, rate, ratio, ticks, trimmed } from "../../../src/report/markup/numbers.ts";
import { simplify } from "../../../src/report/charts/simplify.ts";
import { escapeHtml, html } from "../../../src/report/markup/markup.ts";

Deno.test("compact() keeps three digits and a unit", () => {
  assert.deepEqual([0, 14, 999, 1000, 2_998_272, 507_904, 296_859_205_632, 999_999, 1.5e12].map(compact), [
    "0",
    "14",
    "999",
    "1K",
    "3M",
    "508K",
    "297B",
    "1M",
    "1.5T",
  ]);
});

Deno.test("numbers are written without the locale", () => {
  assert.equal(grouped(405_334_016), "405,334,016");
  assert.equal(trimmed(100, 0), "100");
  assert.equal(trimmed(2.5, 2), "2.5");
  assert.equal(percent(0.005), "0.5\u00a0%");
  assert.equal(percent(1 / 3), "33\u00a0%");
  assert.equal(fixed(NaN, 3), "–");
  assert.equal(fixed(undefined, 3), "–");
  assert.equal(fixed(1.0142e304, 3), "1.01e304");
  assert.equal(rate(3e-4), "3e-4");
  assert.equal(rate(Math.fround(1.5e-4)), "1.5e-4");
  assert.equal(rate(0), "0");
  assert.equal(ratio(405_334_016, 182_848), "2,200");
  assert.equal(ratio(3, 2), "1.5");
});

Deno.test("ticks() gives round, ascending values within the range, about as many as wanted", () => {
  assert.deepEqual(ticks(0, 2_998_272, 6), [0, 500000, 1000000, 1500000, 2000000, 2500000]);
  assert.deepEqual(ticks(2.3, 2.9, 6), [2.3, 2.4, 2.5, 2.6, 2.7, 2.8, 2.9]);
  fc.assert(
    fc.property(
      fc.double({ min: -1e6, max: 1e6, noNaN: true }),
      fc.double({ min: 1e-3, max: 1e9, noNaN: true }),
      fc.integer({ min: 3, max: 8 }),
      (low, span, count) => {
        const values = ticks(low, low + span, count);
        assert.ok(values.length >= 1 && values.length <= 2 * count + 1, `${values.length} ticks`);
        values.forEach((value, i) => {
          assert.ok(value >= low - span * 1e-6 && value <= low + span * (1 + 1e-6));
          if (i > 0) assert.ok(value > (values[i - 1] as number));
        });
      },
    ),
  );
});

Deno.test("simplify() keeps the ends and stays within the tolerance", () => {
  const line = Array.from({ length: 101 }, (_, i) => [i, 2 * i] as const);
  assert.deepEqual(simplify(line, 0, 1e-9), [[0, 0], [100, 200]]);
  fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 2, maxLength: 60 }), (heights) => {
    const points = heights.map((height, i) => [i, height] as const);
    const kept = simplify(points, 0, 5);
    for (const [x, y] of points) {
      const right = kept.findIndex((point) => point[0] >= x);
      const [b, a] = [kept[right], kept[Math.max(0, right - 1)]];
      assert.ok(a && b);
      const straight = b[0] === a[0] ? b[1] : a[1] + (b[1] - a[1]) * (x - a[0]) / (b[0] - a[0]);
      assert.ok(Math.abs(straight - y) <= 5 + 1e-9);
    }
  }));
});

Deno.test("html escapes text and leaves markup, for any text", () => {
  assert.equal(
    html`<p title="${`a"b`}">${[html`<b>${"<"}</b>`, null, false, 3]}</p>`.text,
    '<p title="a&quot;b"><b>&lt;</b>3</p>',
  );
  fc.assert(fc.property(fc.string(), (text) => assert.doesNotMatch(escapeHtml(text), /[<>"'\0]/)));
});
