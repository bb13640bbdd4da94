import assert from "node:assert/strict";
import { judgeClaims } from "../../src/results/claims.ts";
import { formatClaims } from "../../src/results/format_claims.ts";
import { PAPER } from "./paper.ts";
import { REHEARSAL, rehearsalArms } from "./rehearsal.ts";

const VERDICTS = judgeClaims(PAPER, rehearsalArms(), REHEARSAL);
const ESCAPES = new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, "g");

Deno.test("formatClaims() keeps to the width, at 100 columns and at others", () => {
  for (const width of [80, 100, 160]) {
    const lines = formatClaims(VERDICTS, { width }).split("\n");
    assert.deepEqual(lines.filter((line) => [...line].length > width), []);
  }
});

Deno.test("formatClaims() shows every claim with its verdict, and the totals", () => {
  const text = formatClaims(VERDICTS);
  assert.match(text, /^reproduced {6}4\.2 {3}Higher maximum learning rate, lower/m);
  assert.match(text, /^contradicted {4}4\.3 {3}From scratch overtakes the constant/m);
  assert.match(text, /^24 claims: 14 reproduced, 3 contradicted, 0 inconclusive, 7 not comparable$/m);
});

Deno.test("formatClaims() gives the reason of every contradiction", () => {
  const text = formatClaims(VERDICTS).replace(/\s+/g, " ");
  for (const { verdict, reason } of VERDICTS) {
    if (verdict === "contradicted") assert.ok(text.includes(reason), reason);
  }
});

Deno.test("formatClaims() colours only when asked, and then only colours", () => {
  const plain = formatClaims(VERDICTS);
  const coloured = formatClaims(VERDICTS, { color: true });
  assert.equal(plain.match(ESCAPES), null);
  assert.ok((coloured.match(ESCAPES) ?? []).length > VERDICTS.length);
  assert.equal(coloured.replace(ESCAPES, ""), plain);
});
