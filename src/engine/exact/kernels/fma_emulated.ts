// c + a·b rounded once, for CPUs without a fused multiply-add. AssemblyScript; the same bits as fma_relaxed.ts, slower.
// In doubles the product is exact; the sum is rounded to odd (Boldo and Melquiond, "Emulation of FMA and correctly
// rounded sums", 2008), so that the second rounding, to single, gives what one rounding would have given.

function fmaHalf(a: v128, b: v128, c: v128): v128 {
  const product = f64x2.mul(f64x2.promote_low_f32x4(a), f64x2.promote_low_f32x4(b));
  const addend = f64x2.promote_low_f32x4(c);
  const sum = f64x2.add(product, addend);
  // Knuth's two-sum: sum + error is product + addend exactly.
  const addendPart = f64x2.sub(sum, product);
  const error = f64x2.add(f64x2.sub(product, f64x2.sub(sum, addendPart)), f64x2.sub(addend, addendPart));
  const zero = f64x2.splat(0);
  const one = i64x2.splat(1);
  const isEven = i64x2.eq(v128.and(sum, one), i64x2.splat(0));
  const isInexact = v128.or(f64x2.lt(error, zero), f64x2.gt(error, zero)); // false for NaN: infinities stay
  const grows = i64x2.eq(v128.and(v128.xor(sum, error), i64x2.splat(i64.MIN_VALUE)), i64x2.splat(0));
  const odd = i64x2.add(sum, v128.bitselect(one, i64x2.splat(-1), grows));
  return f32x4.demote_f64x2_zero(v128.bitselect(odd, sum, v128.and(isEven, isInexact)));
}

export function fma(a: v128, b: v128, c: v128): v128 {
  const low = fmaHalf(a, b, c);
  const high = fmaHalf(
    v128.shuffle<f64>(a, a, 1, 1),
    v128.shuffle<f64>(b, b, 1, 1),
    v128.shuffle<f64>(c, c, 1, 1),
  );
  return v128.shuffle<f64>(low, high, 0, 2);
}
