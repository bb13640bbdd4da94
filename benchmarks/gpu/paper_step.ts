/** One optimizer step on paper: all its launches, of either mode, with what each must do at least. */
import { OrderedKernels } from "../../src/engine/cuda/ordered/kernels.ts";
import { OrderedSession } from "../../src/engine/cuda/ordered/session.ts";
import { loadMixedKernels } from "../../src/engine/cuda/mixed/kernels.ts";
import { MixedSession } from "../../src/engine/cuda/mixed/session.ts";
import type { Session, SessionOptions } from "../../src/engine/engine.ts";
import { LaunchCosts, type Mode } from "./costs/launch_costs.ts";
import { KernelTotals } from "./kernel_times.ts";
import { paperDevice, type PaperRecord } from "./paper_device.ts";
import type { Peaks } from "./peaks.ts";

function openOnPaper(mode: Mode, { device, module }: PaperRecord, options: SessionOptions): Session {
  if (mode === "ordered") return new OrderedSession(device, new OrderedKernels(device, module), options);
  // Matmuls by the project's own kernels, whose launches are seen; cuBLASLt has the same to do.
  return new MixedSession({ device, kernels: loadMixedKernels(module), precision: "bf16" }, options);
}

/** The work of one step, by kernel, with the least time on a device of the given peaks. */
export async function paperStep(mode: Mode, options: SessionOptions, peaks: Peaks): Promise<KernelTotals> {
  const { model, batchSequences } = options;
  const record = paperDevice();
  const session = openOnPaper(mode, record, options);
  record.launches.length = 0;
  record.moved = 0;
  // Every token once, as far as the batch reaches: what a step of text has at most.
  const tokens = Uint16Array.from(
    { length: batchSequences * (model.sequenceLength + 1) },
    (_, i) => i % model.vocabularySize,
  );
  await session.step(tokens, 0, 0);
  const totals = new KernelTotals(peaks), costs = await LaunchCosts.read(mode);
  for (const launch of record.launches) totals.add(launch.kernel, costs.of(launch, model), 0);
  totals.add("fills and copies", { flops: 0, bytes: record.moved, unit: "f32" }, 0);
  return totals;
}
