/**
 * A GPU on paper: takes everything that a session gives it, computes nothing, and keeps the list of launches. So the
 * work of a step is known launch by launch, of any model, on any machine.
 */
import { Device } from "../../src/engine/cuda/driver/device.ts";
import { Kernel, type LaunchShape } from "../../src/engine/cuda/driver/kernel.ts";
import { Module } from "../../src/engine/cuda/driver/module.ts";
import { PinnedMemory } from "../../src/engine/cuda/driver/pinned_memory.ts";
import type { View } from "../../src/engine/cuda/driver/view.ts";
import type { Launch } from "./costs/cost.ts";

/** What a step gave the device. */
export interface PaperRecord {
  readonly device: Device;
  readonly module: Module;
  /** launches since it was last emptied */
  readonly launches: Launch[];
  /** bytes that fills and copies touch since it was last emptied */
  moved: number;
}

/** What a session writes is kept up to this size, to be read back: its few numbers, but no weights. */
const KEPT_BYTES = 1024;

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** An object that counts as one of a class of the driver, with members of its own instead of the class's. */
function standIn<T extends object>(prototype: T, members: Partial<T>): T {
  return Object.defineProperties(
    Object.create(prototype),
    Object.getOwnPropertyDescriptors(members),
  );
}

/** A device with memory without end. */
export function paperDevice(): PaperRecord {
  let next = 256n;
  const kept = new Map<bigint, Uint8Array>();
  const allocate = (bytes: number, what: string): View => {
    const view = { address: next, bytes, what, allocation: { live: true } };
    next += BigInt(Math.ceil(bytes / 256) * 256);
    return view;
  };
  const moved = (bytes: number) => {
    record.moved += bytes;
  };
  const device = standIn(Device.prototype, {
    freeMemory: () => Number.MAX_SAFE_INTEGER,
    allocate,
    free: () => {},
    upload: ({ address }: View, source: ArrayBufferView) => {
      if (source.byteLength <= KEPT_BYTES) kept.set(address, bytesOf(source).slice());
    },
    download: ({ address }: View, into: ArrayBufferView) => {
      bytesOf(into).set(kept.get(address) ?? []);
      return Promise.resolve();
    },
    pin: (length: number, what: string) =>
      standIn(PinnedMemory.prototype, { length, what, bytes: new Uint8Array(length), isIdle: true }),
    uploadPinned: () => {},
    downloadPinned: () => {},
    copy: (target: View) => moved(2 * target.bytes),
    fill32: (target: View) => moved(target.bytes),
    launch: (kernel: Kernel, shape: LaunchShape, ...args: (View | number | bigint)[]) => {
      record.launches.push({ kernel: kernel.name, shape, args });
    },
    synchronize: () => Promise.resolve(),
  });
  const module = standIn(Module.prototype, {
    kernel: (name, signature) => standIn(Kernel.prototype, { name, signature }) as Kernel<typeof signature>,
  });
  const record: PaperRecord = { device, module, launches: [], moved: 0 };
  return record;
}
