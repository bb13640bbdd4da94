/** The header of a run's journal: what holds of all its records, from its specification and its corpora. */
import type { PlannedRun } from "../experiment/run/run.ts";
import { bytesPerTokenOf, type Corpora, type ValidationSets } from "./evaluation/evaluation.ts";
import { journalVersion, type WrittenHeader } from "./journal/journal_header.ts";

/**
 * The header that a run's journal is written with.
 *
 * @param corpora of the run
 * @throws {UserError} `TOO_FEW_VALIDATION_WINDOWS`, `TOO_MANY_DOCUMENTS`
 */
export async function headerOf(
  { key, specification }: Pick<PlannedRun, "key" | "specification">,
  corpora: Corpora,
  validations: ValidationSets,
): Promise<WrittenHeader> {
  const common = { run: key, bytesPerToken: bytesPerTokenOf(corpora) };
  if (journalVersion(specification) === 2) return { version: 2, ...common };
  const { sets } = await validations.get(corpora, specification.evaluation);
  if (sets === undefined) throw new Error("Losses by document are kept, and of no documents");
  return { version: 3, ...common, validation: sets };
}
