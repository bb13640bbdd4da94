/** Downloads from a hub that misbehaves on purpose. Each test expects the right bytes, or an error that says why not. */
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { sha256 } from "../../src/digest/sha256.ts";
import { HubCache } from "../../src/hub/cache.ts";
import { HubConnection } from "../../src/hub/connection.ts";
import { download, type DownloadOptions, type DownloadProgress } from "../../src/hub/download.ts";
import type { PinnedFile } from "../../src/hub/listing.ts";
import { userError } from "../data/user_error.ts";
import { withFolder } from "../temporary_folder.ts";
import { broken, bytesOf, type Misbehaviour, partial, rangeOf, REPOSITORY, StandInHub, TOKEN } from "./stand_in_hub.ts";

const PART = 1000;
const CONTENT = bytesOf(4500);
const OTHER = bytesOf(4500, 2);
const PINNED: PinnedFile = { path: "train/a file.bin", bytes: CONTENT.length, sha256: sha256(CONTENT) };

interface Case {
  readonly hub: StandInHub;
  readonly cache: HubCache;
  readonly fetch: (options?: DownloadOptions) => Promise<Uint8Array>;
}

async function withHub(misbehave: Misbehaviour | undefined, use: (given: Case) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    await using hub = new StandInHub({ [PINNED.path]: CONTENT });
    if (misbehave !== undefined) hub.misbehave = misbehave;
    const cache = new HubCache(`${folder}/hub`);
    await use({
      hub,
      cache,
      fetch: async (options) => {
        const [file] = await download(hub.connect(), REPOSITORY, [PINNED], {
          cache,
          partBytes: PART,
          freeBytes: 1e12,
          ...options,
        });
        assert(file !== undefined);
        assert.equal(file.local, cache.pathOf(PINNED.sha256));
        return await Deno.readFile(file.local);
      },
    });
  });
}

/** Misbehaves the first time only, on a part of the file. */
function once(part: number, answer: Misbehaviour): Misbehaviour {
  let left = 1;
  return (seen, content) => rangeOf(seen, content)[0] === part * PART && left-- > 0 ? answer(seen, content) : undefined;
}

/** What lies in the cache besides locks. */
async function leftIn(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder)).catch(() => [])).map(({ name }) => name).sort();
}

Deno.test("download() fetches a file in ranges by GET alone, and asks for nothing the second time", () =>
  withHub(undefined, async ({ hub, cache, fetch }) => {
    const stages: DownloadProgress[] = [];
    assert.deepEqual(await fetch({ onProgress: (progress) => stages.push(progress) }), new Uint8Array(CONTENT));
    const ranges = hub.fetched.filter(({ host }) => host === "storage").map(({ range }) => range).sort();
    assert.deepEqual(ranges, [
      "bytes=0-999",
      "bytes=1000-1999",
      "bytes=2000-2999",
      "bytes=3000-3999",
      "bytes=4000-4499",
    ]);
    assert(hub.seen.every(({ method, encoding }) => method === "GET" && encoding === "identity"));
    assert.deepEqual(stages.at(-1), {
      doneBytes: 4500,
      totalBytes: 4500,
      doneFiles: 1,
      totalFiles: 1,
      path: PINNED.path,
      stage: "done",
    });
    assert.deepEqual(await leftIn(`${cache.folder}/partial`), []);
    const before = hub.seen.length;
    await fetch();
    assert.equal(hub.seen.length, before);
  }));

Deno.test("download() with verify hashes what is there, and fetches again what is damaged", () =>
  withHub(undefined, async ({ hub, cache, fetch }) => {
    await fetch();
    const path = cache.pathOf(PINNED.sha256);
    const before = hub.seen.length;
    await fetch({ verify: true });
    assert.equal(hub.seen.length, before);
    await Deno.chmod(path, 0o644);
    await Deno.writeFile(path, OTHER);
    await fetch();
    assert.equal(hub.seen.length, before, "its size is right");
    assert.deepEqual(await fetch({ verify: true }), new Uint8Array(CONTENT));
    assert(hub.seen.length > before);
  }));

