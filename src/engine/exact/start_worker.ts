/** Starts a worker of the exact engine, from the file beside this one. */
export function startEngineWorker(): Worker {
  return new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
}
