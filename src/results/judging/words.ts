/** Verdicts in words for a reader, no stronger than what was shown. */
import type { JudgeContext } from "../arm_curves.ts";
import { type Verdict, VERDICT_NAMES, type VerdictName } from "./verdict.ts";

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
  "reproduced": "agree",
  "contradicted": "differ",
  "inconclusive": "not decided",
  "not comparable": "say nothing",
};

/** `4 claims at this scale: 1 agree, 1 differ, …`; by the names of verdicts where readers are told these. */
export function tally(
  verdicts: readonly Pick<Verdict, "verdict" | "words">[],
  paint: (name: VerdictName, text: string) => string = (_, text) => text,
): string {
  const isNamed = (verdicts.length === 0 || !verdicts.every(({ words }) => words === "says nothing")) &&
    verdicts.every(({ verdict, words = verdict }) => words === verdict || verdict === "not comparable");
  const counts = VERDICT_NAMES.map((name) => {
    const count = verdicts.filter(({ verdict }) => verdict === name).length;
    return paint(name, `${count} ${isNamed ? name : TALLIES[name]}`);
  });
  const claims = `${verdicts.length} ${verdicts.length === 1 ? "claim" : "claims"}`;
  return `${claims}${isNamed || verdicts.length === 0 ? "" : " at this scale"}: ${counts.join(", ")}`;
}
