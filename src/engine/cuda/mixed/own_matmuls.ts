/** Matmuls by the project's own kernels, for machines without cuBLASLt. */
import type { Device } from "../driver/device.ts";
import type { View } from "../driver/view.ts";
import { FLOAT_BYTES, HALF_BYTES, need } from "../views.ts";
import type { MatmulOperands, Matmuls, MatmulShape } from "./matmul.ts";
import type { MixedKernels } from "./kernels.ts";

/** Rows and columns of C that a block computes, MATMUL_TILE; and k a step, MATMUL_DEPTH. */
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

/** How a matmul's k is split: only where C is f32 and too small to fill a GPU. */
export function splitOf({ m, n, k, output }: MatmulShape): Split {
  const blocks = Math.ceil(m / TILE) * Math.ceil(n / TILE);
  const wanted = output === "f32" ? Math.min(Math.ceil(ENOUGH_BLOCKS / blocks), Math.floor(k / MIN_SPLIT_DEPTH)) : 1;
  const depth = Math.ceil(k / Math.max(1, wanted) / DEPTH) * DEPTH;
  return { splits: Math.ceil(k / depth), depth };
}

/** Bytes of device memory that a matmul needs besides its operands. */
export function ownMatmulWorkspaceBytes(shape: MatmulShape): number {
  const { splits } = splitOf(shape);
  return splits > 1 ? splits * shape.m * shape.n * FLOAT_BYTES : 0;
}

/** Their name where cuBLASLt's version would stand. */
export const OWN_MATMULS = "rewarm mma 128x128x32";

/** See {@linkcode Matmuls}. */
export class OwnMatmuls implements Matmuls {
  /** none: the kernels' image says it all */
  readonly algorithms: Readonly<Record<string, string>> = {};
  readonly #device: Device;
  readonly #kernels: MixedKernels;
  readonly #workspace: View;

  /** @param workspace holds `ownMatmulWorkspaceBytes` of every matmul */
  constructor(device: Device, kernels: MixedKernels, workspace: View) {
    this.#device = device;
    this.#kernels = kernels;
    this.#workspace = workspace;
  }

  run(shape: MatmulShape, { a, b, c, accumulate = false }: MatmulOperands): void {
    const { layout, m, n, k, output } = shape;
    if (m % 8 !== 0 && layout === "tn" || n % 8 !== 0 || k % 8 !== 0 && layout !== "tn") {
      throw new RangeError(`A matmul ${layout} of ${m} × ${n} × ${k}: inner dimensions must be multiples of 8`);
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
      const kernel = layout === "nt" ? this.#kernels.matmul_nt_16 : this.#kernels.matmul_nn_16;
      this.#device.launch(kernel, launch, ...factors, need(c, m * n, HALF_BYTES), m, n, k);
      return;
    }
    if (layout === "nn") throw new RangeError("A gradient times a weight is 16 bits wide");
    const kernel = layout === "nt" ? this.#kernels.matmul_nt_f32 : this.#kernels.matmul_tn_f32;
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
