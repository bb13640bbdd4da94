import assert from "node:assert/strict";
import { VERDICT_NAMES } from "../../../src/results/claims.ts";
import { formatClaims } from "../../../src/results/format_claims.ts";
import { tallyWords, verdictWords } from "../../../src/results/judging/words.ts";
import { REHEARSAL } from "../rehearsal.ts";
import { A_BELOW_B, A_LIKE_B, judge, pairs } from "./current.ts";

const PAPER_SCALE = { ...REHEARSAL, isPaperScale: true };
const CLEAR = pairs([[1.9, 2], [1.92, 2], [1.88, 2]]);

Deno.test("verdictWords() gives a verdict's name at the paper's scale alone", () => {
  for (const name of VERDICT_NAMES) {
    for (const shown of ["direction", "sameness", "number"] as const) {
      assert.equal(verdictWords(name, shown, PAPER_SCALE), name === "not comparable" ? "says nothing" : name);
      assert.notEqual(verdictWords(name, shown, REHEARSAL), name);
    }
  }
});

Deno.test("formatClaims() tells readers what was shown, counts it, and says once why nothing was compared", () => {
  const verdicts = [judge(A_BELOW_B, CLEAR), judge(A_LIKE_B, CLEAR), judge(A_BELOW_B, []), judge(A_LIKE_B, [])];
  const text = formatClaims(verdicts);
  assert.doesNotMatch(text, /reproduced|contradicted/);
  assert.match(text, /^same direction at {2}4/m);
  assert.match(text, /^4 claims: 1 agree at this scale, 1 differ at this scale, 0 not decided, 2 say nothing$/m);
  assert.match(text, /^Not compared\n {2}– 2 claims: arms? "x\/a", "x\/b" were not run\.$/m);
  for (const width of [80, 100, 160]) {
    assert.deepEqual(formatClaims(verdicts, { width }).split("\n").filter((line) => [...line].length > width), []);
  }
});

Deno.test("tallyWords() keeps the names of verdicts at the paper's scale and of rules of version 1", () => {
  assert.equal(tallyWords("reproduced", [judge(A_BELOW_B, CLEAR, PAPER_SCALE), judge(A_BELOW_B, [])]), "reproduced");
  assert.equal(tallyWords("reproduced", [{ verdict: "reproduced" }]), "reproduced");
  assert.equal(tallyWords("not comparable", [judge(A_BELOW_B, [])]), "say nothing");
});
