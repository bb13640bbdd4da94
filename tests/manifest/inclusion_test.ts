import assert from "node:assert/strict";
import fc from "fast-check";
import { InclusionProver, MerkleTree } from "../../src/digest/merkle.ts";
import { sha256 } from "../../src/digest/sha256.ts";
import {
  type Inclusion,
  type InclusionProof,
  proveInclusion,
  verifyInclusion,
} from "../../src/manifest/verify/inclusion.ts";
import { generateSigningKey } from "../../src/manifest/keys/keys.ts";
import { isTrained } from "../../src/manifest/format/run.ts";
import {
  checkpointLeaf,
  journalLeaf,
  leafCount,
  leafIndex,
  PART_KINDS,
  type RunPart,
} from "../../src/manifest/format/run_tree.ts";
import { forge, loose, makeBundle, memoryArtefacts, treeOf } from "./fixture.ts";
import { MAX_LONG_LINE_BYTES } from "../../src/train/journal/journal_record.ts";

const bundle = await makeBundle();
const manifest = new TextEncoder().encode(bundle.envelope);
const attacker = await generateSigningKey();
const trustedKeys = [{ name: "the maker", key: bundle.key }];
const runs = bundle.statement.predicate.runs.filter(isTrained);
const [parent] = runs;
const diverged = runs.find(({ outcome }) => outcome === "diverged");
if (parent === undefined || diverged === undefined) throw new Error("The bundle has too few runs");
const journal = (name: string) => new TextDecoder().decode(bundle.artefacts.get(name)).trimEnd().split("\n");

const prove = (run: string, part: RunPart) =>
  proveInclusion(manifest, memoryArtefacts(bundle.artefacts), { run, ...part });
const check = (proof: unknown) => verifyInclusion(manifest, proof, { trustedKeys });

function expectRefused(outcome: Inclusion, reason: RegExp): void {
  assert.equal(outcome.included, false);
  assert.match(outcome.included ? "" : outcome.reason, reason);
}

Deno.test("leafIndex() gives every leaf but the header's one place: the journal's lines, then the checkpoints", () => {
  for (const run of runs) {
    const lines = journal(run.journal.name);
    const places = new Map<number, RunPart>();
    for (let step = 0; step <= run.journal.steps; step++) {
      for (const kind of PART_KINDS) {
        const index = leafIndex(run, { kind, step });
        if (index === undefined) continue;
        assert(!places.has(index));
        places.set(index, { kind, step });
        const record = JSON.parse(lines[index] ?? "{}");
        if (kind === "checkpoint") assert(index >= lines.length);
        else {
          const member = kind === "step" ? "gradientNorm" : kind === "evaluation" ? "upstream" : kind;
          assert.deepEqual([record.step, Object.hasOwn(record, member)], [step, true]);
        }
      }
    }
    assert.equal(places.size, leafCount(run) - 1);
    assert.equal(Math.max(...places.keys()), leafCount(run) - 1);
    for (const step of [-1, 0.5, NaN, run.journal.steps + 1]) {
      for (const kind of PART_KINDS) assert.equal(leafIndex(run, { kind, step }), undefined);
    }
  }
});

Deno.test("verifyInclusion() accepts the proof of every part of every run, and says what it shows", async () => {
  for (const run of runs) {
    for (let step = 0; step <= run.journal.steps; step++) {
      for (const kind of PART_KINDS) {
        if (leafIndex(run, { kind, step }) === undefined) continue;
        const proof = await prove(step % 2 === 0 ? run.label : run.key, { kind, step });
        const outcome = await check(JSON.parse(JSON.stringify(proof)));
        assert(outcome.included, outcome.included ? "" : outcome.reason);
        const { part } = outcome;
        assert.deepEqual([outcome.run.label, part.kind, part.step], [run.label, kind, step]);
        assert.deepEqual(outcome.signers, [{ keyId: bundle.key.keyId, trustedAs: "the maker" }]);
        if (part.kind === "checkpoint") assert.equal(part.sha256, sha256(bundle.artefacts.get(part.name) ?? ""));
        else assert(journal(run.journal.name).includes(proof.leaf));
      }
    }
  }
});

