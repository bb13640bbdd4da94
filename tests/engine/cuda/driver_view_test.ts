import assert from "node:assert/strict";
import fc from "fast-check";
import { NOTHING, requireLive, slice, type View } from "../../../src/engine/cuda/driver/view.ts";

const WHOLE: View = { address: 0x1000n, bytes: 4096, what: "weights", allocation: { live: true } };

Deno.test("slice() gives the piece exactly when it lies within the whole", () => {
  fc.assert(fc.property(fc.integer({ min: -10, max: 5000 }), fc.integer({ min: -10, max: 5000 }), (offset, bytes) => {
    const fits = offset >= 0 && bytes >= 0 && offset + bytes <= 4096;
    if (!fits) assert.throws(() => slice(WHOLE, offset, bytes), RangeError);
    else {
      const piece = slice(WHOLE, offset, bytes);
      assert.equal(piece.address, 0x1000n + BigInt(offset));
      assert.equal(piece.bytes, bytes);
    }
  }));
  for (const wrong of [0.5, NaN, Infinity, 2 ** 53]) {
    assert.throws(() => slice(WHOLE, wrong, 1), RangeError);
    assert.throws(() => slice(WHOLE, 0, wrong), RangeError);
  }
});

Deno.test("slice() names what does not fit", () => {
  assert.throws(() => slice(WHOLE, 4000, 100, "bias"), {
    message: '"bias": 100 bytes at 4000 do not lie within the 4096 of "weights"',
  });
  assert.throws(() => slice(NOTHING, 0, 1), RangeError);
});

Deno.test("requireLive() refuses slices of slices once the whole is freed", () => {
  const allocation = { live: true };
  const piece = slice(slice({ ...WHOLE, allocation }, 0, 100), 0, 10, "corner");
  requireLive(piece);
  allocation.live = false;
  assert.throws(() => requireLive(piece), /"corner" was freed/);
});
