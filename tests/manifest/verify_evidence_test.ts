/** Claims, curves, journals and states that contradict each other though all digests fit. */
import assert from "node:assert/strict";
import { canonicalJson } from "../../src/digest/canonical_json.ts";
import { sha256 } from "../../src/digest/sha256.ts";
import { formatVerification, type StepName } from "../../src/manifest/verify/verification_report.ts";
import { toBits64 } from "../../src/train/journal/journal_record.ts";
import { forge, journalText, loose } from "./fixture.ts";
import {
  artefactText,
  attacker,
  bundle,
  expect,
  folder,
  plainRun,
  plan,
  replaced,
  resigned,
  verify,
} from "./verify_fixture.ts";

Deno.test("verifyManifest() fails claims that do not follow from the curves", async () => {
  // deno-lint-ignore no-explicit-any -- a forger is bound by no type
  const cases: [(claims: any[]) => void, RegExp][] = [
    [(claims) => claims[0].verdict = "contradicted", /has verdict "contradicted", and the curves give "reproduced"/],
    [(claims) => claims[0].numbers[0].value = "2.5", /has numbers/],
    [(claims) => claims[0].rule = "Anything goes.", /has rule/],
    [(claims) => claims.push({ ...claims[0], id: "more" }), /claim "more" is stated, but the rules have none/],
    [(claims) => claims.pop(), /claim "ends" is not stated/],
  ];
  for (const [change, reason] of cases) {
    const envelope = await resigned(bundle.artefacts, (statement) => change(statement.predicate.claims));
    expect(await verify({ envelope }), "claims", "failed", reason);
  }
});

Deno.test("verifyManifest() leaves the words to the version that made the manifest, and nothing else", async () => {
  // deno-lint-ignore no-explicit-any -- a forger is bound by no type
  const reworded = (change: (claim: any) => void) =>
    resigned(bundle.artefacts, ({ predicate }) => {
      predicate.tool.version = "0.0.9";
      change(predicate.claims[0]);
    });
  const same = await verify({ envelope: await reworded(() => {}) });
  assert.equal(same.verdict, "verified", formatVerification(same));
  assert.doesNotMatch(same.caveats.join(), /words for what was found/);
  const report = await verify({ envelope: await reworded((claim) => claim.reason = "There was once one in each.") });
  assert.equal(report.verdict, "verified", formatVerification(report));
  assert.match(
    report.caveats.join(),
    /those of version 0\.0\.9, and claim "ends" has reason "There was once one in each\.", and the curves give/,
  );
  // deno-lint-ignore no-explicit-any -- the same
  const cases: [(claim: any) => void, RegExp][] = [
    [(claim) => claim.verdict = "contradicted", /has verdict "contradicted"/],
    [(claim) => claim.numbers[0].value = "2.5", /has numbers/],
    [(claim) => claim.evidence[0].value = "2.5", /has evidence/],
    [(claim) => claim.evidence.pop(), /has evidence/],
    [(claim) => claim.statement = "Every run ends well.", /has statement/],
  ];
  for (const [change, reason] of cases) {
    expect(await verify({ envelope: await reworded(change) }), "claims", "failed", reason);
  }
});

Deno.test("verifyManifest() fails curves that leave out, add or move points, though all digests fit", async () => {
  const name = `${folder}/curves.json`;
  // deno-lint-ignore no-explicit-any -- a forger is bound by no type
  const cases: [(curves: any) => void, RegExp][] = [
    [(curves) => curves.points.splice(1, 1), /no point at step 2, which the journal records/],
    [(curves) => curves.points.pop(), /no point at step 11/],
    [(curves) => curves.points.push({ ...curves.points.at(-1), step: 12, tokens: 12 * 128 }), /a point at step 12/],
    [(curves) => curves.points[2].learningRate *= 2, /learning rate at step 4/],
    [(curves) => curves.points[2].tokens++, /tokens/],
    [(curves) => curves.label = "other", /it is that of run "other"/],
    [(curves) => curves.runKey = sha256("x"), /it is that of run/],
    [
      (curves) => curves.diverged = { step: 11, loss: "NaN" },
      /its "diverged" is .*, and from the journal follows null/,
    ],
    [(curves) => curves.bytesPerToken.upstream = 2, /its "bytesPerToken" is .*"upstream":2\}, and from the journal/],
    [(curves) => curves.points[1].upstream += 2 ** -40, /upstream loss at step 2 is/],
    [(curves) => curves.points[0].upstream = -1, /upstream/],
    [(curves) => curves.note = 1, /Unrecognized key/],
  ];
  for (const [change, reason] of cases) {
    const curves = JSON.parse(artefactText(name));
    change(curves);
    const artefacts = replaced(name, canonicalJson(curves));
    expect(await verify({ envelope: await resigned(artefacts), artefacts }), "curves", "failed", reason);
  }
});