Deno.test("verifyInclusion() shows a divergence and needs no checkpoint to be there", async () => {
  const artefacts = memoryArtefacts(new Map([...bundle.artefacts].filter(([name]) => !name.includes("checkpoints/"))));
  const step = diverged.journal.steps;
  const proof = await proveInclusion(manifest, artefacts, { run: diverged.label, kind: "divergence", step });
  const outcome = await check(proof);
  assert(outcome.included && outcome.part.kind === "divergence");
  assert.equal(outcome.part.value, "7fc00000");
  const checkpoint = await proveInclusion(manifest, artefacts, { run: parent.label, kind: "checkpoint", step: 32 });
  assert.equal((await check(checkpoint)).included, true);
});

Deno.test("verifyInclusion() refuses a proof in which anything was changed", async () => {
  const step = await prove(parent.label, { kind: "step", step: 5 });
  const checkpoint = await prove(parent.label, { kind: "checkpoint", step: 32 });
  const state = await prove(parent.label, { kind: "state", step: 32 });
  const other = await prove(parent.label, { kind: "step", step: 6 });
  const cases: [object, RegExp][] = [
    [{ ...step, leaf: other.leaf }, /the path leads to root .*, and the manifest commits to/],
    [{ ...step, leaf: step.leaf.replace('"loss":"40', '"loss":"41') }, /the path leads to root/],
    [{ ...step, leaf: `${step.leaf} ` }, /the path leads to root/],
    [{ ...step, leaf: "" }, /the path leads to root/],
    [{ ...step, step: 6 }, /the path leads to root/],
    [{ ...other, leaf: step.leaf, step: 6 }, /the path leads to root/],
    [{ ...step, path: step.path.toReversed() }, /the path leads to root/],
    [{ ...step, path: step.path.slice(1) }, /leaf 10 of 85 has no path of 6 hashes/],
    [{ ...step, path: [...step.path, sha256("x")] }, /has no path of 8 hashes/],
    [{ ...step, kind: "state" }, /has no state at step 5/],
    [{ ...step, step: 64 }, /has no step at step 64/],
    [{ ...step, kind: "evaluation" }, /has no evaluation at step 5/],
    [{ ...step, kind: "divergence", step: 64 }, /has no divergence at step 64/],
    [{ ...checkpoint, kind: "state", step: 32 }, /the path leads to root|has no path/],
    [{ ...state, kind: "checkpoint", step: 32 }, /the path leads to root|has no path/],
    [{ ...checkpoint, leaf: sha256("x") }, /the path leads to root/],
    [{ ...step, run: runs[1]?.key }, /the path leads to root|has no path/],
    [{ ...step, run: sha256("x") }, /has no trained run/],
    [{ ...step, format: "rewarm inclusion proof v2" }, /another form: format/],
    [{ ...step, extra: 1 }, /another form: Unrecognized key/],
    [{ ...step, path: ["zz"] }, /another form: path\[0\]/],
    [{ ...step, path: Array(65).fill(sha256("x")) }, /another form: path/],
    [{ ...step, leaf: "x".repeat(MAX_LONG_LINE_BYTES + 1) }, /another form: leaf/],
    [{ ...step, step: -1 }, /another form: step/],
    [[], /another form/],
  ];
  for (const [proof, reason] of cases) expectRefused(await check(proof), reason);
  for (const nothing of [undefined, null, "", 1, () => step]) expectRefused(await check(nothing), /another form/);
});

Deno.test("verifyInclusion() never accepts what the journal does not say, whatever is done to a proof", async () => {
  const proofs = await Promise.all([5, 6, 31].map((step) => prove(parent.label, { kind: "step", step })));
  const member = fc.constantFrom(...proofs);
  const mixed = fc.record({
    places: member,
    leaves: fc.oneof(member.map(({ leaf }) => leaf), fc.string({ maxLength: 80 })),
    paths: fc.oneof(
      member.map(({ path }) => path),
      fc.array(fc.constantFrom(...proofs.flatMap(({ path }) => path)), { maxLength: 9 }),
    ),
    kinds: fc.constantFrom(...PART_KINDS),
    steps: fc.oneof(fc.constantFrom(5, 6, 31), fc.nat(70)),
  });
  await fc.assert(
    fc.asyncProperty(mixed, async ({ places, leaves, paths, kinds, steps }) => {
      const proof: InclusionProof = { ...places, kind: kinds, step: steps, leaf: leaves, path: paths };
      const outcome = await check(proof);
      const isGenuine = proofs.some((genuine) => JSON.stringify(genuine) === JSON.stringify(proof));
      assert.equal(outcome.included, isGenuine);
    }),
    { numRuns: 200 },
  );
});

