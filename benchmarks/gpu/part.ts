/** A part of a run: it has a name, a stage and a time limit, and runs in a process of its own. */
import type { Finding, Stage } from "./results.ts";
import type { Settings } from "./settings.ts";

/** What a part works with. */
export interface PartContext {
  readonly settings: Settings;
  /** an empty folder of its own */
  readonly folder: string;
  /** Keeps what was found so far, in case the process does not come to its end. */
  readonly keep: (finding: Finding) => void;
}

/** One part. */
export interface Part {
  readonly name: string;
  readonly stage: Stage;
  /** what it does, in a line */
  readonly summary: string;
  /** of its process, at most */
  readonly seconds: number;
  /** whether it runs on any machine; default: false */
  readonly needsNoGpu?: boolean;
  readonly run: (context: PartContext) => Promise<Finding>;
}

/** Thrown where a machine lacks what a part needs. */
export class Skipped extends Error {
  override readonly name = "Skipped";
}