Deno.test("download() sends the token to the hub and never to the host it redirects to", () =>
  withHub(undefined, async ({ hub, fetch }) => {
    await fetch();
    for (const { host, authorization } of hub.seen) {
      assert.equal(authorization, host === "hub" ? `Bearer ${TOKEN}` : null);
    }
    assert(hub.seen.some(({ host }) => host === "storage"));
  }));

Deno.test("download() asks the storage host directly once it knows the way, and the hub again when the link expires", () =>
  withHub(undefined, async ({ hub, fetch }) => {
    let served = 0;
    hub.misbehave = (seen) =>
      seen.host === "storage" && ++served === 3 ? new Response(null, { status: 403 }) : undefined;
    const connection = hub.connect({ connections: 1 });
    const cache = new HubCache(await Deno.makeTempDir());
    try {
      const files = await download(connection, REPOSITORY, [PINNED], { cache, partBytes: PART, freeBytes: 1e12 });
      assert.equal(files[0]?.sha256, PINNED.sha256);
      // Parts 1, 2, 3 (expired), 3 by the hub, 4, 5.
      assert.equal(hub.seen.filter(({ host }) => host === "hub").length, 2);
      assert.equal(hub.seen.filter(({ host }) => host === "storage").length, 6);
    } finally {
      await Deno.remove(cache.folder, { recursive: true });
    }
    await fetch();
  }));

const recovered: Record<string, Misbehaviour> = {
  "cuts off": once(1, (seen, content) => partial(seen, content, { body: broken(content.slice(1000, 1300)) })),
  "ends a part early": once(1, (seen, content) => partial(seen, content, { body: content.slice(1000, 1300) })),
  "sends more than the range": once(2, (seen, content) => partial(seen, content, { body: content.slice(2000, 3200) })),
  "names another range": once(
    2,
    (seen, content) => partial(seen, content, { headers: { "content-range": "bytes 0-999/4500" } }),
  ),
  "names no range": once(2, (seen, content) => partial(seen, content, { headers: { "content-range": "" } })),
  "answers 500": once(0, () => new Response("oh", { status: 500 })),
  "answers 503 and asks to wait": once(0, () => new Response(null, { status: 503, headers: { "retry-after": "0" } })),
  "compresses and cuts off": once(3, (seen, content) =>
    partial(seen, content, {
      body: gzipSync(content.slice(3000, 4000)).subarray(0, 40),
      headers: { "content-encoding": "gzip" },
    })),
  "changes the ETag between ranges": once(3, (seen, content) => partial(seen, content, { headers: { etag: '"new"' } })),
  "ignores ranges": (_, content) => new Response(content),
  "ignores ranges for one part": once(2, (_, content) => new Response(content)),
  "ignores ranges and cuts off": (() => {
    // Of the requests without a range alone: how many with one arrive before the first answer is a matter of chance.
    let times = 0;
    return (seen, content) =>
      new Response(seen.range === null && ++times < 3 ? broken(content.slice(0, 2500)) : content);
  })(),
};

for (const [what, misbehave] of Object.entries(recovered)) {
  Deno.test(`download() ends with the right bytes where the server ${what}`, () =>
    withHub(misbehave, async ({ cache, fetch }) => {
      assert.deepEqual(await fetch(), new Uint8Array(CONTENT));
      assert.deepEqual(await leftIn(`${cache.folder}/partial`), []);
    }));
}

Deno.test("download() gives up a silent connection and tries again", () =>
  withHub(undefined, async ({ hub, cache }) => {
    hub.misbehave = once(1, (seen, content) =>
      partial(seen, content, {
        body: new ReadableStream({ start: (controller) => controller.enqueue(content.slice(1000, 1100)) }),
      }));
    const options = { cache, partBytes: PART, freeBytes: 1e12 };
    const [file] = await download(hub.connect({ silence: 100 }), REPOSITORY, [PINNED], options);
    assert.equal(file?.sha256, PINNED.sha256);
    assert(hub.fetched.some(({ range }) => range === "bytes=1100-1999"), "goes on after the bytes that came");
  }));

