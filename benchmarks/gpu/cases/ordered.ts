/**
 * The ordered mode's kernels one by one on random numbers, each with a digest of its results: the same on every device.
 * Shapes have whole tiles and edges, several problems, and parts of triangles.
 */
import { createHash } from "node:crypto";
import { compileKernels } from "../../../src/engine/cuda/driver/compile_kernels.ts";
import { Device } from "../../../src/engine/cuda/driver/device.ts";
import type { View } from "../../../src/engine/cuda/driver/view.ts";
import { ORDERED_FLAGS } from "../../../src/engine/cuda/ordered/engine.ts";
import { readKernelUnit } from "../../../src/engine/cuda/kernel_source.ts";
import { EXTENT, OrderedKernels } from "../../../src/engine/cuda/ordered/kernels.ts";
import { TILES } from "../../../src/engine/cuda/ordered/matmul_tile.ts";
import { updateScalars } from "../../../src/engine/ordered/update_scalars.ts";
import { engineOptions, type Settings } from "../settings.ts";
import { normalNoise, OPTIMIZER } from "../task.ts";

/** Digests by case. */
export type CaseDigests = Readonly<Record<string, string>>;

/** Where a case gets its numbers and leaves them. */
class Bench {
  readonly #noise = normalNoise(1 << 16);
  #at = 0;
  readonly #views: View[] = [];

  constructor(readonly device: Device, readonly kernels: OrderedKernels) {}

