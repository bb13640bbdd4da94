/** Checkpoints of the hub: locked, fetched and imported from a hub on this machine. */
import assert from "node:assert/strict";
import { dataCommand } from "../../src/cli/commands/data.ts";
import { readDataLock } from "../../src/data/data_lock.ts";
import { importCheckpoint } from "../../src/data/hub/import_checkpoint.ts";
import { type LockedRepository, lockedRepository } from "../../src/data/hub/lock.ts";
import { checkpointRepository, type StartWeights } from "../../src/data/hub/start_weights.ts";
import { sha256 } from "../../src/digest/sha256.ts";
import { folderOf } from "../../src/files/durable.ts";
import { parameterCount } from "../../src/model/config.ts";
import { openHuggingFaceFolder } from "../../src/model/hugging_face_folder.ts";
import { openWeightsFile } from "../../src/model/weights_file.ts";
import { readWeights } from "../../src/model/weights_source.ts";
import { userError } from "../data/user_error.ts";
import { SMALL_MODEL } from "../model/hugging_face_files.ts";
import { type Case, COMMITS, ID, leftIn, MODEL, printed, STEPS, WEIGHTS, withCheckpoints } from "./checkpoints_hub.ts";
import { broken } from "./stand_in_hub.ts";

Deno.test("data lock pins each revision's own commit, and of its files configuration, safetensors and index", () =>
  withCheckpoints(async ({ hub, lockPath, lock, status }) => {
    assert.match(await status(), /models\/EleutherAI\/pythia-410m@step10000\n {2}not locked/);
    const said = await lock();
    assert.match(said, /@step10000\n {2}now locked: 2 files at aaaaaaaaaaaa, /);
    assert.match(said, /@step143000\n {2}now locked: 4 files at cccccccccccc, /);
    assert.match(said, /trust on first use/);
    const pins = (await readDataLock(lockPath)).hub;
    assert.deepEqual(Object.keys(pins), [10_000, 143_000, 27_000].map((step) => `${ID}@step${step}`));
    const files = hub.repositories[`${ID}@${COMMITS[1]}`] ?? {};
    const lines = ["config.json", "model.safetensors"].map((path) => {
      const content = files[path] ?? new Uint8Array();
      return `${sha256(content)} ${content.length} ${path}\n`;
    });
    assert.equal(pins[`${ID}@step27000`]?.listing, sha256(lines.join("")));
    assert(!hub.fetched.some(({ path }) => path.endsWith("model.safetensors")), "the hub states its digest");
  }));

Deno.test("data fetch imports each checkpoint once, whatever type and form it came in", () =>
  withCheckpoints(async (given) => {
    const { hub, lock, fetch, status, start } = given;
    await lock();
    assert.match(await status(), /start of smoke +1 of 2 files, 6\d\d bytes of 1\d\.\d kB, not imported/);
    const said = await fetch();
    assert.match(said, /^[\d.]+ kB of files, and [\d.]+ kB of weights that are imported from them as f32, in /m);
    const found = await start();
    assert.deepEqual(found.map(({ step, revision }) => ({ step, revision })), [
      { step: 10_000, revision: COMMITS[0] },
      { step: 27_000, revision: COMMITS[1] },
      { step: 143_000, revision: COMMITS[2] },
    ]);
    for (const [i, { path, weights }] of found.entries()) {
      assert.equal(weights, sha256(new Uint8Array(WEIGHTS[i]?.buffer ?? new ArrayBuffer())));
      assert(said.includes(`  imported: ${path}, `), said);
      assert(said.includes(`  weights ${weights}`), said);
      const opened = await openWeightsFile(path);
      const read = new Float32Array(parameterCount(SMALL_MODEL));
      await readWeights(opened, read);
      opened.close();
      assert.deepEqual(read, WEIGHTS[i]);
      (await openHuggingFaceFolder(folderOf(path))).close();
    }
    assert.deepEqual(leftIn(given, 0), ["config.json", "model.safetensors", "weights.safetensors"]);
    assert.match(await status(), /start of smoke +4 of 4 files, .*, imported: weights [0-9a-f]{4}…[0-9a-f]{4}/);

    const requests = hub.seen.length;
    const inodes = found.map(({ path }) => Deno.statSync(path).ino);
    const again = await fetch();
    assert.equal(hub.seen.length, requests, "nothing is asked for twice");
    assert.deepEqual(found.map(({ path }) => Deno.statSync(path).ino), inodes, "nothing is imported twice");
    assert(found.every(({ path }) => again.includes(`  imported before: ${path}`)), again);
  }));

