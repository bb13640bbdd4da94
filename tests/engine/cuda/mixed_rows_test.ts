/** Embedding, LayerNorm, GELU, rotary embedding and column sums of the mixed mode on the stand-in, against float64. */
import assert from "node:assert/strict";
import type { View } from "../../../src/engine/cuda/driver/view.ts";
import { indexTokens } from "../../../src/engine/cuda/ordered/embedding_index.ts";
import { RowOperations } from "../../../src/engine/cuda/mixed/row_operations.ts";
import { rotaryTables } from "../../../src/engine/ordered/rotary_tables.ts";
import type { ModelConfig } from "../../../src/model/config.ts";
import { SMALL_MODEL } from "../fixture.ts";
import {
  assertClose,
  type Bench,
  digestOf,
  ignoreWithoutCompiler as ignore,
  ORDER_SEEDS,
  random,
  rounded,
  unitRoundoff,
  withBench,
} from "./mixed_fixture.ts";

type Floats = Float32Array<ArrayBuffer>;

/** Fails unless every order of threads and blocks gives the same results. */
async function assertOrderless(
  options: Parameters<typeof withBench>[0],
  compute: (bench: Bench) => Promise<readonly Float32Array[]>,
): Promise<void> {
  const digests = new Set<string>();
  for (const seed of ORDER_SEEDS) {
    digests.add(await withBench({ ...options, seed }, async (bench) => digestOf(...await compute(bench))));
  }
  assert.equal(digests.size, 1);
}

function at(values: ArrayLike<number>, index: number): number {
  return values[index] ?? NaN;
}

/** Sums over rows of (rows, width). */
function columnSums(values: ArrayLike<number>, width: number): Float64Array {
  const sums = new Float64Array(width);
  for (let i = 0; i < values.length; i++) sums[i % width] = (sums[i % width] ?? 0) + at(values, i);
  return sums;
}

// ---- LayerNorm ----

interface NormData {
  readonly rows: number;
  readonly h: number;
  readonly residual: Floats;
  readonly carried: Floats;
  readonly gains: readonly [Floats, Floats];
  readonly shifts: readonly [Floats, Floats];
  /** gradients of y1 and y2, as 16 bits hold them */
  readonly dys: readonly [Floats, Floats];
  readonly stream: Floats;
}

function normData(rows: number, h: number, { precision }: Bench): NormData {
  return {
    rows,
    h,
    residual: random(rows * h, 1, 3).map((x, i) => x + 2 * Math.floor(i / h) % 5),
    carried: random(h, 2, 0.5),
    gains: [random(h, 3).map((x) => 1 + x / 4), random(h, 4).map((x) => 1 + x / 4)],
    shifts: [random(h, 5), random(h, 6)],
    dys: [rounded(random(rows * h, 7), precision), rounded(random(rows * h, 8), precision)],
    stream: random(rows * h, 9),
  };
}

/** x̂ and rstd in float64. */
function normalized64({ rows, h, residual, carried }: NormData, epsilon: number) {
  const unit = new Float64Array(rows * h), rstds = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    const x = Array.from({ length: h }, (_, i) => at(residual, row * h + i) + at(carried, i));
    const mean = x.reduce((sum, value) => sum + value, 0) / h;
    const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / h;
    rstds[row] = 1 / Math.sqrt(variance + epsilon);
    x.forEach((value, i) => unit[row * h + i] = (value - mean) * at(rstds, row));
  }
  return { unit, rstds };
}

function operations({ device, kernels }: Bench, model: Partial<ModelConfig>, rows: number): RowOperations {
  return new RowOperations(device, kernels, { ...SMALL_MODEL, ...model }, rows);
}

