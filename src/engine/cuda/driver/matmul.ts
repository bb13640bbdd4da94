/**
 * A matmul by cuBLASLt with a fixed algorithm. The first algorithm that its heuristic names is taken, without
 * timing; it is kept with the run, so that resuming from a checkpoint computes the same bits.
 */
import { UserError } from "../../../errors.ts";
import { ALGORITHM_ATTRIBUTE, ALGORITHM_BYTES, HEURISTIC_RESULT } from "./abi.ts";
import type { CublasLt } from "./cublaslt.ts";
import type { Device } from "./device.ts";
import { Out } from "./host_memory.ts";
import {
  createDescriptors,
  createPreference,
  destroyDescriptors,
  MATMUL_ALIGNMENT,
  type MatmulBytes,
  matmulBytes,
  type MatmulDescriptors,
  type MatmulProblem,
  setBiasAddress,
} from "./matmul_descriptor.ts";
import { NOTHING, requireLive, type View } from "./view.ts";

/** An algorithm as it is kept in a checkpoint and in the manifest. */
export interface MatmulAlgorithm {
  /** the library that it belongs to: `cuBLASLt 13.1.1` */
  readonly library: string;
  /** `cublasLtMatmulAlgo_t`, 64 bytes in hexadecimal */
  readonly bytes: string;
}

/** What a matmul is computed with. */
export interface MatmulOptions {
  readonly device: Device;
  readonly library: CublasLt;
  /** of the device, by {@linkcode CublasLt.createHandle} */
  readonly handle: bigint;
  /** the most that an algorithm may ask for */
  readonly workspaceBytes: number;
  /** taken instead of a new choice */
  readonly algorithm?: MatmulAlgorithm;
}

/** Operands of one matmul, each of the problem's size and 16-byte aligned. */
export interface MatmulOperands {
  readonly a: View;
  readonly b: View;
  /** read as well if `beta` is not 0 */
  readonly d: View;
  /** shape (columns), if the problem has a bias */
  readonly bias?: View;
  /** at least {@linkcode Matmul.workspaceBytes}; not to be used by two matmuls at a time */
  readonly workspace?: View;
  /** default: 1 */
  readonly alpha?: number;
  /** default: 0 */
  readonly beta?: number;
}

/** Matmuls of one shape. */
export class Matmul {
  /** what computes it */
  readonly algorithm: MatmulAlgorithm;
  /** what that algorithm needs */
  readonly workspaceBytes: number;
  readonly #options: MatmulOptions;
  readonly #bytes: MatmulBytes;
  readonly #descriptors: MatmulDescriptors;
  readonly #algorithm: Uint8Array<ArrayBuffer>;
  readonly #alpha = new Float32Array(new ArrayBuffer(4));
  readonly #beta = new Float32Array(new ArrayBuffer(4));

  /**
   * Chooses an algorithm, or checks the one given.
   *
   * @throws {UserError} `NO_MATMUL_ALGORITHM` if cuBLASLt has none for the problem; `LIBRARY_DIFFERS` if the given one
   * belongs to another version of the library, or does not fit the problem or the device
   */
  constructor(readonly problem: MatmulProblem, options: MatmulOptions) {
    const { library } = options;
    this.#options = options;
    this.#bytes = matmulBytes(problem);
    this.#descriptors = createDescriptors(library, problem);
    try {
      const chosen = options.algorithm === undefined ? this.#choose() : this.#restore(options.algorithm);
      this.#algorithm = chosen.bytes;
      this.workspaceBytes = chosen.workspaceBytes;
      this.algorithm = { library: library.version, bytes: chosen.bytes.toHex() };
    } catch (error) {
      destroyDescriptors(library, this.#descriptors);
      throw error;
    }
  }

  get #shape(): string {
    const { rows, columns, inner, input, output } = this.problem;
    return `a matmul of ${rows} × ${inner} × ${columns}, ${input} to ${output}`;
  }

