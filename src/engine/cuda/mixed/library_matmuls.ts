/** Matmuls by cuBLASLt: one algorithm a shape, chosen once, the same in every step. */
import type { CublasLt } from "../driver/cublaslt.ts";
import type { Device } from "../driver/device.ts";
import { Matmul } from "../driver/matmul.ts";
import type { View } from "../driver/view.ts";
import { FLOAT_BYTES, HALF_BYTES } from "../views.ts";
import { slice } from "../driver/view.ts";
import { matmulName, type MatmulOperands, type Matmuls, type MatmulShape } from "./matmul.ts";
import { halfType, type MixedPrecision } from "./precision.ts";

/** See {@linkcode Matmuls}. */
export class LibraryMatmuls implements Matmuls {
  readonly algorithms: Readonly<Record<string, string>>;
  readonly #library: CublasLt;
  readonly #handle: bigint;
  readonly #workspace: View;
  readonly #matmuls = new Map<string, Matmul>();

  /**
   * Chooses the algorithm of every matmul: the first that cuBLASLt's heuristic names, without timing.
   *
   * @throws {UserError} `NO_MATMUL_ALGORITHM` if it has none for a shape
   */
  constructor(
    device: Device,
    library: CublasLt,
    workspace: View,
    precision: MixedPrecision,
    shapes: readonly MatmulShape[],
  ) {
    this.#library = library;
    this.#workspace = workspace;
    this.#handle = library.createHandle(device);
    const input = halfType(precision);
    try {
      for (const shape of shapes) {
        const { layout, m, n, k, output } = shape;
        const problem = {
          rows: m,
          columns: n,
          inner: k,
          transposeA: layout === "tn",
          transposeB: layout === "nt",
          input,
          output: output === "f32" ? "f32" as const : input,
        };
        const options = { device, library, handle: this.#handle, workspaceBytes: workspace.bytes };
        if (!this.#matmuls.has(matmulName(shape))) this.#matmuls.set(matmulName(shape), new Matmul(problem, options));
      }
    } catch (error) {
      this.close();
      throw error;
    }
    this.algorithms = Object.fromEntries(Array.from(this.#matmuls, ([name, { algorithm }]) => [name, algorithm.bytes]));
  }

  run(shape: MatmulShape, { a, b, c, accumulate = false }: MatmulOperands): void {
    const matmul = this.#matmuls.get(matmulName(shape));
    if (matmul === undefined) throw new RangeError(`No algorithm was chosen for ${matmulName(shape)}`);
    const { m, n, k, output } = shape;
    matmul.run({
      a: slice(a, 0, m * k * HALF_BYTES),
      b: slice(b, 0, n * k * HALF_BYTES),
      d: slice(c, 0, m * n * (output === "f32" ? FLOAT_BYTES : HALF_BYTES)),
      workspace: this.#workspace,
      beta: accumulate ? 1 : 0,
    });
  }

  close(): void {
    for (const matmul of this.#matmuls.values()) matmul.close();
    this.#matmuls.clear();
    this.#library.destroyHandle(this.#handle);
  }
}
