import assert from "node:assert/strict";
import { VERDICT_NAMES } from "../../../src/results/claims.ts";
import { formatClaims } from "../../../src/results/format_claims.ts";
import { tally, verdictWords } from "../../../src/results/judging/words.ts";
import { REHEARSAL } from "../rehearsal.ts";
import { A_BELOW_B, A_LIKE_B, pairs } from "../two_arms.ts";
import { judge } from "./current.ts";

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
  assert.match(text, /^4 claims at this scale: 1 agree, 1 differ, 0 not decided, 2 say nothing$/m);
  assert.match(text, /^Not compared\n {2}– 2 claims: arms? "x\/a", "x\/b" were not run\.$/m);
  for (const width of [80, 100, 160]) {
    assert.deepEqual(formatClaims(verdicts, { width }).split("\n").filter((line) => [...line].length > width), []);
  }
});

Deno.test("tally() keeps the names of verdicts at the paper's scale and of rules of version 1", () => {
  assert.equal(
    tally([judge(A_BELOW_B, CLEAR, PAPER_SCALE), judge(A_BELOW_B, [])]),
    "2 claims: 1 reproduced, 0 contradicted, 0 inconclusive, 1 not comparable",
  );
  assert.match(tally([{ verdict: "reproduced" }]), /^1 claim: 1 reproduced, /);
  assert.match(tally([judge(A_BELOW_B, [])]), /^1 claim at this scale: 0 agree, .* 1 say nothing$/);
  assert.match(tally([]), /^0 claims: 0 reproduced/);
});