Deno.test("data fetch goes on after a download that broke, and asks only for what is missing", () =>
  withCheckpoints(async ({ hub, lock, fetch, start }) => {
    await lock();
    hub.misbehave = ({ path }, content) =>
      path.includes(`${COMMITS[1]}/model`) ? new Response(broken(content.slice(0, 50)), { status: 206 }) : undefined;
    await assert.rejects(fetch(), { code: "HUB_UNREACHABLE" });
    await assert.rejects(start(), userError("DATA_NOT_FETCHED", "step27000"));
    hub.misbehave = () => undefined;
    const before = hub.fetched.length;
    await fetch();
    const asked = new Set(hub.fetched.slice(before).map(({ path }) => path.replace(/^.*@?(?=[abc]{40})/, "")));
    assert.deepEqual([...asked], [`${COMMITS[1]}/model.safetensors`]);
    assert.equal((await start()).length, 3);
  }));

/** All fetched and imported, and the first of the imports removed again. */
async function fetchedWithoutFirst(
  { cache, lockPath, lock, fetch, start }: Case,
): Promise<{ readonly first: StartWeights; readonly locked: LockedRepository }> {
  await lock();
  await fetch();
  const [first] = await start();
  assert(first !== undefined);
  await Deno.remove(first.path);
  const named = checkpointRepository(MODEL, first.step);
  return { first, locked: await lockedRepository(undefined, cache, await readDataLock(lockPath), named) };
}

Deno.test("an interrupted import leaves nothing, and the next one begins anew", () =>
  withCheckpoints(async (given) => {
    const { cache, fetch, start } = given;
    const { first, locked } = await fetchedWithoutFirst(given);
    const total = 8 * parameterCount(SMALL_MODEL);
    for (const share of [0.1, 0.9]) {
      const stop = new AbortController();
      const seen: number[] = [];
      const onProgress = (done: number, of: number) => {
        assert.equal(of, total);
        seen.push(done);
        if (done > share * total) stop.abort();
      };
      const options = { signal: stop.signal, onProgress, freeBytes: 1e12 };
      await assert.rejects(importCheckpoint(cache, locked, SMALL_MODEL, options), (error) => {
        return error === stop.signal.reason;
      });
      assert(seen.some((done) => done > share * total));
      assert.deepEqual(leftIn(given, 0), ["config.json", "model.safetensors"]);
    }
    // What a process leaves that was killed.
    await Deno.writeTextFile(`${folderOf(first.path)}/.weights.safetensors.0123abcd.partial`, "half");
    await fetch();
    assert.deepEqual(leftIn(given, 0), ["config.json", "model.safetensors", "weights.safetensors"]);
    assert.deepEqual((await start())[0], first);
  }));

Deno.test("of two imports at the same time one writes and the other waits for it", () =>
  withCheckpoints(async (given) => {
    const { cache } = given;
    const { first, locked } = await fetchedWithoutFirst(given);
    const both = [1, 2].map(() => importCheckpoint(cache, locked, SMALL_MODEL, { freeBytes: 1e12 }));
    const done = await Promise.all(both);
    assert.deepEqual(done.map(({ wasThere }) => wasThere).sort(), [false, true]);
    assert.deepEqual(done.map(({ weights }) => weights), [first.weights, first.weights]);
    assert.deepEqual(leftIn(given, 0), ["config.json", "model.safetensors", "weights.safetensors"]);
  }));

Deno.test("data fetch stays with the locked commit after the revision has moved, until data lock --renew", () =>
  withCheckpoints(async ({ hub, lock, fetch, start }) => {
    await lock();
    hub.branches[`${ID}@step27000`] = "d".repeat(40);
    hub.repositories[`${ID}@${"d".repeat(40)}`] = { ...hub.repositories[`${ID}@${COMMITS[0]}`] };
    assert.match(await lock(), /step27000\n {2}as locked: 2 files at bbbbbbbbbbbb/);
    await fetch();
    const before = await start();
    assert.equal(before[1]?.revision, COMMITS[1]);
    const renewed = await lock(true);
    assert.match(renewed, /now locked: 2 files at dddddddddddd.*\n {2}before: 2 files at bbbbbbbbbbbb/);
    await assert.rejects(start(), userError("DATA_NOT_FETCHED", "step27000", "dddddddddddd"));
    await fetch();
    const after = await start();
    assert.equal(after[1]?.revision, "d".repeat(40));
    assert.equal(after[1]?.weights, after[0]?.weights, "both are the first revision's now");
    assert.deepEqual([after[0], after[2]], [before[0], before[2]]);
  }));

