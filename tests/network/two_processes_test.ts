import assert from "node:assert/strict";
import { sha256 } from "../../src/digest/sha256.ts";
import { HubCache } from "../../src/hub/cache.ts";
import { download } from "../../src/hub/download.ts";
import { withFolder } from "../temporary_folder.ts";
import { bytesOf, REPOSITORY, StandInHub } from "./stand_in_hub.ts";

const CONTENT = bytesOf(10_000);
const PINNED = { path: "train/data.bin", bytes: CONTENT.length, sha256: sha256(CONTENT) };
const PART = 1000;

/** Another process that downloads the file into a cache. */
function downloader(hub: StandInHub, folder: string): Deno.ChildProcess {
  const from = (path: string) => JSON.stringify(new URL(`../../src/hub/${path}`, import.meta.url).href);
  const code = `import { HubCache } from ${from("cache.ts")};
    import { HubConnection } from ${from("connection.ts")};
    import { download } from ${from("download.ts")};
    const connection = new HubConnection({ endpoint: ${JSON.stringify(hub.address)}, connections: 1 });
    const options = { cache: new HubCache(${JSON.stringify(folder)}), partBytes: ${PART}, freeBytes: 1e12 };
    await download(connection, ${JSON.stringify(REPOSITORY)}, [${JSON.stringify(PINNED)}], options);`;
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "--allow-all", `--config=${config}`, "-"],
    stdin: "piped",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  const writer = child.stdin.getWriter();
  writer.write(new TextEncoder().encode(code)).then(() => writer.close());
  return child;
}

Deno.test("download() goes on where a killed process stopped", () =>
  withFolder(async (folder) => {
    await using hub = new StandInHub({ [PINNED.path]: CONTENT });
    let served = 0;
    const reached = Promise.withResolvers<void>();
    const killed = Promise.withResolvers<void>();
    hub.misbehave = async () => {
      if (++served <= 4) return undefined;
      reached.resolve();
      await killed.promise;
      return new Response(null, { status: 500 });
    };
    const child = downloader(hub, folder);
    await reached.promise;
    child.kill("SIGKILL");
    await child.status;
    killed.resolve();
    hub.misbehave = () => undefined;
    const before = hub.fetched.length;
    const options = { cache: new HubCache(folder), partBytes: PART, freeBytes: 1e12 };
    const [file] = await download(hub.connect(), REPOSITORY, [PINNED], options);
    assert.deepEqual(await Deno.readFile(file?.local ?? ""), new Uint8Array(CONTENT));
    assert.equal(hub.fetched.slice(before).filter(({ host }) => host === "storage").length, 6);
  }));

Deno.test("download() in two processes on one cache fetches once", () =>
  withFolder(async (folder) => {
    await using hub = new StandInHub({ [PINNED.path]: CONTENT });
    hub.misbehave = async () => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      return undefined;
    };
    const children = [downloader(hub, folder), downloader(hub, folder)];
    const codes = await Promise.all(children.map(async (child) => (await child.status).code));
    assert.deepEqual(codes, [0, 0]);
    const ranges = hub.fetched.filter(({ host }) => host === "storage").map(({ range }) => range);
    assert.equal(new Set(ranges).size, 10);
    assert.equal(ranges.length, 10);
    assert.deepEqual(await Deno.readFile(new HubCache(folder).pathOf(PINNED.sha256)), new Uint8Array(CONTENT));
  }));
