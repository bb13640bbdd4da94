/** The functions of docs/arithmetic.md §3 in plain TypeScript, written from that page. */
import { cos, exp as exp64, log as log64, sin } from "../../src/arithmetic/elementary.ts";
import type { ModelConfig } from "../../src/model/config.ts";
import { build, fma, fromBits, type Matrix, toBits } from "./ordered_arithmetic.ts";

const { fround } = Math;

/** Rounds to an integer, ties to even. */
function roundToEven(x: number): number {
  const floor = Math.floor(x);
  const fraction = x - floor;
  if (fraction !== 0.5) return fraction < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

const EXP_TERMS = [0x3c0936b2, 0x3d2aac4e, 0x3e2aaa05, 0x3efffffd, 0x3f800000, 0x3f800000].map(fromBits);

/** e^x for x ≤ 0; +0 below −87. */
export function exp(x: number): number {
  if (x < -87) return 0;
  const n = roundToEven(fround(x * fromBits(0x3fb8aa3b)));
  let r = fma(n, fromBits(0xbf317200), x);
  r = fma(n, fromBits(0xb5bfbe8e), r);
  let p = fromBits(0x3ab55c97);
  for (const term of EXP_TERMS) p = fma(p, r, term);
  return fround(p * 2 ** n);
}

const TAIL = [
  0x36e05851,
  0x3df4ba43,
  0x3df992c8,
  0x3dc260b7,
  0x3e11691b,
  0xbd9b1b8d,
  0x3e697594,
  0xbe2ce4a9,
  0x3d1cec83,
].map(fromBits);

/** Φ(−u) / exp(−u²/2) for u ≥ 0. */
export function tail(u: number): number {
  const t = fround(1 / fma(u, fromBits(0x3e99999a), 1));
  let p = TAIL[8]!;
  for (let i = 7; i >= 0; i--) p = fma(p, t, TAIL[i]!);
  return p;
}

/** GELU and its derivative at x. */
export function gelu(x: number): { value: number; derivative: number } {
  const u = Math.abs(x);
  const e = exp(fround(fround(u * u) * -0.5));
  const q = fround(e * tail(u));
  const phi = x < 0 ? q : fround(1 - q);
  return { value: fround(x * phi), derivative: fma(x, fround(e * fromBits(0x3ecc422a)), phi) };
}

const LOG_TERMS = [0x3e922e01, 0x3eccccf6, 0x3f2aaaab].map(fromBits);

/** Natural logarithm of 1 ≤ x < ∞. */
export function log(x: number): number {
  const bits = toBits(x);
  let e = (bits >>> 23) - 127;
  let m = fromBits((bits & 0x7fffff) | 0x3f800000);
  if (m > fromBits(0x3fb504f3)) {
    m = fround(m * 0.5);
    e += 1;
  }
  const s = fround(fround(m - 1) / fround(m + 1));
  const z = fround(s * s);
  let q = fromBits(0x3e6eed72);
  for (const term of LOG_TERMS) q = fma(q, z, term);
  let y = fma(fround(z * s), q, fround(s + s));
  y = fma(e, fromBits(0x35bfbe8e), y);
  return fma(e, fromBits(0x3f317200), y);
}

/** Rotary cosines and sines, (T, half). */
export function rotaryTables(config: ModelConfig): { cosine: Matrix; sine: Matrix } {
  const half = config.rotaryFraction * (config.hiddenSize / config.heads) / 2;
  const angle = (t: number, i: number) => t * exp64(-(i / half) * log64(config.rotaryBase));
  return {
    cosine: build(config.sequenceLength, half, (t, i) => cos(angle(t, i))),
    sine: build(config.sequenceLength, half, (t, i) => sin(angle(t, i))),
  };
}