Deno.test("download() holds all requests back while a 429 asks for it", () =>
  withHub(undefined, async ({ hub, fetch }) => {
    let limited = 0, early = 0;
    hub.misbehave = () => {
      if (limited === 0) {
        limited = Date.now();
        return new Response(null, { status: 429, headers: { "retry-after": "1" } });
      }
      // Requests that were on their way already may still come in the first moments.
      if (Date.now() - limited > 300 && Date.now() - limited < 950) early++;
      return undefined;
    };
    await fetch();
    assert.equal(early, 0);
  }));

Deno.test("download() does not wait for hours", () =>
  withHub(
    () => new Response(null, { status: 429, headers: { "retry-after": new Date(Date.now() + 7.2e6).toUTCString() } }),
    async ({ fetch }) => {
      await assert.rejects(fetch(), userError("RATE_LIMITED", "asks to wait 120 minutes", "HF_TOKEN"));
    },
  ));

Deno.test("download() stops at wrong bytes with both digests, and keeps none of them", () =>
  withHub((seen) => partial(seen, OTHER), async ({ cache, fetch }) => {
    await assert.rejects(fetch(), userError("DIGEST_MISMATCH", PINNED.path, PINNED.sha256, sha256(OTHER)));
    assert.deepEqual(await leftIn(`${cache.folder}/partial`), []);
    assert.deepEqual(await leftIn(`${cache.folder}/sha256`), []);
  }));

for (const size of [4600, 4400]) {
  Deno.test(`download() stops where a file of 4500 bytes has ${size}`, async () => {
    const resized = bytesOf(size);
    const expected = userError("SIZE_MISMATCH", `has ${size} bytes, but 4500 were announced`);
    await withHub((seen) => partial(seen, resized), ({ fetch }) => assert.rejects(fetch(), expected));
    await withHub(() => new Response(resized), ({ fetch }) => assert.rejects(fetch(), { code: "SIZE_MISMATCH" }));
  });
}

Deno.test("download() stops where a server that ignores ranges sends on and on", () =>
  withHub(
    () =>
      new Response(
        new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(1000)) }),
      ),
    ({ fetch }) => assert.rejects(fetch(), userError("SIZE_MISMATCH", "or more")),
  ));

Deno.test("download() says what is wrong with a server that never does better, without the link's secret", async () => {
  const hopeless: [Misbehaviour, ...string[]][] = [
    [() => new Response(null, { status: 502 }), "status 502"],
    [
      (seen, content) => partial(seen, content, { body: gzipSync(content), headers: { "content-encoding": "gzip" } }),
      '"gzip"',
    ],
    [(seen, content) => partial(seen, content, { headers: { "content-range": "bytes 7-9/4500" } }), "bytes 7-9/4500"],
    [(seen, content) => partial(seen, content, { body: "" }), "stopped after"],
  ];
  for (const [misbehave, ...parts] of hopeless) {
    await withHub(misbehave, async ({ hub, fetch }) => {
      const error = await fetch().then(() => undefined, (error) => error);
      userError("HUB_UNREACHABLE", ...parts, hub.storageAddress, "finished work is kept")(error);
      assert(!error.message.includes("secret") && !error.message.includes(TOKEN));
    });
  }
});

Deno.test("download() goes on where it was interrupted", () =>
  withHub(undefined, async ({ hub, cache, fetch }) => {
    const stop = new AbortController();
    let served = 0;
    hub.misbehave = async () => {
      if (++served <= 3) return undefined;
      stop.abort();
      await new Promise((resolve) => setTimeout(resolve, 50));
      return new Response(null, { status: 500 });
    };
    const options = { cache, partBytes: PART, freeBytes: 1e12, signal: stop.signal };
    await assert.rejects(download(hub.connect({ connections: 1 }), REPOSITORY, [PINNED], options), {
      name: "AbortError",
    });
    assert.equal((await leftIn(`${cache.folder}/partial`)).length, 2);
    hub.misbehave = () => undefined;
    const before = hub.fetched.length;
    const received: number[] = [];
    assert.deepEqual(await fetch({ onProgress: ({ doneBytes }) => received.push(doneBytes) }), new Uint8Array(CONTENT));
    assert.equal(received[0], 3000, "what came before counts");
    const again = hub.fetched.slice(before).filter(({ host }) => host === "storage").map(({ range }) => range).sort();
    assert.deepEqual(again, ["bytes=3000-3999", "bytes=4000-4499"]);
  }));

