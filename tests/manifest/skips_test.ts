/** A run that is stated as skipped: only the structure of the plan and the end of another run can be the reason. */
import assert from "node:assert/strict";
import type { Predicate } from "../../src/manifest/format/predicate.ts";
import {
  isTrained,
  type ManifestRun,
  plannedPart,
  type SkippedRun,
  type TrainedRun,
} from "../../src/manifest/format/run.ts";
import { leafCount } from "../../src/manifest/format/run_tree.ts";
import { statementFlaw } from "../../src/manifest/consistency/statement_check.ts";
import { makeBundle } from "./fixture.ts";

const { statement } = await makeBundle();
const [parent = assert.fail(), ...children] = statement.predicate.runs as readonly TrainedRun[];
const START = 64;

/** A statement with these runs and no claims, which would point to runs that are left out. */
function flawOf(runs: readonly ManifestRun[], change: Partial<Predicate> = {}): string | undefined {
  return statementFlaw({ ...statement, predicate: { ...statement.predicate, runs, claims: [], ...change } });
}

function skipped(run: ManifestRun, reason: string): SkippedRun {
  return { ...plannedPart(run), outcome: "skipped", reason };
}

/** The parent, ended by a divergence. */
function divergedAt(step: number): TrainedRun {
  const ended: TrainedRun = {
    ...parent,
    outcome: "diverged",
    journal: { ...parent.journal, steps: step },
    states: parent.states.filter((state) => state.step <= step),
  };
  return { ...ended, merkleTree: { ...ended.merkleTree, treeSize: leafCount(ended) } };
}

Deno.test("a run is skipped where the run that it starts from diverged before that step, for just this reason", () => {
  assert(parent.steps === START && children.every(isTrained));
  const reason = `the run it starts from, "${parent.label}", diverged at step 40, before step ${START}`;
  assert.equal(flawOf([divergedAt(40), ...children.map((run) => skipped(run, reason))]), undefined);
  assert.match(
    flawOf([divergedAt(40), ...children.map((run) => skipped(run, "the disk was full"))]) ?? "",
    /is said to be skipped because "the disk was full", and the reason is that the run it starts from/,
  );
  const earlier = { tool: { name: "rewarm", version: "0.1.0" } } as const;
  assert.equal(flawOf([divergedAt(40), ...children.map((run) => skipped(run, "in other words"))], earlier), undefined);
});

const CASES: [name: string, runs: readonly ManifestRun[], reason: RegExp][] = [
  ["no run at all", [], /there are no runs/],
  [
    "all of them, the pre-training first",
    statement.predicate.runs.map((run) => skipped(run, "no time")),
    /"upstream_pretrain_seed-0" is said to be skipped, and starts from no run/,
  ],
  [
    "one whose parent was trained to its end",
    [parent, skipped(children[0] ?? assert.fail(), "no time"), ...children.slice(1)],
    /is said to be skipped, and the run that it starts from, "upstream_pretrain_seed-0", reached step 64/,
  ],
  [
    "one whose parent diverged right at the step",
    [divergedAt(START), skipped(children[0] ?? assert.fail(), "no time"), ...children.slice(1)],
    /reached step 64/,
  ],
  [
    "the parent alone, in a plan that needs no more of it",
    [skipped(parent, "no time"), ...children],
    /"upstream_pretrain_seed-0" is said to be skipped/,
  ],
  [
    "a parent that is not complete",
    [{ ...divergedAt(40), outcome: "completed" }],
    /is said to be complete, but has 40/,
  ],
  [
    "a parent that is planned shorter than its children start",
    [{ ...divergedAt(40), steps: 40, outcome: "completed" }, ...children.map((run) => skipped(run, "ended early"))],
    /starts from step 64 of run "upstream_pretrain_seed-0", which is planned for 40|Merkle tree/,
  ],
];
for (const [name, runs, reason] of CASES) {
  Deno.test(`statementFlaw() finds no reason to skip ${name}`, () => {
    assert.match(flawOf(runs) ?? "", reason);
  });
}
