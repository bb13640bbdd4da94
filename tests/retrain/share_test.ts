import assert from "node:assert/strict";
import fc from "fast-check";
import { parseShare, segmentsOfShare } from "../../src/retrain/share.ts";
import type { Segment } from "../../src/retrain/segment.ts";

const segmentsWith = (tokens: readonly number[]) =>
  tokens.map((tokens, index) => ({
    run: {},
    from: index,
    to: index + 1,
    diverges: false,
    tokens,
  })) as unknown as Segment[];

const partsOf = (segments: readonly Segment[], shares: number) =>
  Array.from({ length: shares }, (_, index) => segmentsOfShare(segments, { share: index + 1, shares }));

Deno.test("segmentsOfShare() gives every segment to one share, in order, and shares of about the same size", () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 5000 }), { minLength: 1, maxLength: 60 });
  fc.assert(fc.property(sizes, fc.integer({ min: 1, max: 20 }), (tokens, shares) => {
    const segments = segmentsWith(tokens);
    const parts = partsOf(segments, shares);
    assert.deepEqual(parts.flat(), segments);
    const total = tokens.reduce((sum, count) => sum + Math.max(1, count), 0);
    const most = total / shares + Math.max(1, ...tokens);
    for (const part of parts) {
      assert(part.reduce((sum, { tokens }) => sum + Math.max(1, tokens), 0) <= most);
    }
  }));
});

Deno.test("segmentsOfShare() divides equal segments equally", () => {
  const parts = partsOf(segmentsWith(new Array(24).fill(512)), 8);
  assert.deepEqual(parts.map(({ length }) => length), new Array(8).fill(3));
  assert.deepEqual(segmentsOfShare(segmentsWith([512, 512]), { share: 1, shares: 4 }).length, 0);
});

Deno.test("parseShare() reads I/N, and refuses what is no part of a whole", () => {
  assert.deepEqual(parseShare("3/8"), { share: 3, shares: 8 });
  for (const text of ["", "3", "0/8", "9/8", "3/", "/8", "03/8", "3/8/2", "-1/8", "1.5/8", "1/10001"]) {
    assert.throws(() => parseShare(text), { code: "BAD_SHARE" }, text);
  }
});
