/** The state of a shared plan as a table for a terminal. */
import { shortDigest } from "../digest/sha256.ts";
import type { PlanStatus, RunState, RunStatus } from "../worker/status.ts";
import { formatSeconds } from "../text/numbers.ts";

const ORDER: readonly RunState[] = [
  "done",
  "diverged",
  "skipped",
  "running",
  "silent",
  "failed",
  "stopped",
  "ready",
  "waiting",
];

/** Lines of text: a summary, a row a run, and what is odd. */
export function formatStatus({ planDigest, scale, runs, secondsLeft, notes }: PlanStatus): string {
  const counts = ORDER.map((state) => ({ state, count: runs.filter((run) => run.state === state).length }))
    .filter(({ count }) => count > 0)
    .map(({ state, count }) => `${count} ${state}`);
  const left = secondsLeft === undefined ? "" : `; about ${formatSeconds(secondsLeft)} left at the present speed`;
  const rows = runs.map((run) => [
    run.state,
    run.label,
    `${run.step}/${run.steps}`,
    run.loss === undefined ? "" : `loss ${run.loss.toFixed(3)}`,
    detailsOf(run),
  ]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  return [
    `Plan ${shortDigest(planDigest)} at scale "${scale}", ${runs.length} runs: ${counts.join(", ")}${left}`,
    "",
    ...rows.map((cells) => cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd()),
    ...(notes.length === 0 ? [] : ["", ...notes]),
  ].join("\n");
}

/** One run in a line. */
export function describeRunStatus(run: RunStatus): string {
  const details = detailsOf(run);
  return `${run.label}  ${run.state}, step ${run.step} of ${run.steps}${details === "" ? "" : `, ${details}`}`;
}

function detailsOf({ state, owner, secondsLeft, lastSignSeconds, reason }: RunStatus): string {
  const where = owner === undefined
    ? undefined
    : `on ${owner.host ?? "an unnamed machine"}${owner.job === undefined ? "" : ` (${owner.job})`}`;
  switch (state) {
    case "running":
      return joined(
        where,
        since(owner?.startedAt),
        secondsLeft === undefined ? "" : `${formatSeconds(secondsLeft)} left`,
      );
    case "silent":
      return joined(
        where,
        since(owner?.startedAt),
        lastSignSeconds === undefined ? "" : `no sign of life for ${formatSeconds(lastSignSeconds)}`,
      );
    case "failed":
      return joined(where, reason);
    default:
      return joined(reason, state === "done" || state === "stopped" ? where : undefined);
  }
}

function since(startedAt: string | undefined): string | undefined {
  return startedAt === undefined ? undefined : `since ${startedAt.slice(0, 16).replace("T", " ")} UTC`;
}

function joined(...parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== "").join(", ");
}
