import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type Digest, sha256 } from "../../src/digest/sha256.ts";
import type { RunKey } from "../../src/experiment/run/run.ts";
import { type CommittedRun, leafCount, leafIndex, readLeaves, readTree } from "../../src/manifest/format/run_tree.ts";
import { InclusionProver } from "../../src/digest/merkle.ts";
import { isTrained } from "../../src/manifest/format/run.ts";
import { makeBundle, memoryArtefacts } from "./fixture.ts";

const page = Deno.readTextFileSync(new URL("../../docs/manifest.md", import.meta.url));
const [, journal = ""] = /```jsonl\n([^`]*)```/.exec(page) ?? [];
const [, table = ""] = /```merkle\n([^`]*)```/.exec(page) ?? [];
/** Hashes by what the page calls them: `leaf 0`, `node 0..1`, `root`. */
const stated = new Map([...table.matchAll(/^(\S+(?: \S+)?) +([0-9a-f]{64})/gm)].map(([, name, hash]) => [name, hash]));

const CHECKPOINT = { name: "runs/example/checkpoints/step-000002.safetensors", sha256: sha256("checkpoint 2") };
/** The run of the page's example: two steps, two states, two evaluations, a divergence, a checkpoint. */
const example: CommittedRun = {
  key: sha256("an example run") as string as RunKey,
  specification: {
    evaluation: { interval: 2, denseInterval: 2, denseUntilStep: 0, landmarks: [] as readonly number[] },
  } as CommittedRun["specification"],
  outcome: "diverged",
  journal: {
    name: "runs/example/journal.jsonl",
    sha256: sha256(journal),
    format: "rewarm journal v2",
    root: "" as Digest,
    steps: 2,
  },
  states: [{ step: 0, state: sha256("state 0") }, { step: 2, state: sha256("state 2"), checkpoint: CHECKPOINT }],
};
const artefacts = memoryArtefacts(new Map([[example.journal.name, new TextEncoder().encode(journal)]]));

function hash(...parts: (Uint8Array | string)[]): string {
  return parts.reduce((hasher, part) => hasher.update(part), createHash("sha256")).digest("hex");
}

Deno.test("docs/manifest.md states the leaves, nodes and root of its example, computed here by its own words", () => {
  const bytes = (hex: string | undefined) => Uint8Array.fromHex(hex ?? "");
  const lines = journal.trimEnd().split("\n");
  const leaves = lines.map((line) => hash("\0rewarm journal line v1\nruns/example/journal.jsonl\n", line));
  leaves.push(hash(`\0rewarm checkpoint digest v1\n${CHECKPOINT.name}\n`, CHECKPOINT.sha256));
  assert.equal(leaves.length, 9);
  const node = (left: string | undefined, right: string | undefined) => hash("\x01", bytes(left), bytes(right));
  const [first, second] = [node(leaves[0], leaves[1]), node(leaves[2], leaves[3])];
  const [third, fourth] = [node(leaves[4], leaves[5]), node(leaves[6], leaves[7])];
  const [left, right] = [node(first, second), node(third, fourth)];
  const wholeJournal = node(left, right);
  assert.deepEqual([...stated], [
    ...leaves.map((leaf, index) => [`leaf ${index}`, leaf]),
    ["node 0..1", first],
    ["node 2..3", second],
    ["node 0..3", left],
    ["node 4..5", third],
    ["node 6..7", fourth],
    ["node 4..7", right],
    ["node 0..7", wholeJournal],
    ["root", node(wholeJournal, leaves[8])],
  ]);
});

Deno.test("readTree() gives the root that docs/manifest.md states, without any checkpoint", async () => {
  const { reading, tree } = await readTree(example, artefacts);
  assert.equal(reading.problem, undefined);
  assert.deepEqual(tree, { treeSize: 9, rootHash: stated.get("root") });
  assert.equal(leafCount(example), 9);
});

Deno.test("leafIndex() and the prover give the path that docs/manifest.md names for step 1", async () => {
  const index = leafIndex(example, { kind: "step", step: 1 }) ?? NaN;
  const prover = new InclusionProver(index, leafCount(example));
  await readLeaves(example, artefacts, (leaf) => prover.append(leaf));
  assert.equal(index, 4);
  assert.deepEqual(prover.path(), ["leaf 5", "node 6..7", "node 0..3", "leaf 8"].map((name) => stated.get(name)));
});

Deno.test("readTree() gives another root where a name, a line, a checkpoint or their order is another", async () => {
  const { statement, artefacts: files } = await makeBundle();
  const run = statement.predicate.runs.find(isTrained);
  if (run === undefined) throw new Error("No run was trained");
  const checkpoints = run.states.flatMap(({ checkpoint }) => checkpoint ?? []);
  const states = (change: (index: number) => number, name = (name: string) => name) => {
    let next = 0;
    return run.states.map((state) => {
      if (state.checkpoint === undefined) return state;
      const checkpoint = checkpoints[change(next++)] ?? state.checkpoint;
      return { ...state, checkpoint: { ...checkpoint, name: name(checkpoint.name) } };
    });
  };
  const moved = `${run.journal.name}.moved`;
  const text = new TextDecoder().decode(files.get(run.journal.name));
  const others: CommittedRun[] = [
    { ...run, journal: { ...run.journal, name: moved } },
    { ...run, states: states((index) => index, (name) => `${name}.moved`) },
    { ...run, states: states((index) => checkpoints.length - 1 - index) },
    { ...run, states: run.states.map(({ step, state }) => ({ step, state })) },
  ];
  const all = new Map([...files, [moved, new TextEncoder().encode(text)]]);
  const roots = [await readTree(run, memoryArtefacts(all))];
  for (const other of others) roots.push(await readTree(other, memoryArtefacts(all)));
  assert.deepEqual(roots.map(({ reading }) => reading.problem), roots.map(() => undefined));
  assert.deepEqual(roots[0]?.tree, run.merkleTree);
  assert.equal(new Set(roots.map(({ tree }) => tree.rootHash)).size, others.length + 1);
});