async function normalize(bench: Bench, data: NormData, pair: boolean) {
  const { rows, h } = data;
  const ops = operations(bench, { hiddenSize: h }, rows);
  const normalized = bench.empty(2 * rows * h), rstds = bench.empty(4 * rows);
  const ys = [bench.empty(2 * rows * h), bench.empty(2 * rows * h)] as const;
  const output = (i: 0 | 1) => ({ gain: bench.floats(data.gains[i]), shift: bench.floats(data.shifts[i]), y: ys[i] });
  ops.normalize(
    { residual: bench.floats(data.residual), carried: bench.floats(data.carried) },
    pair ? [output(0), output(1)] : [output(0)],
    { normalized, rstds },
  );
  return {
    unit: await bench.readHalves(normalized),
    rstds: await bench.readFloats(rstds),
    ys: [await bench.readHalves(ys[0]), await bench.readHalves(ys[1])] as const,
  };
}

for (const precision of ["fp16", "bf16"] as const) {
  for (const [rows, h] of [[5, 16], [7, 64], [3, 264], [9, 768], [6, 1024]] as const) {
    Deno.test({
      name: `RowOperations.normalize() agrees with float64 on ${rows} rows of ${h} in ${precision}`,
      ignore,
      fn: () =>
        withBench({ precision }, async (bench) => {
          const data = normData(rows, h, bench);
          const { unit, rstds } = normalized64(data, SMALL_MODEL.layerNormEpsilon);
          const actual = await normalize(bench, data, true);
          const bound = unitRoundoff(precision) + 1e-6;
          assertClose("x̂", actual.unit, unit, bound);
          assertClose("1/σ", actual.rstds, rstds, 1e-6);
          for (const i of [0, 1] as const) {
            const y = unit.map((value, j) => value * at(data.gains[i], j % h) + at(data.shifts[i], j % h));
            assertClose(`y${i + 1}`, actual.ys[i], y, bound);
          }
          const alone = await normalize(bench, data, false);
          assert.deepEqual([alone.unit, alone.rstds, alone.ys[0]], [actual.unit, actual.rstds, actual.ys[0]]);
          assert(alone.ys[1].every(Number.isNaN));
        }),
    });
  }
}

async function normalizeBackward(bench: Bench, data: NormData, pair: boolean) {
  const { rows, h } = data;
  const ops = operations(bench, { hiddenSize: h }, rows);
  const { unit, rstds } = normalized64(data, SMALL_MODEL.layerNormEpsilon);
  const width = (pair ? 4 : 2) * h;
  const exact = pair ? bench.floats(data.stream) : bench.empty(4 * rows * h), kept = bench.empty(2 * rows * h);
  const sums = { norm: bench.empty(4 * ops.pieces.norm * width), stream: bench.empty(4 * ops.pieces.norm * h) };
  const input = (i: 0 | 1) => ({ dy: bench.halves(data.dys[i]), gain: bench.floats(data.gains[i]) });
  ops.normalizeBackward(
    pair ? [input(0), input(1)] : [input(0)],
    { normalized: bench.halves(unit), rstds: bench.floats(Float32Array.from(rstds)) },
    { exact, rounded: kept },
    sums,
  );
  const norm = bench.empty(4 * width), stream = bench.floats(random(h, 11)), also = bench.empty(4 * h);
  const pieces = ops.pieces.norm;
  ops.sumColumns({ partial: sums.norm, pieces, width, target: norm }, false);
  ops.sumColumns({ partial: sums.stream, pieces, width: h, target: stream }, true);
  ops.sumColumns({ partial: sums.stream, pieces, width: h, target: also, also: stream }, false);
  return {
    exact: await bench.readFloats(exact),
    kept: await bench.readHalves(kept),
    norm: await bench.readFloats(norm),
    stream: await bench.readFloats(stream),
    also: await bench.readFloats(also),
  };
}

