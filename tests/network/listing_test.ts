import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { sha256 } from "../../src/digest/sha256.ts";
import { listFiles, resolveCommit } from "../../src/hub/listing.ts";
import { userError } from "../data/user_error.ts";
import { bytesOf, COMMIT, type Misbehaviour, REPOSITORY, StandInHub, TOKEN } from "./stand_in_hub.ts";

const FILES = {
  "train/chunk2.jsonl.zst": bytesOf(300, 2),
  "README.md": new TextEncoder().encode("read me\n"),
  "train/chunk10.jsonl.zst": bytesOf(300, 3),
  "train/chunk1.jsonl.zst": bytesOf(300, 1),
  "validation/chunk1.jsonl.zst": bytesOf(200, 4),
};

Deno.test("listFiles() follows all pages and gives sizes and digests by path", async () => {
  await using hub = new StandInHub(FILES);
  const files = await listFiles(hub.connect(), REPOSITORY);
  assert.deepEqual(files.map(({ path, bytes, sha256 }) => [path, bytes, sha256]), [
    ["README.md", 8, undefined],
    ["train/chunk1.jsonl.zst", 300, sha256(bytesOf(300, 1))],
    ["train/chunk10.jsonl.zst", 300, sha256(bytesOf(300, 3))],
    ["train/chunk2.jsonl.zst", 300, sha256(bytesOf(300, 2))],
    ["validation/chunk1.jsonl.zst", 200, sha256(bytesOf(200, 4))],
  ]);
  assert.equal(hub.seen.length, 3);
  assert(hub.seen.every(({ authorization }) => authorization === `Bearer ${TOKEN}`));
});

Deno.test("resolveCommit() names the commit behind a branch", async () => {
  await using hub = new StandInHub(FILES);
  assert.equal(await resolveCommit(hub.connect(), { ...REPOSITORY, revision: "main" }), COMMIT);
  assert.equal(hub.seen[0]?.path, "/api/datasets/someone/some-data/revision/main");
});

Deno.test("listFiles() gets over answers that are cut off or not JSON", async () => {
  const good = JSON.stringify([]);
  const passing: (() => Response)[] = [
    () => new Response(gzipSync(good).subarray(0, 9), { headers: { "content-encoding": "gzip" } }),
    () => new Response('[{"type":'),
    () => new Response("<html>busy</html>", { status: 503 }),
  ];
  for (const answer of passing) {
    await using hub = new StandInHub(FILES);
    let left = 2;
    hub.misbehaveHub = () => left-- > 0 ? answer() : undefined;
    assert.equal((await listFiles(hub.connect(), REPOSITORY)).length, 5);
  }
});

Deno.test("listFiles() refuses a list that cannot be true", async () => {
  const entry = { type: "file", path: "a", size: 1, oid: "0".repeat(40) };
  const cases: [unknown, string][] = [
    [{ error: "no" }, "another form"],
    [[{ ...entry, size: -1 }], "0.size"],
    [[{ ...entry, oid: "../../x" }], "0.oid"],
    [[{ ...entry, path: "../../etc/passwd" }], 'has a part ".."'],
    [[entry, entry], "listed twice"],
  ];
  for (const [body, part] of cases) {
    await using hub = new StandInHub(FILES);
    hub.misbehaveHub = () => Response.json(body);
    await assert.rejects(listFiles(hub.connect(), REPOSITORY), userError("HUB_UNEXPECTED_ANSWER", part));
  }
});

for (
  const [what, host] of [
    ["the hub behind it", "https://huggingface.co"],
    ["itself by another scheme and port", "https://127.0.0.1:1"],
    ["a host with a password", "https://someone:secret@example.org"],
    ["nothing but a path", ""],
  ] as const
) {
  Deno.test(`listFiles() asks a mirror for all pages where it names ${what}, and says so once`, async () => {
    await using hub = new StandInHub(FILES);
    hub.pageHost = host;
    const notices: string[] = [];
    const files = await listFiles(hub.connect({ onNotice: (notice) => notices.push(notice) }), REPOSITORY);
    assert.deepEqual(files.map(({ path }) => path), Object.keys(FILES).sort());
    assert.equal(hub.seen.length, 3);
    const origin = host === "" ? undefined : new URL(host).origin;
    const expected = `${hub.address} names pages of ${origin} as its own: they are asked of ${hub.address} instead`;
    assert.deepEqual(notices, origin === undefined ? [] : [expected]);
  });
}

Deno.test("listFiles() says nothing of pages that a hub names on itself, in full or in short", async () => {
  await using hub = new StandInHub(FILES);
  const notices: string[] = [];
  await listFiles(hub.connect({ onNotice: (notice) => notices.push(notice) }), REPOSITORY);
  assert.equal(hub.seen.length, 3);
  assert.deepEqual(notices, []);
});

Deno.test("listFiles() refuses pages without an end", async () => {
  for (const next of ["?recursive=1", "https://example.org/api/datasets/someone/some-data/tree/main"]) {
    await using hub = new StandInHub(FILES);
    const answer: Misbehaviour = () => Response.json([], { headers: { link: `<${next}>; rel="next"` } });
    hub.misbehaveHub = answer;
    await assert.rejects(listFiles(hub.connect(), REPOSITORY), userError("HUB_UNEXPECTED_ANSWER", "no end"));
    assert(hub.seen.length <= 2);
  }
});
