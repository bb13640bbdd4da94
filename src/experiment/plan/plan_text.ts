/** The plan as people read it: a table of experiments, the runs behind them, and what they cost. */
import { isDigest, shortDigest } from "../../digest/sha256.ts";
import { parameterCount } from "../../model/config.ts";
import { runCost } from "./cost.ts";
import { compactNumber, counted, groupedNumber } from "../../text/numbers.ts";
import { mechanismsOf } from "../arm/mechanisms.ts";
import { findRun, type LeftOutArm, type Plan } from "./plan.ts";
import type { PlannedRun } from "../run/run.ts";
import type { PlannedStart } from "../arm/start.ts";

/**
 * A plain-text table of the plan: every arm with its run and the step up to which it reads it, shared runs marked
 * by `=`, and the totals. With several seeds the rows show the first.
 */
export function formatPlan(plan: Plan): string {
  const sections = [heading(plan), table(planRows(plan)), mechanisms(plan), footing(plan)];
  return `${sections.filter((lines) => lines.length > 0).map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

/** Arms of the set that the scale does not have, a line a reason. */
export function leftOutLines(leftOut: readonly LeftOutArm[]): string[] {
  const byReason = Map.groupBy(leftOut, ({ reason }) => reason);
  return [...byReason].map(([reason, arms]) => {
    const names = arms.map(({ arm }) => arm).join(", ");
    return `left out of this plan, as ${reason}: ${names}`;
  });
}

/** Runs that are more than plain training, with what they have besides. */
function mechanisms({ runs }: Plan): string[] {
  return table(
    runs.filter(({ label }) => label.endsWith("_seed-0")).flatMap(({ label, specification }) => {
      const words = mechanismsOf(specification);
      return words.length === 0 ? [] : [[label, words.join(", ")]];
    }),
  );
}

function heading({ scale, data, engine, seeds, start, readings, planDigest }: Plan): string[] {
  const model = scale.model.config;
  const corpora = data.state === "pinned"
    ? `upstream ${shortDigest(data.upstream)}, downstream ${shortDigest(data.downstream)}`
    : `not fetched: ${data.upstream}, ${data.downstream}; this plan can be priced, not trained`;
  return [
    `Plan for scale "${scale.name}": ${scale.summary}`,
    `  model   ${groupedNumber(parameterCount(model))} parameters, sequences of ${
      groupedNumber(model.sequenceLength)
    } tokens`,
    ...(scale.changes === undefined ? [] : [`  changed ${scale.changes.join(", ")}`]),
    `  data    ${corpora}`,
    ...(data.mixes === undefined ? [] : [
      `  mixes   ${
        Object.entries(data.mixes).map(([mix, of]) => `${mix} ${isDigest(of) ? shortDigest(of) : of}`).join(", ")
      }`,
    ]),
    ...(start === undefined ? [] : [`  start   ${startText(start)}`]),
    ...(readings === undefined ? [] : [
      `  reading ${Object.entries(readings).map(([name, value]) => `${name}=${value}`).join(", ")}`,
    ]),
    `  engine  ${engine.arithmetic}, ${engine.level}`,
    `  seeds   ${seeds}`,
    `  digest  ${planDigest}`,
  ];
}

function startText(start: PlannedStart): string {
  if (start.state === "not fetched") return `not fetched: ${start.origin}`;
  return start.checkpoints.map(({ step, weights, origin }) => `step ${step} ${shortDigest(weights)} of ${origin}`)
    .join(", ");
}

function planRows(plan: Plan): string[][] {
  const shown = new Set<PlannedRun>();
  const rows = [["experiment", "arm", "run", "read to", "steps", "tokens", "FLOPs"]];
  for (const run of plan.runs) {
    if (run.usedBy.length > 0 || !run.label.endsWith("_seed-0")) continue;
    rows.push(["(start of others)", "", run.label, "", ...costColumns(run)]);
  }
  for (const { name, arms } of plan.experiments) {
    for (const [index, arm] of arms.entries()) {
      const run = findRun(plan, name, arm);
      if (run === undefined) continue;
      const use = run.usedBy.find((reference) => reference.experiment === name && reference.arm === arm);
      const readTo = groupedNumber(use?.steps ?? run.steps);
      const first = !shown.has(run);
      shown.add(run);
      const columns = first ? [run.label, readTo, ...costColumns(run)] : [`= ${run.label}`, readTo, "", "", ""];
      rows.push([index === 0 ? name : "", arm, ...columns]);
    }
  }
  return rows;
}

function costColumns(run: PlannedRun): string[] {
  const { steps, tokens, flops } = runCost(run);
  return [groupedNumber(steps), compactNumber(tokens), compactNumber(flops)];
}

/** Columns of text to the left, columns of numbers to the right. */
function table(rows: readonly string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row.map((cell, column) => {
      const width = widths[column] ?? 0;
      return column < 3 ? cell.padEnd(width) : cell.padStart(width);
    }).join("  ").trimEnd()
  );
}

function footing({ totals, seeds }: Plan): string[] {
  const shared = totals.sharedTokens > 0 ? `, ${compactNumber(totals.sharedTokens)} tokens saved by sharing` : "";
  const repeated = seeds > 1 ? ` at ${seeds} seeds` : "";
  return [
    `${counted(totals.arms, "arm")}${repeated} ${totals.arms === 1 ? "needs" : "need"} ${
      counted(totals.runs, "distinct run")
    }${shared}`,
    `in all ${groupedNumber(totals.steps)} steps, ${compactNumber(totals.tokens)} tokens trained on, ` +
    `${compactNumber(totals.evaluationTokens)} evaluated, ${compactNumber(totals.flops)} FLOPs`,
  ];
}
