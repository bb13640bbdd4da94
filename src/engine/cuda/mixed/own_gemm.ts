/** Products by the project's own kernels, for machines without cuBLASLt. */
import type { Device } from "../driver/device.ts";
import type { View } from "../driver/view.ts";
import { FLOAT_BYTES, HALF_BYTES, need } from "../views.ts";
import type { Gemm, GemmOperands, GemmShape } from "./gemm.ts";
import type { MixedKernels } from "./kernels.ts";

/** Rows and columns of C that a block computes, GEMM_TILE; and k a step, GEMM_DEPTH. */
const TILE = 128;
const DEPTH = 32;
const THREADS = 256;
const STAGES = 3;
/** Elements of a tile's stage in shared memory: lines of k, or of rows, with 8 elements of padding. */
const K_INNERMOST_ELEMENTS = TILE * (DEPTH + 8);
const ROWS_INNERMOST_ELEMENTS = DEPTH * (TILE + 8);
/** Fewer blocks than this leave a large GPU idle: then k is split, into pieces of at least so many. */
const ENOUGH_BLOCKS = 256;
const MIN_SPLIT_DEPTH = 512;

/** Pieces of k, from the shape alone. */
interface Split {
  readonly splits: number;
  /** of a piece, a multiple of DEPTH */
  readonly depth: number;
}

/** How a product's k is split: only where C is f32 and too small to fill a GPU. */
export function splitOf({ m, n, k, output }: GemmShape): Split {
  const blocks = Math.ceil(m / TILE) * Math.ceil(n / TILE);
  const wanted = output === "f32" ? Math.min(Math.ceil(ENOUGH_BLOCKS / blocks), Math.floor(k / MIN_SPLIT_DEPTH)) : 1;
  const depth = Math.ceil(k / Math.max(1, wanted) / DEPTH) * DEPTH;
  return { splits: Math.ceil(k / depth), depth };
}

/** Bytes of device memory that a product needs besides its operands. */
export function ownGemmWorkspaceBytes(shape: GemmShape): number {
  const { splits } = splitOf(shape);
  return splits > 1 ? splits * shape.m * shape.n * FLOAT_BYTES : 0;
}

/** Their name where cuBLASLt's version would stand. */
export const OWN_GEMM = "rewarm mma 128x128x32";

/** See {@linkcode Gemm}. */
export class OwnGemm implements Gemm {
  /** none: the kernels' image says it all */
  readonly algorithms: Readonly<Record<string, string>> = {};
  readonly #device: Device;
  readonly #kernels: MixedKernels;
  readonly #workspace: View;

  /** @param workspace holds `ownGemmWorkspaceBytes` of every product */
  constructor(device: Device, kernels: MixedKernels, workspace: View) {
    this.#device = device;
    this.#kernels = kernels;
    this.#workspace = workspace;
  }

  run(shape: GemmShape, { a, b, c, accumulate = false }: GemmOperands): void {
    const { layout, m, n, k, output } = shape;
    if (m % 8 !== 0 && layout === "tn" || n % 8 !== 0 || k % 8 !== 0 && layout !== "tn") {
      throw new RangeError(`A product ${layout} of ${m} × ${n} × ${k}: inner dimensions must be multiples of 8`);
    }
    const factors = [need(a, m * k, HALF_BYTES), need(b, n * k, HALF_BYTES)] as const;
    const { splits, depth } = splitOf(shape);
    const tileA = layout === "tn" ? ROWS_INNERMOST_ELEMENTS : K_INNERMOST_ELEMENTS;
    const tileB = layout === "nt" ? K_INNERMOST_ELEMENTS : ROWS_INNERMOST_ELEMENTS;
    const launch = {
      grid: [Math.ceil(m / TILE), Math.ceil(n / TILE), splits] as [number, number, number],
      block: THREADS,
      sharedBytes: STAGES * (tileA + tileB) * HALF_BYTES,
    };
    if (output === "16") {
      if (layout === "tn" || accumulate) throw new RangeError("A weight's gradient and a sum must be f32");
      const kernel = layout === "nt" ? this.#kernels.gemm_nt_16 : this.#kernels.gemm_nn_16;
      this.#device.launch(kernel, launch, ...factors, need(c, m * n, HALF_BYTES), m, n, k);
      return;
    }
    if (layout === "nn") throw new RangeError("A gradient times a weight is 16 bits wide");
    const kernel = layout === "nt" ? this.#kernels.gemm_nt_f32 : this.#kernels.gemm_tn_f32;
    const target = need(c, m * n, FLOAT_BYTES);
    if (splits === 1) {
      this.#device.launch(kernel, launch, ...factors, target, m, n, k, depth, accumulate ? 1 : 0);
      return;
    }
    const pieces = need(this.#workspace, splits * m * n, FLOAT_BYTES);
    this.#device.launch(kernel, launch, ...factors, pieces, m, n, k, depth, 0);
    this.#device.launch(
      this.#kernels.sum_splits,
      { grid: Math.ceil(m * n / (4 * THREADS)), block: THREADS },
      pieces,
      target,
      m * n,
      splits,
      accumulate ? 1 : 0,
    );
  }

  close(): void {
    // The kernels belong to the engine, the workspace to the session.
  }
}
