/** The mixed mode's kernels at a model's real shapes, one by one, for a comparison with float64. */
import { compileKernels } from "../../../src/engine/cuda/driver/compile_kernels.ts";
import { CublasLt } from "../../../src/engine/cuda/driver/cublaslt.ts";
import { Device } from "../../../src/engine/cuda/driver/device.ts";
import { readKernelUnit } from "../../../src/engine/cuda/kernel_source.ts";
import { loadMixedKernels } from "../../../src/engine/cuda/mixed/kernels.ts";
import { LibraryMatmuls } from "../../../src/engine/cuda/mixed/library_matmuls.ts";
import { LIBRARY_WORKSPACE_BYTES } from "../../../src/engine/cuda/mixed/memory.ts";
import { OWN_MATMULS, OwnMatmuls, ownMatmulWorkspaceBytes } from "../../../src/engine/cuda/mixed/own_matmuls.ts";
import type { MixedPrecision } from "../../../src/engine/cuda/mixed/precision.ts";
import { MIXED_FLAGS, mixedKernelChoice } from "../../../src/engine/cuda/mixed/specialization.ts";
import { UserError } from "../../../src/errors.ts";
import type { ModelConfig } from "../../../src/model/config.ts";
import { engineOptions, type Settings } from "../settings.ts";
import { attentionCase } from "./attention.ts";
import { type CaseFile, CaseWriter } from "./case_writer.ts";
import { layerNormCases } from "./layer_norms.ts";
import { classifierCase, updateCase } from "./loss_and_update.ts";
import { MixedContext } from "./mixed_context.ts";
import { matmulCases, matmulShapes } from "./matmuls.ts";
import { embeddingCase, geluCase, rotaryCase } from "./row_operations.ts";

/** Computes every operation at a model's shapes; inputs and outputs lie in the folder. */
export async function mixedCases(
  model: ModelConfig,
  precision: MixedPrecision,
  folder: string,
  settings: Settings,
): Promise<readonly CaseFile[]> {
  const options = engineOptions(settings);
  const device = Device.open(options);
  try {
    const { text } = await readKernelUnit(mixedKernelChoice(model, precision));
    const { image } = await compileKernels(text, { ...options, device: device.properties, flags: MIXED_FLAGS });
    const writer = new CaseWriter(device, precision, folder);
    const context = new MixedContext(writer, loadMixedKernels(device.load(image)), model);
    await allMatmulCases(context, settings);
    await attentionCase(context);
    await layerNormCases(context);
    await geluCase(context);
    await rotaryCase(context);
    await classifierCase(context);
    await embeddingCase(context);
    await updateCase(context);
    return writer.cases;
  } finally {
    device.close();
  }
}

/** By the project's own kernels, and by cuBLASLt where it is installed. */
async function allMatmulCases(context: MixedContext, settings: Settings): Promise<void> {
  const { device, kernels, half, model } = context;
  const shapes = matmulShapes(model);
  const workspace = device.allocate(Math.max(4, ...shapes.map(ownMatmulWorkspaceBytes)), "workspace");
  await matmulCases(context, new OwnMatmuls(device, kernels, workspace), OWN_MATMULS);
  device.free(workspace);
  let library: CublasLt;
  try {
    library = CublasLt.open(engineOptions(settings), device.properties.driverVersion);
  } catch (error) {
    if (error instanceof UserError) return;
    throw error;
  }
  const area = device.allocate(LIBRARY_WORKSPACE_BYTES, "workspace");
  const matmuls = new LibraryMatmuls(device, library, area, half, shapes);
  try {
    await matmulCases(context, matmuls, library.version);
  } finally {
    matmuls.close();
    library.close();
  }
}