Deno.test("data fetch refuses a commit whose files are not those that were locked", () =>
  withCheckpoints(async ({ hub, cache, lock, fetch, start }) => {
    await lock();
    const honest = hub.repositories[`${ID}@${COMMITS[1]}`] ?? {};
    const forged = (honest["model.safetensors"] ?? new Uint8Array()).slice();
    forged[forged.length - 1] = 1 ^ (forged.at(-1) ?? 0);
    hub.repositories[`${ID}@${COMMITS[1]}`] = { ...honest, "model.safetensors": forged };
    await assert.rejects(fetch(), userError("DIGEST_MISMATCH", "model.safetensors", sha256(forged)));
    await Deno.remove(cache.folder, { recursive: true });
    await assert.rejects(fetch(), userError("DIGEST_MISMATCH", `${ID}@step27000`, "nothing was downloaded"));
    hub.repositories[`${ID}@${COMMITS[1]}`] = honest;
    await fetch();
    assert.equal((await start()).length, 3);
  }));

Deno.test("data fetch imports damaged weights again, altered ones with --verify", () =>
  withCheckpoints(async ({ lock, fetch, start }) => {
    await lock();
    await fetch();
    const [first] = await start();
    assert(first !== undefined);
    const whole = await Deno.readFile(first.path);
    await Deno.writeFile(first.path, whole.subarray(0, 100));
    await fetch();
    assert.deepEqual(await Deno.readFile(first.path), whole);
    await Deno.writeFile(first.path, whole.with(-1, 1 ^ (whole.at(-1) ?? 0)));
    assert.match(await fetch(), /imported before/, "its header is as it was");
    assert.doesNotMatch(await fetch({ verify: true }), /imported before/);
    assert.deepEqual(await Deno.readFile(first.path), whole);
  }));

Deno.test("data fetch refuses checkpoints of another model before it writes any weights", () =>
  withCheckpoints(async (given) => {
    const { lock, fetch } = given;
    await lock();
    const shape = { ...SMALL_MODEL, hiddenSize: 32, layers: 4 };
    await assert.rejects(
      fetch({ shape }),
      userError("OTHER_MODEL", "hiddenSize 16, layers 2", "hiddenSize 32, layers 4", "step10000"),
    );
    assert.deepEqual(leftIn(given, 0), ["config.json", "model.safetensors"]);
    await fetch();
    await assert.rejects(fetch({ shape }), userError("OTHER_MODEL", "weights.safetensors"));
  }));

Deno.test("data fetch counts files and imported weights before it begins, for the disk and for the budget", () =>
  withCheckpoints(async ({ hub, lock, fetch }) => {
    await lock();
    const before = hub.fetched.length;
    const reserve = 256 << 20;
    const weights = 3 * 4 * parameterCount(SMALL_MODEL);
    await assert.rejects(fetch({ freeBytes: reserve + weights }), { code: "NO_SPACE" });
    await assert.rejects(fetch({ budget: 1000 }), userError("OVER_BUDGET", "smoke"));
    assert.equal(hub.fetched.length, before);
    await fetch();
    await fetch({ freeBytes: 0 });
  }));

