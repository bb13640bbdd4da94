/** Verdicts in words for a reader, no stronger than what was shown. */
import type { JudgeContext } from "../arm_curves.ts";
import type { Verdict, VerdictName } from "./verdict.ts";

/** What a rule shows if it holds: a direction, that nothing differs, or a number of the paper. */
export type Shown = "direction" | "sameness" | "number";

const AT_SMALLER_SCALE: Readonly<Record<Shown, Readonly<Record<VerdictName, string>>>> = {
  direction: {
    "reproduced": "same direction at this scale",
    "contradicted": "other direction at this scale",
    "inconclusive": "not decided",
    "not comparable": "says nothing",
  },
  sameness: {
    "reproduced": "no difference at this scale either",
    "contradicted": "a difference at this scale",
    "inconclusive": "not decided",
    "not comparable": "says nothing",
  },
  number: {
    "reproduced": "same number at this scale",
    "contradicted": "another number at this scale",
    "inconclusive": "not decided",
    "not comparable": "says nothing",
  },
};

/** A verdict for a reader: at the paper's own scale its name, at others what a model of another size can show. */
export function verdictWords(verdict: VerdictName, shown: Shown, { isPaperScale }: JudgeContext): string {
  return isPaperScale && verdict !== "not comparable" ? verdict : AT_SMALLER_SCALE[shown][verdict];
}

const TALLIES: Readonly<Record<VerdictName, string>> = {
  "reproduced": "agree at this scale",
  "contradicted": "differ at this scale",
  "inconclusive": "not decided",
  "not comparable": "say nothing",
};

/** What stands behind a count of verdicts: their names where readers are told these, else words like theirs. */
export function tallyWords(name: VerdictName, verdicts: readonly Pick<Verdict, "verdict" | "words">[]): string {
  const isNamed = verdicts.every(({ verdict, words = verdict }) => words === verdict || verdict === "not comparable");
  return isNamed && !verdicts.every(({ words }) => words === "says nothing") ? name : TALLIES[name];
}
