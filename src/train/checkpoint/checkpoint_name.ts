/** Names of checkpoints, by their steps. Web-standard APIs only. */

/** Name of a step's checkpoint: `step-000123.safetensors`. */
export function checkpointName(step: number): string {
  return `step-${String(step).padStart(6, "0")}.safetensors`;
}

/** The step of a checkpoint's name; `undefined` for other files. */
export function checkpointStep(name: string): number | undefined {
  const match = /^step-(\d{6,})\.safetensors$/.exec(name);
  return match === null ? undefined : Number(match[1]);
}