Deno.test("verifyManifest() fails journals that were tampered with, though all digests of files fit", async () => {
  const name = `${folder}/journal.jsonl`;
  const text = artefactText(name);
  const lines = text.split("\n");
  const otherName = `runs/${plan.runs[3]?.label}/journal.jsonl`;
  const cases: [string, string | undefined, RegExp][] = [
    ["a loss", text.replace(/"loss":"40(.)/, '"loss":"41$1'), /line 4: its chain digest .* does not follow/],
    ["a record less", lines.toSpliced(4, 1).join("\n"), /line 5: it is for step 2, and step 1 is expected/],
    [
      "an evaluation's loss",
      text.replace(toBits64(2.02), toBits64(1.01)),
      /line 6: its chain digest .* does not follow/,
    ],
    ["bytes a token", text.replace(toBits64(1), toBits64(2)), /line 2: its chain digest .* does not follow/],
    ["a torn end", text.slice(0, -5), /it is torn/],
    ["the journal of another run", artefactText(otherName), /line 1: the header is not that/],
    ["nothing", "", /the journal is empty/],
    [
      "another seed, chain recomputed",
      journalText(plainRun, Infinity, (r) => r.kind === "step" && r.step === 6 ? { ...r, loss: "40000000" } : r).text,
      /its chain ends in .*, and .* is stated/,
    ],
  ];
  for (const [what, changed, reason] of cases) {
    const artefacts = replaced(name, changed);
    const report = await verify({ envelope: await resigned(artefacts), artefacts });
    expect(report, "journals", "failed", reason);
    assert.ok(report.steps.some(({ detail }) => detail.includes(plainRun.label)), what);
    assert.equal(report.steps.find((step) => step.name === "claims")?.status, "not checked");
  }
});

Deno.test("verifyManifest() fails a journal with other learning rates, though chain and root were recomputed", async () => {
  const name = `${folder}/journal.jsonl`;
  const forged = journalText(
    plainRun,
    Infinity,
    (r) => r.kind === "step" && r.step === 4 ? { ...r, lr: "3f800000" } : r,
  );
  const artefacts = replaced(name, forged.text);
  const envelope = await resigned(artefacts, (s) => s.predicate.runs[1].journal.root = forged.root);
  expect(await verify({ envelope, artefacts }), "journals", "failed", /its learning rate is 1, and the schedule has/);
});

Deno.test("verifyManifest() fails states that the journal does not record, or not where they are due", async () => {
  // deno-lint-ignore no-explicit-any -- a forger is bound by no type
  const cases: [(run: any) => void, RegExp][] = [
    [(run) => run.states.at(-1).state = sha256("x"), /the states it records and those stated differ from step 64 on/],
    [(run) => run.states.splice(1, 1), /differ from step/],
    [(run) => run.outcome = "diverged", /records no divergence, and one is stated/],
  ];
  for (const [change, reason] of cases) {
    const envelope = await resigned(bundle.artefacts, (s) => change(s.predicate.runs[0]));
    expect(await verify({ envelope }), "journals", "failed", reason);
  }
  // A chain that was recomputed over a state more than is due.
  const name = `${folder}/journal.jsonl`;
  const extra = journalText(plainRun, Infinity, (r) => r, [7]);
  const artefacts = replaced(name, extra.text);
  const envelope = await resigned(artefacts, (s) => {
    const run = s.predicate.runs[1];
    run.journal.root = extra.root;
    run.states.splice(1, 0, { step: 7, state: extra.states.find(({ step }) => step === 7)?.state });
    run.states.sort((a: { step: number }, b: { step: number }) => a.step - b.step);
  });
  expect(await verify({ envelope, artefacts }), "journals", "failed", /records a state at step 7, where none is due/);
});

Deno.test("verifyManifest() fails a Merkle tree that journal and checkpoints do not give", async () => {
  // deno-lint-ignore no-explicit-any -- a forger is bound by no type
  const cases: [StepName, (run: any, other: any) => void, RegExp][] = [
    ["journals", (run) => run.merkleTree.rootHash = sha256("x"), /its Merkle tree has the root .*, and .* is stated/],
    ["journals", (run, other) => run.merkleTree.rootHash = other.merkleTree.rootHash, /its Merkle tree has the root/],
    ["consistency", (run) => run.merkleTree.treeSize++, /has a Merkle tree of 22 leaves, .* make 21$/],
    ["schema", (run) => run.merkleTree.treeSize = 0, /treeSize/],
    ["schema", (run) => delete run.merkleTree, /merkleTree/],
    ["schema", (run) => run.merkleTree.leaves = [], /merkleTree: Unrecognized key/],
  ];
  for (const [name, change, reason] of cases) {
    const forged = loose(bundle.statement);
    const [, run, , other] = forged.predicate.runs;
    change(run, other);
    expect(await verify({ envelope: await forge(forged, attacker) }), name, "failed", reason);
  }
});

Deno.test("verifyManifest() fails checkpoints that were exchanged under the Merkle tree, though they are not there", async () => {
  const forged = loose(bundle.statement);
  const [run] = forged.predicate.runs;
  const [first, second] = run.states.filter(({ checkpoint }: { checkpoint?: unknown }) => checkpoint !== undefined);
  const digest = sha256("another state");
  first.checkpoint.sha256 = digest;
  forged.subject.find(({ name }: { name: string }) => name === first.checkpoint.name).digest.sha256 = digest;
  const artefacts = new Map([...bundle.artefacts].filter(([name]) => !name.includes("checkpoints/")));
  const options = { withoutCheckpoints: true };
  const changed = await verify({ envelope: await forge(forged, attacker), artefacts, options });
  expect(changed, "journals", "failed", /its Merkle tree has the root/);

  const swapped = loose(bundle.statement);
  const [swappedRun] = swapped.predicate.runs;
  const states = swappedRun.states.filter(({ checkpoint }: { checkpoint?: unknown }) => checkpoint !== undefined);
  [states[0].checkpoint, states[1].checkpoint] = [second.checkpoint, states[0].checkpoint];
  const order = await verify({ envelope: await forge(swapped, attacker), artefacts, options });
  expect(order, "journals", "failed", /its Merkle tree has the root/);
});
