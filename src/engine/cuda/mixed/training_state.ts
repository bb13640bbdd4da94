/** What the device keeps of a training between steps and decides within one: `TrainingState` of training_state.cuh. */
import type { UpdateOutcome } from "../../engine.ts";
import type { MixedPrecision } from "./precision.ts";

/** Bytes of the structure. */
export const TRAINING_STATE_BYTES = 32;
/** Bytes of its first part, which a checkpoint keeps. */
const LOSS_SCALE_BYTES = 12;

/** How the loss scale moves: the rules are in `finish_gradient` of update.cu. */
export interface LossScaling {
  /** scale of a new training */
  readonly initial: number;
  /** steps in a row without overflow after which the scale is doubled; 0: the scale is fixed */
  readonly window: number;
  /** overflows that halve the scale only from the so manieth on */
  readonly hysteresis: number;
  /** the scale never falls below; an overflow there ends the run */
  readonly minimum: number;
}

/** GPT-NeoX's values for Pythia and for the paper: `configs` of both set initial_scale_power 12, and window, hysteresis and minimum as here. */
const DYNAMIC: LossScaling = { initial: 2 ** 12, window: 1000, hysteresis: 2, minimum: 1 };
/** bf16 has the range of f32. */
const FIXED: LossScaling = { initial: 1, window: 0, hysteresis: 1, minimum: 1 };

/** The rules for a format. */
export function lossScalingOf(precision: MixedPrecision): LossScaling {
  return precision === "fp16" ? DYNAMIC : FIXED;
}

/** The part that lasts from step to step, and is saved in checkpoints. */
export interface LossScale {
  /** what the loss is multiplied by before the backward pass: a power of two */
  readonly scale: number;
  /** steps without overflow since the last one with it */
  readonly goodSteps: number;
  /** overflows left until the scale is halved, the last one included */
  readonly hysteresis: number;
}

/** `Outcome` of training_state.cuh */
const OUTCOMES: readonly UpdateOutcome[] = ["updated", "skipped", "diverged"];

/** A step's part of it. */
export interface FinishedStep {
  readonly lossScale: LossScale;
  readonly outcome: UpdateOutcome;
  /** L2 norm of the mean gradient, before clipping */
  readonly gradientNorm: number;
}

/** Where a new training begins. */
export function initialLossScale({ initial, hysteresis }: LossScaling): LossScale {
  return { scale: initial, goodSteps: 0, hysteresis };
}

/** The loss scale as a checkpoint keeps it: scale f32, good steps u32, hysteresis u32, little-endian. */
export function encodeLossScale({ scale, goodSteps, hysteresis }: LossScale): Uint8Array<ArrayBuffer> {
  const bytes = new DataView(new ArrayBuffer(LOSS_SCALE_BYTES));
  bytes.setFloat32(0, scale, true);
  bytes.setUint32(4, goodSteps, true);
  bytes.setUint32(8, hysteresis, true);
  return new Uint8Array(bytes.buffer);
}

/** @throws {RangeError} if the bytes are no loss scale */
export function decodeLossScale(data: Uint8Array<ArrayBuffer>): LossScale {
  if (data.length !== LOSS_SCALE_BYTES) {
    throw new RangeError(`A loss scale has ${LOSS_SCALE_BYTES} bytes, not ${data.length}`);
  }
  const bytes = new DataView(data.buffer, data.byteOffset, LOSS_SCALE_BYTES);
  const lossScale = {
    scale: bytes.getFloat32(0, true),
    goodSteps: bytes.getUint32(4, true),
    hysteresis: bytes.getUint32(8, true),
  };
  if (!(lossScale.scale > 0 && Number.isFinite(lossScale.scale)) || lossScale.hysteresis < 1) {
    throw new RangeError(`A loss scale of ${lossScale.scale} with hysteresis ${lossScale.hysteresis}`);
  }
  return lossScale;
}

/** The structure's bytes, with nothing of a step yet. */
export function encodeTrainingState(lossScale: LossScale): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(TRAINING_STATE_BYTES);
  bytes.set(encodeLossScale(lossScale));
  return bytes;
}

/** What the device left. */
export function decodeTrainingState(data: Uint8Array<ArrayBuffer>): FinishedStep {
  const bytes = new DataView(data.buffer, data.byteOffset, TRAINING_STATE_BYTES);
  const outcome = OUTCOMES[bytes.getUint32(12, true)];
  if (outcome === undefined) throw new Error(`The device left outcome ${bytes.getUint32(12, true)} of a step`);
  return {
    lossScale: decodeLossScale(data.slice(0, LOSS_SCALE_BYTES)),
    outcome,
    gradientNorm: bytes.getFloat32(16, true),
  };
}
