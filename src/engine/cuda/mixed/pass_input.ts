/** Tokens of a pass on their way to the device, with their places by token: prepared while the device still works. */
import type { ModelConfig } from "../../../model/config.ts";
import type { Device } from "../driver/device.ts";
import type { PinnedMemory } from "../driver/pinned_memory.ts";
import { slice, type View } from "../driver/view.ts";
import { indexTokens } from "../ordered/embedding_index.ts";
import { passInputBytes } from "./memory.ts";
import type { EmbeddingRows } from "./row_operations.ts";

const NO_INDEX = { ids: new Uint32Array(0), starts: new Uint32Array(0), rows: new Uint32Array(0) };

/** A pass's input on the device. */
export interface PassInput {
  /** u16 (windows, T + 1) */
  readonly tokens: View;
  readonly index: EmbeddingRows;
}

/** Copies inputs through page-locked memory, two in turn. */
export class PassInputs {
  readonly #device: Device;
  readonly #region: View;
  readonly #sequences: number;
  readonly #sequenceLength: number;
  readonly #slots: readonly PinnedMemory[];
  #turn = 0;

  /** @param region of `passInputBytes` on the device */
  constructor(device: Device, region: View, { sequenceLength }: ModelConfig, sequences: number) {
    this.#device = device;
    this.#region = region;
    this.#sequences = sequences;
    this.#sequenceLength = sequenceLength;
    const bytes = passInputBytes(sequences, sequenceLength);
    this.#slots = [device.pin(bytes, "tokens of a pass"), device.pin(bytes, "tokens of the next pass")];
  }

  /**
   * Gives the copy to the device, after the work given before. Tokens of windows that are missing are 0.
   *
   * @param training sorts the tokens; otherwise the index is empty
   */
  async load(tokens: Uint16Array, training: boolean): Promise<PassInput> {
    const width = this.#sequenceLength + 1;
    const rows = this.#sequences * this.#sequenceLength;
    const padded = new Uint16Array(this.#sequences * width);
    padded.set(tokens);
    const index = training ? indexTokens(padded, this.#sequenceLength, this.#sequences) : NO_INDEX;

    const slot = this.#slots[this.#turn % this.#slots.length];
    this.#turn++;
    if (slot === undefined) throw new Error("No page-locked memory");
    // The device has the other slot's pass to do meanwhile.
    while (!slot.isIdle) await new Promise((resolve) => setTimeout(resolve, 1));
    const { bytes } = slot;
    let next = Math.ceil(padded.byteLength / 16) * 16;
    new Uint16Array(bytes.buffer, bytes.byteOffset, padded.length).set(padded);
    const place = (values: Uint32Array, capacity: number): View => {
      new Uint32Array(bytes.buffer, bytes.byteOffset + next, values.length).set(values);
      const view = slice(this.#region, next, 4 * capacity);
      next += 4 * capacity;
      return view;
    };
    const input = {
      tokens: slice(this.#region, 0, padded.byteLength),
      index: {
        ids: place(index.ids, rows),
        starts: place(index.starts, rows + 1),
        rows: place(index.rows, rows),
        count: index.ids.length,
      },
    };
    this.#device.uploadPinned(this.#region, slot);
    return input;
  }

  /** Gives the page-locked memory back. */
  close(): void {
    for (const slot of this.#slots) slot.free();
  }
}
