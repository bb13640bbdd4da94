/** How far a shared plan is: every run, who works on it, and what keeps it. Reads small files alone, and writes none. */
import { runCost } from "../experiment/plan/cost.ts";
import type { Plan } from "../experiment/plan/plan.ts";
import type { PlannedRun } from "../experiment/run/run.ts";
import { DENO_FILES } from "../files/deno_file_system.ts";
import type { FileSystem } from "../files/file_system.ts";
import { readChunks } from "../files/read_file.ts";
import { findLease, isHeld, LEASE_TIMES, leasePath, type LeaseRecord } from "../locks/lease.ts";
import type { LockOwner } from "../locks/lock_owner.ts";
import { leasePlace } from "../locks/run_lock.ts";
import { lookUpRun } from "../train/folder/found_run.ts";
import { fromBits, MAX_LINE_BYTES, parseRecord } from "../train/journal/journal_record.ts";
import { RunFolder } from "../train/folder/run_folder.ts";
import { type Standing, standings } from "./standing.ts";

/**
 * What a run is doing:
 * - `done` and `diverged` runs have their record; a `skipped` one starts from a state that was never reached
 * - `running`: its holder shows signs of life; `silent`: it has shown none for longer than a lease lasts
 * - `failed`: the last who tried was ended by an error; `stopped`: it has a checkpoint, and nobody works on it
 * - `ready` to be begun; `waiting` for the run that it starts from
 */
export type RunState =
  | "done"
  | "diverged"
  | "skipped"
  | "running"
  | "silent"
  | "failed"
  | "stopped"
  | "ready"
  | "waiting";

/** One run. */
export interface RunStatus {
  readonly label: string;
  readonly key: string;
  readonly state: RunState;
  /** optimizer steps done, as far as it is known: of a run in training up to its last sign of life */
  readonly step: number;
  /** optimizer steps planned */
  readonly steps: number;
  /** loss of the last batch that is known, nats a token */
  readonly loss?: number;
  /** who works on it, or did last */
  readonly owner?: LockOwner;
  /** seconds since the last sign of life, by this machine's clock and the file server's */
  readonly lastSignSeconds?: number;
  /** of training that are left at the present speed */
  readonly secondsLeft?: number;
  /** why it failed, is skipped or waits */
  readonly reason?: string;
}

/** A whole plan. */
export interface PlanStatus {
  readonly planDigest: string;
  readonly scale: string;
  /** in the order of the plan */
  readonly runs: readonly RunStatus[];
  /** until all runs are done, if as many keep working; absent where nobody works */
  readonly secondsLeft?: number;
  /** what is odd, in whole sentences */
  readonly notes: readonly string[];
}

/** Seconds by which a file may seem to lie in the future before two clocks are said to differ. */
const CLOCK_TOLERANCE = 5;

/**
 * Looks at every run of a plan.
 *
 * @param now milliseconds since 1970
 * @throws {UserError} if files cannot be read
 */
export async function planStatus(
  plan: Plan,
  output: string,
  { files = DENO_FILES, now = Date.now() }: { readonly files?: FileSystem; readonly now?: number } = {},
): Promise<PlanStatus> {
  const find = (run: PlannedRun) => lookUpRun(run, new RunFolder(output, run.label, files));
  const runs: RunStatus[] = [];
  for (const standing of await standings(plan.runs, { find })) runs.push(await runStatus(standing, output, files, now));
  const ahead = Math.min(0, ...runs.map(({ lastSignSeconds = 0 }) => lastSignSeconds));
  const secondsLeft = timeLeft(plan, runs);
  return {
    planDigest: plan.planDigest,
    scale: plan.scale.name,
    runs,
    secondsLeft,
    notes: ahead >= -CLOCK_TOLERANCE ? [] : [
      `This machine's clock is ${
        Math.round(-ahead)
      } s behind that of the files. No training depends on it; times shown ` +
      "here do",
    ],
  };
}

async function runStatus(standing: Standing, output: string, files: FileSystem, now: number): Promise<RunStatus> {
  const { run } = standing;
  const common = { label: run.label, key: run.key, steps: run.steps };
  const folder = new RunFolder(output, run.label, files);
  if (standing.kind === "skipped") return { ...common, state: "skipped", step: 0, reason: standing.reason };
  const place = leasePlace(output, run, files);
  const found = await findLease(place);
  const lease = found?.record;
  const owner = { owner: lease?.owner };
  if (standing.kind === "trained") {
    const { outcome, steps } = standing.record;
    const reason = outcome.kind === "diverged" ? { reason: `loss or gradient norm is ${outcome.value}` } : {};
    const state = outcome.kind === "diverged" ? "diverged" : "done";
    return { ...common, state, step: steps, ...await lossOf(lease, folder), ...owner, ...reason };
  }
  const [saved = 0] = (await folder.checkpointSteps()).filter((step) => step <= run.steps);
  if (found !== undefined && isHeld(found)) {
    const modifiedAt = (await files.status(leasePath(place, found.generation)))?.modifiedAt;
    const lastSignSeconds = modifiedAt === undefined ? undefined : (now - modifiedAt) / 1000;
    const { step = saved, stepsPerSecond } = found.record.progress ?? {};
    const isSilent = (lastSignSeconds ?? 0) > LEASE_TIMES.expiry / 1000;
    return {
      ...common,
      state: isSilent ? "silent" : "running",
      step: isSilent ? saved : step,
      ...await lossOf(lease, folder),
      ...owner,
      lastSignSeconds,
      ...(stepsPerSecond === undefined || isSilent ? {} : { secondsLeft: (run.steps - step) / stepsPerSecond }),
    };
  }
  const { end } = lease ?? {};
  const rest = { ...common, step: saved, ...await lossOf(saved > 0 ? lease : undefined, folder), ...owner };
  if (end?.kind === "failed") {
    return { ...rest, state: "failed", reason: end.reason };
  }
  if (standing.kind === "not ready") {
    return { ...rest, state: "waiting", reason: `it starts from run "${standing.parent.label}"` };
  }
  return { ...rest, state: saved > 0 ? "stopped" : "ready" };
}

async function lossOf(lease: LeaseRecord | undefined, folder: RunFolder): Promise<{ readonly loss?: number }> {
  const loss = lease?.progress?.loss ?? await lastLoss(folder);
  return { loss };
}

/** The loss of the last step that a journal records: no more than its end is read. */
async function lastLoss({ journal, files }: RunFolder): Promise<number | undefined> {
  const status = await files.status(journal);
  if (status === undefined) return undefined;
  const size = 8 * MAX_LINE_BYTES;
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of readChunks(journal, files, { offset: Math.max(0, status.bytes - size), size })) {
    text += decoder.decode(bytes, { stream: true });
  }
  for (const line of text.split("\n").toReversed()) {
    const parsed = parseRecord(line);
    if (typeof parsed !== "string" && parsed.record.kind === "step") return fromBits(parsed.record.loss);
  }
  return undefined;
}

/** FLOPs that are left by the FLOPs a second of all who work now. */
function timeLeft({ runs: planned }: Plan, runs: readonly RunStatus[]): number | undefined {
  let left = 0;
  let speed = 0;
  for (const [index, { state, step, steps, secondsLeft }] of runs.entries()) {
    const run = planned[index];
    if (run === undefined || ["done", "diverged", "skipped"].includes(state)) continue;
    const flops = runCost(run).flops * (1 - step / Math.max(1, steps));
    left += flops;
    if (secondsLeft !== undefined && secondsLeft > 0) speed += flops / secondsLeft;
  }
  return speed > 0 ? left / speed : undefined;
}
