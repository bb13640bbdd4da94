/** What holds for every kind of rule: it reads, counts and names what it says it does. */
import assert from "node:assert/strict";
import { UserError } from "../../src/errors.ts";
import { CannotRead } from "../../src/results/arm_curves.ts";
import { contrastCount } from "../../src/results/judging_budget.ts";
import { parsePaper } from "../../src/results/paper_schema.ts";
import { marginsOf, type Rule, ruleSchema, runsOf } from "../../src/results/rule_schema.ts";
import { assess } from "../../src/results/rules/assess.ts";
import { RULE_KINDS } from "../../src/results/rules/catalogue.ts";
import { PAPER, PAPER_TEXT } from "./paper.ts";
import { REHEARSAL, rehearsalArms } from "./rehearsal.ts";

/** The claims' rules, by which nearly every kind is exercised. */
const RULES_OF_PAPER: readonly Rule[] = PAPER.claims.map(({ rule }) => rule);

Deno.test("a rule reads the runs that it names, and makes the comparisons that it counts", () => {
  const read = new Set<string>();
  for (const rule of RULES_OF_PAPER) {
    const named: string[] = [];
    const marginValue = (name: string) => {
      named.push(name);
      return PAPER.margins[name]?.value ?? NaN;
    };
    try {
      const { contrasts, evidence } = assess(rule, { ...REHEARSAL, arms: rehearsalArms(), marginValue });
      assert.equal(contrasts.length, contrastCount(rule), rule.kind);
      const runs = new Set(runsOf(rule));
      assert.deepEqual(evidence.filter(({ runKey }) => !runs.has(runKey.replace(/ 0$/, ""))), [], rule.kind);
      assert.deepEqual([...new Set(named)].sort(), Object.values(marginsOf(rule)).sort(), rule.kind);
      read.add(rule.kind);
    } catch (error) {
      if (!(error instanceof CannotRead)) throw error;
    }
  }
  assert.ok(read.size >= 10, [...read].join(", "));
});

Deno.test("a rule's margins are fields of the rule, and are looked for under those names", () => {
  for (const rule of RULES_OF_PAPER) {
    for (const [field, name] of Object.entries(marginsOf(rule))) {
      assert.equal((rule as unknown as Record<string, unknown>)[field], name);
    }
  }
  const text = PAPER_TEXT.replace("noLine: noLine", "noLine: nothing");
  assert.notEqual(text, PAPER_TEXT);
  assert.throws(
    () => parsePaper(text, "paper.yaml"),
    (error) => error instanceof UserError && /rule\.noLine is "nothing", expected the name of/.test(error.message),
  );
});

Deno.test("ruleSchema reads every kind by its name, and no other field than its own", () => {
  for (const rule of RULES_OF_PAPER) {
    assert.deepEqual(ruleSchema.parse(rule), rule);
    assert.ok(!ruleSchema.safeParse({ ...rule, another: 1 }).success, rule.kind);
  }
  for (const kind of RULE_KINDS) {
    const issues = ruleSchema.safeParse({ kind }).error?.issues ?? [];
    assert.ok(issues.length > 0 && issues.every(({ path }) => path[0] !== "kind"), kind);
  }
  assert.equal(ruleSchema.safeParse({ kind: "belov" }).error?.issues[0]?.path[0], "kind");
});
