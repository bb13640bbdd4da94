/** Tables of the documentation about what comes in variants, from the variants' own files: schedules and rules. */
import { z } from "zod";
import { SCHEDULE_KINDS, scheduleOf } from "../src/schedule/catalogue.ts";
import { MEASURE_KINDS, measureKind } from "../src/results/estimates/catalogue.ts";
import { RULE_KINDS, ruleKind } from "../src/results/rules/catalogue.ts";
import { markdownTable } from "./markdown_table.ts";

const ALL_SCHEDULES = SCHEDULE_KINDS.map(scheduleOf);

/** Every schedule in a row: its name and its words. */
export function schedulesTable(): string {
  return markdownTable(["kind", "after the warm-up"], ALL_SCHEDULES.map(({ kind, words }) => [`\`${kind}\``, words]));
}

/** Every parameter that its schedule describes: field, schedule, default and meaning. */
export function parametersTable(): string {
  const rows = ALL_SCHEDULES.flatMap(({ kind, parameters }) => {
    const { properties = {} } = z.toJSONSchema(z.object(parameters), { io: "input" });
    return Object.entries(properties).flatMap(([name, property]) => {
      if (typeof property === "boolean" || property.description === undefined) return [];
      const byDefault = property.default === undefined ? "must be set" : `\`${property.default}\``;
      return [[`\`${name}\``, `\`${kind}\``, byDefault, property.description]];
    });
  });
  return markdownTable(["field", "schedule", "default", "meaning"], rows);
}

/** Every kind of rule in a row: what it compares, what is wanted of that, and against which null. */
export function rulesTable(): string {
  const rows = RULE_KINDS.map((kind) => [kind, ruleKind(kind)] as const)
    .filter(([, { supersededBy }]) => supersededBy === undefined)
    .map(([kind, { comparisons, wanted, nullModel }]) => [`\`${kind}\``, comparisons, wanted, nullModel]);
  return markdownTable(["kind", "comparisons", "wanted", "null: what no effect would give"], rows);
}

/** Every kind that rules of version 1 alone may use. */
export function earlierRulesTable(): string {
  const rows = RULE_KINDS.map((kind) => [kind, ruleKind(kind)] as const).flatMap(([kind, rule]) =>
    rule.supersededBy === undefined
      ? []
      : [[`\`${kind}\``, `\`${rule.supersededBy}\``, rule.comparisons, rule.wanted, rule.nullModel]]
  );
  return markdownTable(["kind", "now", "comparisons", "wanted", "null"], rows);
}

/** Every kind of estimate in a row: its numbers. */
export function estimatesTable(): string {
  const rows = MEASURE_KINDS.map((kind) => [`\`${kind}\``, measureKind(kind).numbers]);
  return markdownTable(["kind", "numbers"], rows);
}
