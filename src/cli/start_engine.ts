/** Engines as the command line starts them: its cache of kernels, and findings on standard error. */
import { type EngineValues, startEngine as startNamed } from "../engine/catalogue.ts";
import type { EngineHost } from "../engine/definition.ts";
import type { Engine } from "../engine/engine.ts";
import { printError } from "../terminal.ts";
import { kernelCache } from "./settings.ts";

/** What every engine that a command starts is given. */
export const ENGINE_HOST: EngineHost = { cache: kernelCache, tell: printError };

/**
 * Starts the engine that options name.
 *
 * @param host in place of what every engine is given
 */
export async function startEngine(values: EngineValues, host: Partial<EngineHost> = {}): Promise<Engine> {
  return await startNamed(values, { ...ENGINE_HOST, ...host });
}
