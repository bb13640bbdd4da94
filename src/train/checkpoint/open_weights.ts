/** Weights by their path, whichever of the three forms they have. */
import { UserError } from "../../errors.ts";
import { DENO_FILES } from "../../files/deno_file_system.ts";
import { fileError } from "../../files/file_error.ts";
import { openHuggingFaceFolder } from "../../model/hugging_face_folder.ts";
import { SafetensorsFile } from "../../formats/safetensors/safetensors_file.ts";
import { openWeightsFile, WEIGHTS_FORMAT } from "../../model/weights_file.ts";
import type { WeightsSource } from "../../model/weights_source.ts";
import { CHECKPOINT_FORMAT } from "./checkpoint.ts";
import { type CheckpointWeights, openCheckpoint, type OpenCheckpointOptions } from "./checkpoint_weights.ts";

/** Weights that were opened, and what is known of where they come from. */
export type OpenedWeights =
  /** a folder as Hugging Face's hub holds a model */
  | { readonly kind: "hugging face"; readonly source: WeightsSource }
  /** what `import` writes */
  | { readonly kind: "weights"; readonly source: WeightsSource }
  /** what training leaves */
  | { readonly kind: "checkpoint"; readonly source: CheckpointWeights };

/**
 * Opens a folder of Hugging Face's, a file of weights, or a training checkpoint. Close its source.
 *
 * @throws {UserError} `BAD_CHECKPOINT` if it is none of them; as the opening of each throws
 *
 * @example
 * ```ts ignore
 * import { exportHuggingFace } from "../../model/hugging_face_export.ts";
 * import { openWeights } from "./open_weights.ts";
 *
 * const { source } = await openWeights("out/tiny/runs/upstream_pretrain_seed-0/checkpoints/step-002000.safetensors");
 * await exportHuggingFace(source, "out/exported");
 * source.close();
 * ```
 */
export async function openWeights(path: string, options: OpenCheckpointOptions = {}): Promise<OpenedWeights> {
  const { files = DENO_FILES } = options;
  if (await isFolder(path, files)) return { kind: "hugging face", source: await openHuggingFaceFolder(path, files) };
  const file = await SafetensorsFile.open(path, files);
  const { format = "none" } = file.metadata;
  file.close();
  if (format === WEIGHTS_FORMAT) return { kind: "weights", source: await openWeightsFile(path, files) };
  if (format === CHECKPOINT_FORMAT) return { kind: "checkpoint", source: await openCheckpoint(path, options) };
  throw new UserError(
    "BAD_CHECKPOINT",
    `"${path}" does not say which model its tensors are of`,
    "give the folder that it came in, with its config.json",
  );
}

async function isFolder(path: string, files: NonNullable<OpenCheckpointOptions["files"]>): Promise<boolean> {
  try {
    return (await files.status(await files.realPath(path)))?.kind === "folder";
  } catch (error) {
    throw fileError(error, "read", path);
  }
}