/** The same in float64, from the x̂ that 16 bits keep. */
function normalizeBackward64(data: NormData, precision: Bench["precision"], pair: boolean) {
  const { rows, h, gains, dys, stream } = data;
  const reference = normalized64(data, SMALL_MODEL.layerNormEpsilon);
  const unit = rounded(reference.unit, precision);
  const exact = new Float64Array(rows * h);
  const used = pair ? [0, 1] as const : [0] as const;
  for (let row = 0; row < rows; row++) {
    const g = Array.from(
      { length: h },
      (_, i) => used.reduce<number>((sum, n) => sum + at(dys[n], row * h + i) * at(gains[n], i), 0),
    );
    const mean = g.reduce((sum, value) => sum + value, 0) / h;
    const slope = g.reduce((sum, value, i) => sum + value * at(unit, row * h + i), 0) / h;
    g.forEach((value, i) => {
      const own = at(reference.rstds, row) * (value - mean - at(unit, row * h + i) * slope);
      exact[row * h + i] = own + (pair ? at(stream, row * h + i) : 0);
    });
  }
  const norm = used.flatMap((n) => [
    ...columnSums(Float64Array.from(dys[n], (dy, i) => dy * at(unit, i)), h),
    ...columnSums(dys[n], h),
  ]);
  return { exact, norm, stream: columnSums(exact, h) };
}

for (const precision of ["fp16", "bf16"] as const) {
  for (const [rows, h] of [[70, 16], [131, 64], [40, 264], [33, 768], [65, 1024]] as const) {
    for (const pair of [true, false]) {
      Deno.test({
        name: `RowOperations.normalizeBackward() agrees with float64 on ${rows} rows of ${h}, ` +
          `${pair ? "two norms" : "one norm"}, in ${precision}`,
        ignore,
        fn: () =>
          withBench({ precision }, async (bench) => {
            const data = normData(rows, h, bench);
            const actual = await normalizeBackward(bench, data, pair);
            const expected = normalizeBackward64(data, precision, pair);
            assertClose("dR", actual.exact, expected.exact, 2e-6);
            assertClose("dR in 16 bits", actual.kept, expected.exact, unitRoundoff(precision));
            assertClose("gains and shifts", actual.norm, expected.norm, 2e-6);
            assertClose("sums of dR", actual.also, expected.stream, 5e-6);
            assert.deepEqual(actual.stream, actual.also);
          }),
      });
    }
  }
}

Deno.test({
  name: "RowOperations.sumColumns() adds to what stands in its targets when told to",
  ignore,
  fn: () =>
    withBench({}, async (bench) => {
      const rows = 100 * 32, width = 40;
      const ops = operations(bench, {}, rows);
      const pieces = ops.pieces.linear;
      const partial = random(pieces * width, 1);
      const expected = columnSums(partial, width);
      const old = random(width, 2);
      const target = bench.floats(old), also = bench.floats(old);
      ops.sumColumns({ partial: bench.floats(partial), pieces, width, target, also }, true);
      const actual = await bench.readFloats(target);
      assertClose("sums", actual, expected.map((sum, i) => sum + at(old, i)), 1e-6);
      assert.deepEqual(await bench.readFloats(also), actual);
    }),
});

for (const [rows, h] of [[70, 16], [33, 768]] as const) {
  Deno.test({
    name: `LayerNorm kernels give the same bits whatever the order of threads and blocks, on rows of ${h}`,
    ignore,
    fn: () =>
      assertOrderless({}, async (bench) => {
        const data = normData(rows, h, bench);
        const { unit, rstds, ys } = await normalize(bench, data, true);
        const { exact, kept, norm, stream } = await normalizeBackward(bench, data, true);
        return [unit, rstds, ...ys, exact, kept, norm, stream];
      }),
  });
}

// ---- GELU ----

/** Φ(x) by the series of erf, and by its continued fraction far from 0. */
function normalDistribution(x: number): number {
  const u = Math.abs(x) / Math.SQRT2;
  let erfc: number;
  if (u < 3) {
    let term = u, sum = u;
    for (let n = 1; n < 200; n++) {
      term *= -u * u / n;
      sum += term / (2 * n + 1);
    }
    erfc = 1 - 2 / Math.sqrt(Math.PI) * sum;
  } else {
    let fraction = 0;
    for (let n = 60; n > 0; n--) fraction = n / 2 / (u + fraction);
    erfc = Math.exp(-u * u) / Math.sqrt(Math.PI) / (u + fraction);
  }
  return x > 0 ? 1 - erfc / 2 : erfc / 2;
}

