import assert from "node:assert/strict";
import { canonicalJson } from "../../src/digest/canonical_json.ts";
import { sha256 } from "../../src/digest/sha256.ts";
import type { Statement } from "../../src/manifest/format/predicate.ts";
import { buildStatement } from "../../src/manifest/statement.ts";
import { loose, makeBundle } from "./fixture.ts";

const { statement } = await makeBundle();
const artefacts = statement.subject.map(({ name, digest }) => ({ name, sha256: digest.sha256 }));

Deno.test("buildStatement() sorts subjects by name", () => {
  const built = buildStatement({ artefacts: artefacts.toReversed(), predicate: statement.predicate });
  assert.deepEqual(built, statement);
  const names = built.subject.map(({ name }) => name);
  assert.deepEqual(names, names.toSorted());
});

Deno.test("buildStatement() refuses what no verifier would accept", () => {
  // deno-lint-ignore no-explicit-any -- a predicate that is wrong on purpose
  const build = (change: (predicate: any) => void, subjects = artefacts) => {
    const { predicate } = loose(statement);
    change(predicate);
    return () => buildStatement({ artefacts: subjects, predicate: predicate as Statement["predicate"] });
  };
  // deno-lint-ignore no-explicit-any -- the same
  const cases: [(predicate: any) => void, RegExp][] = [
    [(p) => p.surprise = 1, /predicate: Unrecognized key/],
    [(p) => p.runs[1].label = "../x", /predicate\.runs\[1\]\.label/],
    [(p) => p.runs[1].key = sha256("x"), /its specification gives/],
    [(p) => p.runs[1].specification.orderSeed++, /its specification gives/],
    [(p) => p.runs[2].label = p.runs[1].label, /there are two runs/],
    [(p) => p.runs[2] = p.runs[1], /stands twice/],
    [(p) => p.runs.reverse(), /does not stand before it/],
    [(p) => (p.runs[0].states.splice(3), p.runs[0].merkleTree.treeSize = 77), /where no state is recorded/],
    [(p) => p.runs[0].merkleTree.treeSize--, /has a Merkle tree of 84 leaves, and its journal and checkpoints make 85/],
    [(p) => p.runs[0].journal.steps--, /is said to be complete, but has 63 of 64 steps/],
    [(p) => p.runs[0].states.reverse(), /not in the order of their steps/],
    [(p) => p.runs[0].states[2].step = 900, /after its end/],
    [(p) => p.runs[0].steps = 65, /has 65 steps, and its schedule ends after 64/],
    [(p) => p.runs[0].curves.sha256 = sha256("x"), /gives "runs\/.*curves.json" the digest/],
    [(p) => p.runs[0].curves.name = "plan.txt", /which is no subject/],
    [(p) => p.runs[1].curves = p.runs[0].curves, /both name/],
    [(p) => p.plan.name = "other.json", /the plan names "other.json", which is no subject/],
    [(p) => p.claims.push(p.claims[0]), /there are two claims "ends"/],
    [(p) => p.claims[0].evidence[0].runKey = sha256("x"), /claim "ends" points to run .* not in the manifest/],
    [(p) => p.claims[0].numbers[0].value = "3,5", /a decimal number/],
    [(p) => p.metadata.createdAt = "yesterday", /createdAt/],
  ];
  for (const [change, reason] of cases) assert.throws(build(change), reason);
  assert.throws(build(() => {}, [...artefacts, ...artefacts.slice(0, 1)]), /there are two subjects/);
  assert.throws(build(() => {}, [...artefacts, { name: "PLAN.JSON", sha256: sha256("x") }]), /there are two subjects/);
  assert.throws(build(() => {}, [...artefacts, { name: "../x", sha256: sha256("x") }]), /has a part "\.\."/);
});

Deno.test("buildStatement() refuses learning rates that the schedule does not give", async () => {
  const { runKey } = await import("../../src/experiment/run/run_key.ts");
  const forged = loose(statement);
  const last = forged.predicate.runs.at(-1);
  last.specification.scheduleDigest = sha256("another table");
  last.key = runKey(last.specification);
  for (const item of forged.predicate.claims[0].evidence) item.runKey = forged.predicate.runs[0].key;
  assert.throws(
    () => buildStatement({ artefacts, predicate: forged.predicate }),
    /learning rates that its schedule does not give/,
  );
});

Deno.test("buildStatement() gives the same bytes to sign whether an optional member is undefined or absent", () => {
  const { predicate } = statement;
  assert.ok(!("start" in predicate), "the fixture has no start of its own");
  const passed = buildStatement({ artefacts, predicate: { ...predicate, start: undefined } });
  assert.equal(canonicalJson(passed), canonicalJson(statement));
});