  /** Normal numbers, others at each call. */
  floats(count: number, change: (value: number, index: number) => number = (value) => value): View {
    this.#at += 7919;
    const { length } = this.#noise;
    return this.put(Float32Array.from({ length: count }, (_, i) => change(this.#noise[(this.#at + i) % length]!, i)));
  }

  put(values: ArrayBufferView<ArrayBuffer>): View {
    const view = this.device.allocate(values.byteLength, "a case's data");
    this.device.upload(view, values);
    this.#views.push(view);
    return view;
  }

  async digest(...views: readonly View[]): Promise<string> {
    const hash = createHash("sha256");
    for (const view of views) {
      const values = new Float32Array(view.bytes / 4);
      await this.device.download(view, values);
      hash.update(new Uint8Array(values.buffer));
    }
    return hash.digest("hex");
  }

  free(): void {
    for (const view of this.#views.splice(0)) this.device.free(view);
  }
}

type Case = (bench: Bench) => Promise<string>;
const LAYOUTS = ["nt", "nn", "tn"] as const;

/** Every layout by every tile: from +0 with a bias, and continuing what is there. */
function matmuls(): [string, Case][] {
  const shapes = [{ m: 128, n: 128, k: 64 }, { m: 140, n: 72, k: 40 }];
  const all = LAYOUTS.flatMap((layout) => TILES.flatMap((tile) => shapes.map((shape) => ({ layout, tile, ...shape }))));
  return all.map(({ layout, tile, m, n, k }) => [
    `matmul ${layout} ${m}×${n}×${k} by ${tile.rows}×${tile.columns}`,
    (bench) => {
      const a = { view: bench.floats(m * k), rowStride: layout === "tn" ? m : k };
      const b = { view: bench.floats(k * n), rowStride: layout === "nt" ? k : n };
      const c = { view: bench.floats(m * n), rowStride: n };
      bench.kernels.matmul({ layout, m, n, k, a, b, c, tile, bias: bench.floats(n) });
      bench.kernels.matmul({ layout, m, n, k, a, b, c, tile, joins: true });
      return bench.digest(c.view);
    },
  ]);
}

/** Attention of two sequences with two heads, by every tile: the parts of triangles, and the softmax between them. */
function attention(): [string, Case][] {
  const length = 168, d = 24, problems = [2, 2] as const;
  const square = (view: View) => ({
    view,
    rowStride: length,
    strides: [2 * length * length, length * length] as const,
  });
  const rows = (view: View) => ({ view, rowStride: 2 * d, strides: [length * 2 * d, d] as const });
  return TILES.map((tile) => [
    `attention by ${tile.rows}×${tile.columns}`,
    async (bench) => {
      const { kernels } = bench;
      const part = () => rows(bench.floats(2 * length * 2 * d));
      const [q, k, v, output, dOutput] = [part(), part(), part(), part(), part()];
      const zeros = () => square(bench.floats(4 * length * length, () => 0));
      const [p, ds] = [zeros(), zeros()];
      const common = { problems, tile };
      kernels.matmul({ layout: "nt", m: length, n: length, k: d, a: q, b: k, c: p, ...common, extent: EXTENT.lower });
      kernels.causalSoftmax(p.view, 4, length, 0.25);
      const narrow = { m: length, n: d, k: length, ...common };
      kernels.matmul({ layout: "nn", ...narrow, a: p, b: v, c: output, extent: EXTENT.endsAtRow });
      kernels.matmul({
        ...{ layout: "nt", m: length, n: length, k: d, a: dOutput, b: v, c: ds },
        ...common,
        extent: EXTENT.lower,
      });
      const shape = { sequences: 2, heads: 2, length, headSize: d, width: 2 * d };
      kernels.causalSoftmaxBackward(p.view, ds.view, output.view, dOutput.view, shape, 0.25);
      kernels.matmul({ layout: "tn", ...narrow, a: ds, b: q, c: k, extent: EXTENT.startsAtRow });
      return await bench.digest(output.view, k.view);
    },
  ]);
}

/** Kernels that work row by row, on rows of no round size. */
function rowKernels(): [string, Case][] {
  const rows = 150, width = 136, sequences = 2, length = 75, vocabulary = 264;
  return [
    ["LayerNorm", (bench) => {
      const { kernels } = bench;
      const x = bench.floats(rows * width, (value) => 3 * value + 1);
      const [unit, y, d] = [bench.floats(rows * width), bench.floats(rows * width), bench.floats(rows * width)];
      const [gain, shift, rstds] = [bench.floats(width), bench.floats(width), bench.floats(rows)];
      kernels.normalize(x, unit, rstds, rows, width, 1e-5);
      kernels.scaleAndShift(unit, gain, shift, y, rows, width);
      kernels.scaleGradient({ dy: x, gamma: gain }, { dy: y, gamma: shift }, d, rows, width);
      kernels.normalizeBackward(d, unit, rstds, x, rows, width);
      return bench.digest(unit, rstds, y, d, x);
    }],
    ["rotary embedding", (bench) => {
      const heads = 3, headSize = 16, half = 4, qkv = bench.floats(rows * heads * 3 * headSize);
      const tables = { cosines: bench.floats(length * half), sines: bench.floats(length * half) };
      bench.kernels.rotate(qkv, tables, { rows, length, heads, headSize }, half, 1);
      return bench.digest(qkv);
    }],
    ["GELU", (bench) => {
      const x = bench.floats(rows * width, (value) => 4 * value), derivative = bench.floats(rows * width);
      bench.kernels.gelu(x, derivative, rows * width);
      bench.kernels.multiplyInto(derivative, x, rows * width);
      bench.kernels.addInto(x, derivative, rows * width);
      bench.kernels.joinResidual(derivative, x, bench.floats(width), bench.floats(width), rows, width);
      return bench.digest(x, derivative);
    }],
    ["cross-entropy", (bench) => {
      const tokens = Uint16Array.from({ length: sequences * (length + 1) }, (_, i) => (37 * i) % vocabulary);
      const logits = bench.floats(rows * vocabulary, (value) => 5 * value);
      const [losses, sums] = [bench.floats(rows), bench.floats(sequences)];
      bench.kernels.crossEntropy(logits, bench.put(tokens), losses, sequences, length, vocabulary, 0.0625);
      bench.kernels.sequenceLosses(losses, sums, sequences, length);
      return bench.digest(logits, losses, sums);
    }],
    ["column sums", (bench) => {
      const dy = bench.floats(rows * width), [pieces, sums] = [bench.floats(4 * width), bench.floats(2 * width)];
      const shape = { blocks: 2, sequencesPerBlock: 1, length, width, stride: width };
      bench.kernels.columnSums({ dy, normalized: bench.floats(rows * width), pieces, sums }, shape);
      return bench.digest(sums);
    }],
    ["update", (bench) => {
      const size = 5000, ranges = Uint32Array.of(0, 4096, 4096, 904);
      const state = {
        weights: bench.floats(size),
        firstMoments: bench.floats(size),
        secondMoments: bench.floats(size, Math.abs),
      };
      const gradient = bench.floats(size), sums = bench.floats(2);
      const chunks = { ranges: bench.put(ranges), decayed: bench.put(Uint8Array.of(1, 0)), count: 2 };
      bench.kernels.chunkSquares(gradient, chunks.ranges, sums, 2);
      bench.kernels.treeSum(sums, 2);
      bench.kernels.adamw(state, gradient, chunks, updateScalars(OPTIMIZER, 1e-3, 3, 2));
      return bench.digest(sums, state.weights, state.firstMoments, state.secondMoments);
    }],
  ];
}

/** All cases on the device that the settings lead to. */
export async function orderedDigests(settings: Settings): Promise<CaseDigests> {
  const options = engineOptions(settings);
  const device = Device.open(options);
  try {
    const { text } = await readKernelUnit("ordered");
    const { image } = await compileKernels(text, { ...options, device: device.properties, flags: ORDERED_FLAGS });
    const bench = new Bench(device, new OrderedKernels(device, device.load(image)));
    const digests: Record<string, string> = {};
    for (const [name, compute] of [...matmuls(), ...attention(), ...rowKernels()]) {
      digests[name] = await compute(bench);
      bench.free();
    }
    return digests;
  } finally {
    device.close();
  }
}