Deno.test("data fetch imports what PyTorch saved, whole and in shards, where a revision has no safetensors", () =>
  withCheckpoints(async (given) => {
    const { hub, lock, fetch, start } = given;
    const fixtures = new URL("../fixtures/torch/", import.meta.url);
    for (const [i, folder] of ["f16", "sharded"].entries()) {
      const files: Record<string, Uint8Array<ArrayBuffer>> = { "training_args.bin": new Uint8Array(9) };
      for await (const { name } of Deno.readDir(new URL(folder, fixtures))) {
        if (!name.endsWith(".safetensors")) files[name] = await Deno.readFile(new URL(`${folder}/${name}`, fixtures));
      }
      hub.repositories[`${ID}@${COMMITS[i]}`] = files;
    }
    await lock();
    await fetch();
    assert.deepEqual(leftIn(given, 0), ["config.json", "pytorch_model.bin", "weights.safetensors"]);
    assert.deepEqual(leftIn(given, 1), [
      "config.json",
      ...[1, 2].map((shard) => `pytorch_model-0000${shard}-of-00002.bin`),
      "pytorch_model.bin.index.json",
      "weights.safetensors",
    ]);
    const [whole, sharded, safe] = await start();
    // The digest of tests/fixtures/torch/f16/expected.safetensors, flat and as f32.
    assert.equal(whole?.weights, "ace43947b0c9c1b133b7909ba60e1a37335cd8ae0c78074840ee467b8b2a2b70");
    assert.equal(sharded?.weights, whole?.weights);
    assert.notEqual(safe?.weights, whole?.weights);
  }));

Deno.test("data lock refuses a revision without weights that it reads, and keeps what it pinned before", () =>
  withCheckpoints(async ({ hub, lockPath, lock }) => {
    const { "model.safetensors": weights = new Uint8Array(), ...rest } = hub.repositories[`${ID}@${COMMITS[1]}`] ?? {};
    hub.repositories[`${ID}@${COMMITS[1]}`] = { ...rest, "model.pt": weights };
    await assert.rejects(lock(), userError("NO_SAFETENSORS", `${ID}@step27000`, '"model.pt"'));
    assert.deepEqual(Object.keys((await readDataLock(lockPath)).hub), [`${ID}@step10000`]);
    delete hub.branches[`${ID}@step27000`];
    hub.misbehaveHub = ({ path }) =>
      path.endsWith("revision/step27000") ? new Response("", { status: 404 }) : undefined;
    await assert.rejects(lock(), userError("HUB_NOT_FOUND", "step27000", "revision"));
  }));

Deno.test("data lock, status and fetch take scale and reading as plan does", () =>
  withCheckpoints(async ({ folder, hub, lockPath }) => {
    const data = (...words: string[]) =>
      printed(async () => {
        const places = ["--only", "start", "--lockfile", lockPath, "--cache", `${folder}/hub`, "--hub", hub.address];
        assert.equal(await dataCommand.run([...words, ...places]), 0);
      });
    assert.match(await data("lock", "--scale", "paper"), /pythia-410m@step143000\n {2}now locked: 4 files/);
    assert.match(await data("status"), /pythia-410m@step10000\n {2}locked: .*\n {2}start of paper +1 of 2 files/);
    for (const [i, commit] of COMMITS.entries()) {
      hub.branches[`${ID}-deduped@step${STEPS[i]}`] = commit;
      hub.repositories[`${ID}-deduped@${commit}`] = { ...hub.repositories[`${ID}@${commit}`] };
    }
    const reading = ["--scale", "paper", "--reading", "pile=deduplicated"];
    await assert.rejects(data("fetch", ...reading), userError("NOT_LOCKED", "410m-deduped@step10000", "--reading"));
    assert.match(await data("lock", ...reading), /pythia-410m-deduped@step27000\n {2}now locked: 2 files/);
    assert.equal(Object.keys((await readDataLock(lockPath)).hub).length, 6);
    await assert.rejects(
      data("fetch", ...reading),
      userError("OTHER_MODEL", "hiddenSize 16, layers 2", "hiddenSize 1024, layers 24"),
    );
  }));

Deno.test("data refuses parts that a scale does not have, and changes of no scale", async () => {
  await assert.rejects(
    dataCommand.run(["fetch", "--scale", "small", "--only", "start"]),
    userError("NOTHING_TO_FETCH", "small", "no checkpoints"),
  );
  await assert.rejects(
    dataCommand.run(["fetch", "--scale", "paper", "--start", "train", "--only", "start"]),
    userError("NOTHING_TO_FETCH", "paper", "no checkpoints"),
  );
  await assert.rejects(
    dataCommand.run(["fetch", "--scale", "paper", "--only", "strat"]),
    userError("UNKNOWN_CORPUS", 'did you mean "start"?'),
  );
  await assert.rejects(dataCommand.run(["status", "--tokens", "2e6"]), userError("MISSING_SCALE", '"--tokens"'));
});
