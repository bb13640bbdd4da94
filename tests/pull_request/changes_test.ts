import assert from "node:assert/strict";
import { affectedManifests, parseChanges } from "../../src/pull_request/changes.ts";

const M = "manifest.dsse.json";

/** What is found among changes, written as Git's letter and name, in a tree of these files. */
async function found(changes: readonly string[], head: readonly string[], base: readonly string[] = [], folder = "") {
  const parsed = parseChanges(changes.map((change) => `${change[0]}\0${change.slice(2)}\0`).join(""));
  const affected = await affectedManifests(
    parsed,
    folder,
    (side, path) => Promise.resolve((side === "head" ? head : base).includes(path)),
  );
  return affected.map(({ path, isRemoved }) => `${isRemoved ? "-" : "+"} ${path}`);
}

Deno.test("parseChanges() takes names as they are, line feeds and all", () => {
  assert.deepEqual(parseChanges("A\0a\n::error::b\0D\0 c \0"), [
    { path: "a\n::error::b", isDeleted: false },
    { path: " c ", isDeleted: true },
  ]);
  assert.deepEqual(parseChanges(""), []);
});

for (const text of ["A\0a", "A\0", "A a\n", "R100\0a\0b\0", "A\0\0", "\0a\0"]) {
  Deno.test(`parseChanges() refuses ${JSON.stringify(text)}`, () => {
    assert.throws(() => parseChanges(text), { code: "UNREADABLE_FILE", message: /git diff --name-status/ });
  });
}

Deno.test("affectedManifests() finds a manifest by any file below its folder, once", async () => {
  const tree = [`out/a/${M}`, `out/b/${M}`, M];
  assert.deepEqual(await found([`A out/a/${M}`, "M out/a/runs/x/journal", "M other.txt"], tree), [
    `+ ${M}`,
    `+ out/a/${M}`,
  ]);
  assert.deepEqual(await found(["D out/b/runs/x/journal"], tree.slice(0, 2)), [`+ out/b/${M}`]);
  assert.deepEqual(await found(["M README.md", "M src/x.ts"], tree.slice(0, 2)), []);
});

Deno.test("affectedManifests() takes every archive for a bundle, and says what is removed", async () => {
  assert.deepEqual(await found(["A x/new.tar", "D old.tar", "M x/tar"], []), ["- old.tar", "+ x/new.tar"]);
  assert.deepEqual(await found([`D a/${M}`, "D a/plan.json"], [], [`a/${M}`]), [`- a/${M}`]);
});

Deno.test("affectedManifests() stays in the folder that is named, by whole names", async () => {
  const tree = [`evidence/${M}`, `evidence2/${M}`, M];
  const changes = [`A evidence/${M}`, `A evidence2/${M}`, "A x.tar", `M ${M}`];
  assert.deepEqual(await found(changes, tree, [], "evidence"), [`+ evidence/${M}`]);
});