  #choose(): { bytes: Uint8Array<ArrayBuffer>; workspaceBytes: number } {
    const { library, handle, workspaceBytes, device } = this.#options;
    const { operation, first, second, third } = this.#descriptors;
    const { functions } = library;
    device.makeCurrent();
    const preference = createPreference(library, workspaceBytes);
    const result = new Uint8Array(new ArrayBuffer(HEURISTIC_RESULT.bytes));
    const found = new Out();
    const status = functions.cublasLtMatmulAlgoGetHeuristic(
      handle,
      operation,
      first,
      second,
      third,
      third,
      preference,
      1,
      result,
      found.buffer,
    );
    functions.cublasLtMatmulPreferenceDestroy(preference);
    if (status !== 0 || found.i32 < 1 || statusOf(result) !== 0) {
      throw new UserError(
        "NO_MATMUL_ALGORITHM",
        `${library.version} has no algorithm for ${this.#shape} (status ${status || statusOf(result)})`,
        "make the sizes multiples of 8, or train without cuBLASLt",
      );
    }
    return { bytes: result.slice(0, ALGORITHM_BYTES), workspaceBytes: workspaceOf(result) };
  }

  #restore(saved: MatmulAlgorithm): { bytes: Uint8Array<ArrayBuffer>; workspaceBytes: number } {
    const { library, handle, workspaceBytes, device } = this.#options;
    if (saved.library !== library.version) {
      throw new UserError(
        "LIBRARY_DIFFERS",
        `The algorithm of ${this.#shape} was chosen by ${saved.library}, and ${library.version} was found`,
        `install ${saved.library}, or name its folder by --cuda-lib`,
      );
    }
    if (!/^([0-9a-f]{2}){64}$/.test(saved.bytes)) throw new RangeError("An algorithm is 64 bytes in hexadecimal");
    const bytes = Uint8Array.fromHex(saved.bytes);
    const result = new Uint8Array(new ArrayBuffer(HEURISTIC_RESULT.bytes));
    const { operation, first, second, third } = this.#descriptors;
    device.makeCurrent();
    const status = library.functions.cublasLtMatmulAlgoCheck(
      handle,
      operation,
      first,
      second,
      third,
      third,
      bytes,
      result,
    );
    if (status !== 0 || workspaceOf(result) > workspaceBytes) {
      throw new UserError(
        "LIBRARY_DIFFERS",
        `The algorithm kept for ${this.#shape} does not run on ${device.properties.name} (status ${status})`,
        "resume it on the GPU where the run began",
      );
    }
    return { bytes, workspaceBytes: workspaceOf(result) };
  }

  /** Which algorithm it is, for logs: `algorithm 66, tile 20, stages 26, splits 1, reduction 0`. */
  describe(): string {
    const { library } = this.#options;
    const word = new Int32Array(new ArrayBuffer(4));
    const written = new Out();
    const read = (attribute: keyof typeof ALGORITHM_ATTRIBUTE): number => {
      const status = library.functions.cublasLtMatmulAlgoConfigGetAttribute(
        this.#algorithm,
        ALGORITHM_ATTRIBUTE[attribute],
        word,
        4n,
        written.buffer,
      );
      library.check(status, `cublasLtMatmulAlgoConfigGetAttribute ${attribute}`);
      return word[0] ?? 0;
    };
    const parts = (["tile", "stages", "splits", "reduction"] as const).map((name) => `${name} ${read(name)}`);
    return `algorithm ${read("id")}, ${parts.join(", ")}`;
  }

  #requireFit(view: View, bytes: number, what: string): void {
    requireLive(view);
    if (view.bytes !== bytes) {
      throw new RangeError(`${what} of ${this.#shape} takes ${bytes} bytes; "${view.what}" has ${view.bytes}`);
    }
    if (view.address % BigInt(MATMUL_ALIGNMENT) !== 0n) {
      throw new RangeError(`${what} of ${this.#shape}: "${view.what}" is not aligned to ${MATMUL_ALIGNMENT} bytes`);
    }
  }

  /** Computes one matmul after the work given to the device before; returns at once. */
  run({ a, b, d, bias, workspace = NOTHING, alpha = 1, beta = 0 }: MatmulOperands): void {
    const { device, library, handle } = this.#options;
    const { operation, first, second, third } = this.#descriptors;
    this.#requireFit(a, this.#bytes.a, "A");
    this.#requireFit(b, this.#bytes.b, "B");
    this.#requireFit(d, this.#bytes.d, "D");
    requireLive(workspace);
    if (workspace.bytes < this.workspaceBytes) {
      throw new RangeError(
        `${this.#shape} needs a workspace of ${this.workspaceBytes} bytes; it has ${workspace.bytes}`,
      );
    }
    device.makeCurrent();
    if ((bias !== undefined) !== (this.problem.bias ?? false)) {
      throw new RangeError(`${this.#shape} has ${this.problem.bias ? "a" : "no"} bias`);
    }
    if (bias !== undefined) {
      this.#requireFit(bias, this.#bytes.bias, "The bias");
      setBiasAddress(library, operation, bias.address);
    }
    this.#alpha[0] = alpha;
    this.#beta[0] = beta;
    const status = library.functions.cublasLtMatmul(
      handle,
      operation,
      this.#alpha,
      b.address,
      first,
      a.address,
      second,
      this.#beta,
      d.address,
      third,
      d.address,
      third,
      this.#algorithm,
      workspace.address,
      BigInt(workspace.bytes),
      device.stream,
    );
    if (status !== 0) library.check(status, `cublasLtMatmul for ${this.#shape}`);
  }

  /** Gives its descriptors back. */
  close(): void {
    destroyDescriptors(this.#options.library, this.#descriptors);
  }
}

function workspaceOf(result: Uint8Array<ArrayBuffer>): number {
  return Number(new DataView(result.buffer).getBigUint64(HEURISTIC_RESULT.workspaceBytes, true));
}

function statusOf(result: Uint8Array<ArrayBuffer>): number {
  return new DataView(result.buffer).getInt32(HEURISTIC_RESULT.status, true);
}