Deno.test("normalDistribution() of this test agrees with tables", () => {
  for (
    const [x, expected] of [[0, 0.5], [1, 0.8413447460685429], [-2, 0.0227501319481792], [-5, 2.866515718791939e-7]]
  ) {
    assert(Math.abs(normalDistribution(x!) / expected! - 1) < 1e-12, `Φ(${x})`);
  }
});

async function gelu(bench: Bench, rows: number, m: number) {
  const hidden = rounded(random(rows * m, 1, 5), bench.precision);
  const bias = random(m, 2);
  const gradient = rounded(random(rows * m, 3), bench.precision);
  const ops = operations(bench, { intermediateSize: m }, rows);
  const activation = bench.empty(2 * rows * m),
    d = bench.halves(gradient),
    sums = bench.empty(4 * ops.pieces.linear * m);
  const inputs = [bench.halves(hidden), bench.floats(bias)] as const;
  ops.gelu(...inputs, activation);
  ops.geluBackward(d, ...inputs, sums);
  const total = bench.empty(4 * m);
  ops.sumColumns({ partial: sums, pieces: ops.pieces.linear, width: m, target: total }, false);
  return {
    hidden,
    bias,
    gradient,
    activation: await bench.readHalves(activation),
    d: await bench.readHalves(d),
    sums: await bench.readFloats(total),
  };
}

for (const precision of ["fp16", "bf16"] as const) {
  for (const [rows, m] of [[40, 64], [65, 1032]] as const) {
    Deno.test({
      name: `RowOperations.gelu() and geluBackward() agree with float64 on ${rows} rows of ${m} in ${precision}`,
      ignore,
      fn: () =>
        withBench({ precision }, async (bench) => {
          const { hidden, bias, gradient, activation, d, sums } = await gelu(bench, rows, m);
          const x = Float64Array.from(hidden, (value, i) => value + at(bias, i % m));
          const bound = unitRoundoff(precision) + 1e-6;
          assertClose("GELU", activation, x.map((value) => value * normalDistribution(value)), bound);
          const slope = x.map((value) =>
            normalDistribution(value) + value * Math.exp(-value * value / 2) / Math.sqrt(2 * Math.PI)
          );
          const expected = slope.map((value, i) => value * at(gradient, i));
          assertClose("dA", d, expected, bound);
          assertClose("gradient of the bias", sums, columnSums(expected, m), 1e-5);
        }),
    });
  }
}

Deno.test({
  name: "GELU kernels give the same bits whatever the order of threads and blocks",
  ignore,
  fn: () =>
    assertOrderless({}, async (bench) => {
      const { activation, d, sums } = await gelu(bench, 65, 1032);
      return [activation, d, sums];
    }),
});

// ---- Rotary embedding ----

function rotaryModel(headSize: number): ModelConfig {
  return { ...SMALL_MODEL, heads: 3, hiddenSize: 3 * headSize, sequenceLength: 40 };
}

async function rotary(bench: Bench, model: ModelConfig) {
  const rows = 2 * model.sequenceLength, width = 3 * model.hiddenSize;
  const half = model.hiddenSize / model.heads / 8;
  const { cosines, sines } = rotaryTables(model);
  const tables = { cosines: bench.floats(cosines), sines: bench.floats(sines) };
  const ops = operations(bench, model, rows);
  const input = rounded(random(rows * width, 1), bench.precision), bias = random(width, 2);
  const forward = bench.halves(input),
    backward = bench.halves(input),
    sums = bench.empty(4 * ops.pieces.linear * width);
  ops.rotary(forward, bench.floats(bias), tables);
  ops.rotaryBackward(backward, tables, sums);
  const total = bench.empty(4 * width);
  ops.sumColumns({ partial: sums, pieces: ops.pieces.linear, width, target: total }, false);
  return {
    ...{ input, bias, cosines, sines, half, rows, width },
    forward: await bench.readHalves(forward),
    backward: await bench.readHalves(backward),
    sums: await bench.readFloats(total),
  };
}

