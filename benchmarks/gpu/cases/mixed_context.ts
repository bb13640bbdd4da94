/** What the cases of the mixed mode share: kernels of one model on a device, and how exact 16 bits are. */
import type { Device } from "../../../src/engine/cuda/driver/device.ts";
import type { MixedKernels } from "../../../src/engine/cuda/mixed/kernels.ts";
import type { MixedPrecision } from "../../../src/engine/cuda/mixed/precision.ts";
import { RowOperations } from "../../../src/engine/cuda/mixed/row_operations.ts";
import type { ModelConfig } from "../../../src/model/config.ts";
import { tokenWindows } from "../../training_task.ts";
import type { CaseWriter, DeviceArray } from "./case_writer.ts";

/** Windows of a pass. */
export const WINDOWS = 2;

/** One model's cases in one format. */
export class MixedContext {
  readonly device: Device;
  readonly half: MixedPrecision;
  /** tokens of a pass */
  readonly rows: number;
  /** half the distance from 1 to the next number: the relative error of one rounding, and a bound of results rounded once */
  readonly unitRoundoff: number;
  readonly operations: RowOperations;

  constructor(readonly writer: CaseWriter, readonly kernels: MixedKernels, readonly model: ModelConfig) {
    this.device = writer.device;
    this.half = writer.precision;
    this.rows = WINDOWS * model.sequenceLength;
    this.unitRoundoff = writer.precision === "fp16" ? 2 ** -11 : 2 ** -8;
    this.operations = new RowOperations(writer.device, kernels, model, this.rows);
  }

  /** Bound of a result that is computed in f32 and rounded to 16 bits once. */
  get roundedOnce(): number {
    return this.unitRoundoff + 1e-6;
  }

  tokens(): DeviceArray {
    return this.writer.put(tokenWindows(this.model, WINDOWS, 0), "u16", [WINDOWS, this.model.sequenceLength + 1]);
  }
}
