/** What rank 0 tells the others to do, as messages hold it. */
import type { SessionOptions } from "../engine/engine.ts";

/** A command of rank 0's; a session is named by a number that rank 0 gives it. */
export type Command =
  /** the engine is to be started, and answered with what it is */
  | { readonly kind: "begin" }
  | { readonly kind: "open"; readonly session: number; readonly options: SessionOptions }
  /** followed by weights, the rank's slice of both moments, and the engine's own state */
  | { readonly kind: "write"; readonly session: number; readonly engineStateBytes: number | undefined }
  /** answered by the rank's slice of both moments */
  | { readonly kind: "read"; readonly session: number }
  /** with the tokens of the rank's nodes */
  | { readonly kind: "step"; readonly session: number; readonly learningRate: number; readonly step: number }
  /** with the tokens of some windows; answered by their losses */
  | { readonly kind: "evaluate"; readonly session: number }
  /** with the importance of parameters, if the penalty has one */
  | { readonly kind: "anchor"; readonly session: number; readonly hasImportance: boolean }
  | { readonly kind: "close"; readonly session: number }
  /** nothing is left to do */
  | { readonly kind: "end"; readonly code: number };

/** Whether a message's header may be one; ranks of one version send no other. */
export function isCommand(value: unknown): value is Command {
  return typeof value === "object" && value !== null && "kind" in value && typeof value.kind === "string";
}