for (const headSize of [8, 16, 32, 64, 128] as const) {
  Deno.test({
    name: `RowOperations.rotary() and rotaryBackward() agree with float64 on heads of ${headSize}`,
    ignore,
    fn: () =>
      withBench({ headSize }, async (bench) => {
        const model = rotaryModel(headSize);
        const { input, bias, cosines, sines, half, rows, width, forward, backward, sums } = await rotary(bench, model);
        const turned = (source: ArrayLike<number>, direction: number) => {
          const result = Float64Array.from(source);
          for (let row = 0; row < rows; row++) {
            for (let part = 0; part < 3 * model.heads; part++) {
              if (part % 3 === 2) continue;
              for (let i = 0; i < half; i++) {
                const a = row * width + part * headSize + i, b = a + half;
                const angle = row % model.sequenceLength * half + i;
                const cosine = at(cosines, angle), sine = direction * at(sines, angle);
                result[a] = at(source, a) * cosine - at(source, b) * sine;
                result[b] = at(source, b) * cosine + at(source, a) * sine;
              }
            }
          }
          return result;
        };
        const bound = unitRoundoff("bf16") + 1e-6;
        assertClose("q, k, v", forward, turned(input.map((x, i) => x + at(bias, i % width)), 1), bound);
        assertClose("their gradient", backward, turned(input, -1), bound);
        assertClose("gradient of the bias", sums, columnSums(turned(input, -1), width), 1e-5);
      }),
  });
}

Deno.test({
  name: "Rotary kernels give the same bits whatever the order of threads and blocks",
  ignore,
  fn: async () => {
    for (const headSize of [16, 64] as const) {
      await assertOrderless({ headSize }, async (bench) => {
        const { forward, backward, sums } = await rotary(bench, rotaryModel(headSize));
        return [forward, backward, sums];
      });
    }
  },
});

// ---- Embedding ----

async function embedding(bench: Bench, tokens: Uint16Array<ArrayBuffer>, h: number) {
  const model = { ...SMALL_MODEL, hiddenSize: h, sequenceLength: 20, vocabularySize: 64 };
  const rows = tokens.length / 21 * 20;
  const ops = operations(bench, model, rows);
  const table = random(64 * h, 1), stream = random(rows * h, 2), old = random(64 * h, 3);
  const residual = bench.empty(4 * rows * h), gradient = bench.floats(old);
  const onDevice: View = bench.device.allocate(2 * tokens.length, "tokens");
  bench.device.upload(onDevice, tokens);
  ops.embed(onDevice, bench.floats(table), residual);
  const index = indexTokens(tokens, 20, tokens.length / 21);
  ops.embedBackward(bench.floats(stream), {
    ids: bench.words(index.ids),
    starts: bench.words(index.starts),
    rows: bench.words(index.rows),
    count: index.ids.length,
  }, gradient);
  return { table, stream, old, residual: await bench.readFloats(residual), gradient: await bench.readFloats(gradient) };
}

/** Windows of 21 tokens; 7 comes in most places. */
const TOKENS = Uint16Array.from(random(4 * 21, 5), (x) => x < 0.4 ? 7 : Math.floor(x * 64));

for (const h of [16, 1032]) {
  Deno.test({
    name: `RowOperations.embed() gathers rows of ${h} and embedBackward() adds up their gradients`,
    ignore,
    fn: () =>
      withBench({}, async (bench) => {
        const { table, stream, old, residual, gradient } = await embedding(bench, TOKENS, h);
        const expected = Float64Array.from(old);
        const gathered: number[] = [];
        for (let row = 0; row < 80; row++) {
          const token = at(TOKENS, Math.floor(row / 20) * 21 + row % 20);
          for (let i = 0; i < h; i++) {
            gathered.push(at(table, token * h + i));
            expected[token * h + i] = at(expected, token * h + i) + at(stream, row * h + i);
          }
        }
        assert.deepEqual(Array.from(residual), gathered);
        assertClose("gradient", gradient, expected, 1e-6);
      }),
  });
}

Deno.test({
  name: "Embedding kernels give the same bits whatever the order of threads and blocks",
  ignore,
  fn: () =>
    assertOrderless({}, async (bench) => {
      const { residual, gradient } = await embedding(bench, TOKENS, 40);
      return [residual, gradient];
    }),
});