Deno.test("download() refuses redirect loops and redirects off https", async () => {
  await withHub(undefined, async ({ hub, fetch }) => {
    hub.misbehaveHub = ({ path }) => new Response(null, { status: 302, headers: { location: encodeURI(path) } });
    await assert.rejects(fetch({ partBytes: 5000 }), userError("TOO_MANY_REDIRECTS", hub.address));
    assert.equal(hub.seen.length, 6);
  });
  for (const location of ["http://example.org/a", "file:///etc/passwd", "http://user:pass@localhost/"]) {
    await withHub(undefined, async ({ hub, fetch }) => {
      hub.misbehaveHub = () => new Response(null, { status: 307, headers: { location } });
      await assert.rejects(fetch({ partBytes: 5000 }), { code: "INSECURE_ADDRESS" });
      assert.equal(hub.seen.length, 1);
    });
  }
});

Deno.test("download() names what a person can do about a refusal", async () => {
  const cases: [number, string, string, string][] = [
    [401, "HUB_ACCESS_DENIED", "another token", "set HF_TOKEN"],
    [403, "HUB_ACCESS_DENIED", "another token", "set HF_TOKEN"],
    [404, "HUB_NOT_FOUND", "check the name", "check the name"],
  ];
  for (const [status, code, withToken, without] of cases) {
    await withHub(undefined, async ({ hub, cache, fetch }) => {
      hub.misbehaveHub = () => new Response("token: nonsense", { status });
      await assert.rejects(fetch(), userError(code, withToken, `status ${status}`));
      const anonymous = new HubConnection({ endpoint: hub.address });
      await assert.rejects(
        download(anonymous, REPOSITORY, [PINNED], { cache, freeBytes: 1e12 }),
        userError(code, without),
      );
    });
  }
});

Deno.test("download() checks the disk before it fetches anything", () =>
  withHub(undefined, async ({ hub, fetch }) => {
    await assert.rejects(fetch({ freeBytes: 1000 }), userError("NO_SPACE", "0.00 GB free"));
    assert.equal(hub.seen.length, 0);
  }));

Deno.test("download() checks a file without SHA-256 by Git's digest", () =>
  withFolder(async (folder) => {
    const note = new TextEncoder().encode("what this is\n");
    await using hub = new StandInHub({ "README.md": note });
    const cache = new HubCache(folder);
    // printf 'what this is\n' | git hash-object --stdin
    const file = { path: "README.md", bytes: 13, gitBlob: "cca1ae3a5f29eff64ae20a703eca858e1fcae502" };
    const [got] = await download(hub.connect(), REPOSITORY, [file], { cache, freeBytes: 1e12 });
    assert.equal(got?.sha256, sha256(note));
    assert.equal(got.local, cache.pathOf(sha256(note)));
    const wrong = { ...file, gitBlob: "cca1ae3a5f29eff64ae20a703eca858e1fcae503" };
    await assert.rejects(
      download(hub.connect(), REPOSITORY, [wrong], { cache, freeBytes: 1e12 }),
      userError("DIGEST_MISMATCH", "Git digest", file.gitBlob, wrong.gitBlob),
    );
  }));

Deno.test("download() twice at the same time fetches once", () =>
  withHub(undefined, async ({ hub, fetch }) => {
    const stages: string[] = [];
    hub.misbehave = async () => {
      await new Promise((resolve) => setTimeout(resolve, 150));
      return undefined;
    };
    const [a, b] = await Promise.all([
      fetch({ onProgress: ({ stage }) => stages.push(stage) }),
      fetch({ onProgress: ({ stage }) => stages.push(stage) }),
    ]);
    assert.deepEqual(a, b);
    assert.equal(hub.fetched.filter(({ host }) => host === "storage").length, 5);
    assert.equal(stages.filter((stage) => stage === "done").length, 2);
  }));