Deno.test("verifyInclusion() refuses a manifest that is not good, or that no trusted key signed", async () => {
  const proof = await prove(parent.label, { kind: "step", step: 5 });
  const { statement } = bundle;
  const foreign = await forge(statement, attacker);
  expectRefused(await verifyInclusion(foreign, proof, { trustedKeys }), /signer: signed by another key/);
  const outcome = await verifyInclusion(foreign, proof);
  assert(outcome.included);
  assert.deepEqual(outcome.signers, [{ keyId: attacker.keyId }]);
  expectRefused(await verifyInclusion(new Uint8Array(), proof), /envelope/);
  const bare = JSON.parse(bundle.envelope);
  delete bare.signatures[0].publicKey;
  const bareBytes = new TextEncoder().encode(JSON.stringify(bare));
  expectRefused(await verifyInclusion(bareBytes, proof), /signature: /);
  assert.equal((await verifyInclusion(bareBytes, proof, { trustedKeys })).included, true);
  const grown = loose(statement);
  grown.predicate.runs[0].merkleTree.treeSize = 128;
  expectRefused(
    await verifyInclusion(await forge(grown, attacker), proof),
    /consistency: .* Merkle tree of 128 leaves/,
  );
});

Deno.test("verifyInclusion() refuses a leaf that is no record, though a signer put it into the tree", async () => {
  const name = parent.journal.name;
  const lines = journal(name);
  const index = leafIndex(parent, { kind: "step", step: 5 }) ?? NaN;
  const swapped = lines.with(index, lines[index + 1] ?? "").with(index + 1, lines[index] ?? "");
  const checkpoints = parent.states.flatMap(({ checkpoint }) => checkpoint ?? []);
  for (
    const [line, reason] of [["nonsense", /"nonsense" is no record: it is not JSON/], [
      undefined,
      /the record is a step at step 6/,
    ]] as const
  ) {
    const changed = line === undefined ? swapped : lines.with(index, line);
    const leaves = [...changed.map((text) => journalLeaf({ name }, text)), ...checkpoints.map(checkpointLeaf)];
    const forged = loose(bundle.statement);
    const tree = leaves.reduce((tree, leaf) => tree.append(leaf), new MerkleTree());
    forged.predicate.runs[0].merkleTree = { treeSize: tree.size, rootHash: tree.root() };
    const path = leaves.reduce((prover, leaf) => prover.append(leaf), new InclusionProver(index, leaves.length)).path();
    const proof = { ...await prove(parent.label, { kind: "step", step: 5 }), leaf: changed[index], path };
    expectRefused(await verifyInclusion(await forge(forged, attacker), proof), reason);
  }
});

Deno.test("proveInclusion() proves nothing of a run, part, journal or manifest that is not there or not good", async () => {
  const artefacts = memoryArtefacts(bundle.artefacts);
  await assert.rejects(prove("upstream_pretrain_seed-1", { kind: "step", step: 5 }), /No trained run .*did you mean/);
  await assert.rejects(prove(parent.label, { kind: "step", step: 64 }), /of 64 steps has no step at step 64/);
  await assert.rejects(prove(parent.label, { kind: "checkpoint", step: 0 }), /has no checkpoint at step 0/);
  const part = { run: parent.label, kind: "step", step: 5 } as const;
  await assert.rejects(proveInclusion(manifest.slice(1), artefacts, part), /the manifest does not verify: envelope/);
  const lines = journal(parent.journal.name);
  for (const changed of [lines.slice(0, -1), [...lines.slice(0, 9), "{}", ...lines.slice(10)], []]) {
    const text = changed.map((line) => `${line}\n`).join("");
    const others = new Map([...bundle.artefacts, [parent.journal.name, new TextEncoder().encode(text)]]);
    await assert.rejects(
      proveInclusion(manifest, memoryArtefacts(others), part),
      /journal\.jsonl" is not the journal that the manifest commits to/,
    );
  }
  // States that the journal does not record make another number of leaves than the journal has lines.
  const forged = loose(bundle.statement);
  const [run] = forged.predicate.runs;
  run.states.splice(1, 0, { step: 1, state: sha256("x") });
  run.merkleTree = await treeOf(run, bundle.artefacts);
  await assert.rejects(
    proveInclusion(await forge(forged, attacker), artefacts, { ...part, step: 63 }),
    /is not the journal that the manifest commits to/,
  );
});
