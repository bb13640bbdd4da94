/** Starts the exact engine's workers from code in the page: takes the place of `src/engine/exact/start_worker.ts`. */

let url: string | undefined;

/** Sets the code of a worker; once, before an engine is opened. */
export function setEngineWorker(source: string): void {
  url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
}

/** A new worker. */
export function startEngineWorker(): Worker {
  if (url === undefined) throw new Error("The engine's worker was not set");
  return new Worker(url);
}
