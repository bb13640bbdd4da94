/** What a statement leaves open by what it says itself, in whole sentences. Web-standard APIs only. */
import { printable } from "../../files/safe_name.ts";
import { openTopics } from "../format/members.ts";
import { type Statement, TOOL_VERSION } from "../format/predicate.ts";
import { isTrained, type ManifestRun, type TrainedRun } from "../format/run.ts";
import { recordName } from "./verify_records.ts";
import { listed } from "./verify_artefacts.ts";

/** Caveats of a statement that agrees with itself. */
export function statementCaveats(statement: Statement): string[] {
  const { runs } = statement.predicate;
  return [
    ...skippedCaveat(runs),
    ...foundCaveat(runs.filter(isTrained)),
    ...strangerCaveat(statement),
    ...openTopics(statement.predicateType, statement.predicate.tool.version === TOOL_VERSION),
  ];
}

function skippedCaveat(runs: readonly ManifestRun[]): string[] {
  const skipped = runs.filter((run) => !isTrained(run));
  if (skipped.length === 0) return [];
  return [
    `Anything about ${countOf(skipped, runs)} that were not trained, since what they start from was not reached.`,
  ];
}

/** Runs that the process that signed did not train, or not all of. */
function foundCaveat(runs: readonly TrainedRun[]): string[] {
  const sentence = (chosen: readonly TrainedRun[], words: string) => {
    if (chosen.length === 0) return [];
    const again = chosen.filter(({ retrained }) => retrained !== undefined);
    const retrained = again.length === 0
      ? "nothing of them was retrained before signing"
      : `pieces of ${again.length} of them were retrained before signing`;
    return [`That ${countOf(chosen, runs)} ${words}: ${retrained}.`];
  };
  return [
    ...sentence(
      runs.filter(({ origin }) => origin === "found"),
      "were trained at all: they lay finished in the folder of the process that signed, which checked that their journals, " +
        "curves and checkpoints agree with their records",
    ),
    ...sentence(
      runs.filter(({ origin }) => origin === "resumed"),
      "were trained from their beginning: the process that signed went on from checkpoints that lay in its folder",
    ),
  ];
}

function countOf(chosen: readonly ManifestRun[], all: readonly ManifestRun[]): string {
  return `${chosen.length} of ${all.length} runs (${listed(chosen.map(({ label }) => printable(label, 200)))})`;
}

/** Files that are as they were signed, and that no member describes. */
function strangerCaveat({ subject, predicate }: Statement): string[] {
  const known = new Set<string>([predicate.plan.name, predicate.paper.name]);
  if (predicate.report !== undefined) known.add(predicate.report.name);
  for (const run of predicate.runs.filter(isTrained)) {
    const { journal, curves, states } = run;
    known.add(recordName(run));
    for (const { name } of [journal, curves, ...states.flatMap(({ checkpoint }) => checkpoint ?? [])]) known.add(name);
  }
  const strangers = subject.filter(({ name }) => !known.has(name)).map(({ name }) => printable(name, 200));
  if (strangers.length === 0) return [];
  return [
    `What ${strangers.length} further files hold: they are as they were signed, and no step reads them: ${
      listed(strangers)
    }.`,
  ];
}
