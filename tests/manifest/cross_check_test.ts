/** Members of the predicate that say again what runs say: none may say it otherwise. */
import assert from "node:assert/strict";
import { sha256 } from "../../src/digest/sha256.ts";
import type { Statement } from "../../src/manifest/format/predicate.ts";
import { statementFlaw } from "../../src/manifest/consistency/statement_check.ts";
import { loose, makeBundle } from "./fixture.ts";

const { statement } = await makeBundle();
const NOW = Date.parse("2026-12-01T00:00:00Z");

// deno-lint-ignore no-explicit-any -- a forger is bound by no type
const CASES: [name: string, change: (predicate: any) => void, reason: RegExp][] = [
  ["another arithmetic", (p) => p.engine.arithmetic = "9", /is computed by test\/1 .* the manifest says 9/],
  ["another level", (p) => p.engine.level = "run_to_run", /the manifest says test\/1 \(run_to_run\)/],
  ["another seed of weights", (p) => p.seeds.values[0].initialWeights++, /seed 0 has other values/],
  ["another seed of orders", (p) => p.seeds.values[0].continuingOrder++, /seed 0 has other values/],
  ["values of more seeds", (p) => p.seeds.values.push(p.seeds.values[0]), /values of 2 seeds, and says .* 1/],
  ["no values", (p) => p.seeds.values = [], /values of 0 seeds/],
  ["another corpus", (p) => p.corpora.upstream.digest = sha256("x"), /trained on another upstream corpus/],
  ["another validation text", (p) => p.corpora.downstream.digest = sha256("x"), /evaluated on another downstream/],
  ["a date before the project", (p) => p.metadata.createdAt = "1970-01-01T00:00:00Z", /before this project began/],
  ["a date on the eve", (p) => p.metadata.createdAt = "2026-11-22T23:59:59Z", /before this project began/],
  ["a date in the future", (p) => p.metadata.createdAt = "2026-12-02T00:00:01Z", /in the future/],
  ["a date far off", (p) => p.metadata.createdAt = "9999-12-31T23:59:59Z", /in the future/],
  ["retraining past the end", (p) => p.runs[0].retrained = [{ fromStep: 60, toStep: 65 }], /retrained, of 64/],
  ["retraining backwards", (p) => p.runs[0].retrained = [{ fromStep: 8, toStep: 4 }], /steps 8 to 4/],
  [
    "the same retraining twice",
    (p) => p.runs[0].retrained = [{ fromStep: 0, toStep: 16 }, { fromStep: 0, toStep: 16 }],
    /after step 16/,
  ],
];

for (const [name, change, reason] of CASES) {
  Deno.test(`statementFlaw() finds ${name}`, () => {
    const forged = loose(statement);
    change(forged.predicate);
    assert.match(statementFlaw(forged as Statement, NOW) ?? "", reason);
  });
}

Deno.test("statementFlaw() takes what agrees, dates of clocks that go wrong by hours, and pieces in their order", () => {
  assert.equal(statementFlaw(statement, NOW), undefined);
  const honest = loose(statement);
  honest.predicate.metadata.createdAt = "2026-12-01T14:00:00Z";
  honest.predicate.runs[0].retrained = [{ fromStep: 0, toStep: 16 }, { fromStep: 16, toStep: 64 }];
  assert.equal(statementFlaw(honest as Statement, NOW), undefined);
});
