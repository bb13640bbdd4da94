import assert from "node:assert/strict";
import {
  folderOf,
  makeFolderDurably,
  removeLeftovers,
  syncFolders,
  writeFileDurably,
} from "../../src/files/durable.ts";
import { UserError } from "../../src/errors.ts";
import { SimulatedDisk } from "../faults/simulated_disk.ts";
import { withFolder } from "../temporary_folder.ts";
import { faultyFiles, Killed } from "./faulty_files.ts";

function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

Deno.test("writeFileDurably() writes text, bytes and pieces, and makes the folder", () =>
  withFolder(async (folder) => {
    await writeFileDurably(`${folder}/a/b/text`, "é");
    await writeFileDurably(`${folder}/a/bytes`, Uint8Array.of(1, 2));
    await writeFileDurably(`${folder}/a/pieces`, [Uint8Array.of(1), Uint8Array.of(2, 3)]);
    assert.equal(Deno.readTextFileSync(`${folder}/a/b/text`), "é");
    assert.deepEqual(Deno.readFileSync(`${folder}/a/bytes`), Uint8Array.of(1, 2));
    assert.deepEqual(Deno.readFileSync(`${folder}/a/pieces`), Uint8Array.of(1, 2, 3));
    assert.deepEqual(namesIn(`${folder}/a`), ["b", "bytes", "pieces"]);
  }));

Deno.test({
  name: "writeFileDurably() gives a file the permissions asked for",
  ignore: Deno.build.os === "windows",
  fn: () =>
    withFolder(async (folder) => {
      await writeFileDurably(`${folder}/secret`, "x", { permissions: 0o600 });
      assert.equal((Deno.statSync(`${folder}/secret`).mode ?? 0) & 0o777, 0o600);
    }),
});

Deno.test("writeFileDurably() keeps the old file and removes the temporary one when any operation fails", () =>
  withFolder(async (folder) => {
    const path = `${folder}/file`;
    for (const shortWrite of [false, true]) {
      let failures = 0;
      for (let at = 0;; at++) {
        Deno.writeTextFileSync(path, "old");
        const files = faultyFiles({ at, how: "ENOSPC", shortWrite });
        const error = await writeFileDurably(path, "new contents", { files }).then(() => undefined, (error) => error);
        if (error === undefined) break;
        failures++;
        assert.ok(error instanceof UserError);
        assert.equal(error.code, "NO_SPACE");
        assert.match(error.message, /disk is full: free some space/);
        assert.ok(error.message.includes(folder), error.message);
        // Once renamed, the new file stands, though it is not certain that it survives a power cut.
        assert.ok(["old", "new contents"].includes(Deno.readTextFileSync(path)));
        assert.deepEqual(namesIn(folder), ["file"]);
      }
      assert.equal(failures, 6, "status of folder, open, write, fsync, rename and fsync of the folder can fail");
    }
  }));

Deno.test("writeFileDurably() leaves the old file or the new one, whole, when the process is killed anywhere", () =>
  withFolder(async (folder) => {
    const path = `${folder}/file`;
    const seen = new Set<string>();
    for (let at = 0;; at++) {
      Deno.writeTextFileSync(path, "old");
      const files = faultyFiles({ at, how: "kill", shortWrite: true });
      const error = await writeFileDurably(path, "new contents", { files }).then(() => undefined, (error) => error);
      if (error === undefined) break;
      assert.ok(error instanceof Killed);
      seen.add(Deno.readTextFileSync(path));
      const leftovers = await removeLeftovers(folder);
      assert.ok(leftovers.length <= 1);
      assert.deepEqual(namesIn(folder), ["file"]);
    }
    assert.deepEqual([...seen], ["old", "new contents"]);
  }));

Deno.test("writeFileDurably() explains a path that cannot be written", () =>
  withFolder(async (folder) => {
    Deno.writeTextFileSync(`${folder}/file`, "");
    await assert.rejects(writeFileDurably(`${folder}/file/below`, "x"), { name: "UserError" });
    for (const [errno, code] of [["EACCES", "PERMISSION_DENIED"], ["EROFS", "READ_ONLY"], ["EIO", "IO_ERROR"]]) {
      const files = faultyFiles({ at: 1, how: errno ?? "" });
      await assert.rejects(writeFileDurably(`${folder}/x`, "x", { files }), { name: "UserError", code });
    }
  }));

Deno.test("removeLeftovers() removes temporary files only", () =>
  withFolder(async (folder) => {
    for (const name of [".plan.json.0123abcd.partial", "plan.json", ".lock", "a.partial"]) {
      Deno.writeTextFileSync(`${folder}/${name}`, "");
    }
    assert.deepEqual(await removeLeftovers(folder), [".plan.json.0123abcd.partial"]);
    assert.deepEqual(namesIn(folder), [".lock", "a.partial", "plan.json"]);
    assert.deepEqual(await removeLeftovers(`${folder}/none`), []);
  }));

Deno.test("folderOf() gives the folder of a path", () => {
  assert.equal(folderOf("a/b/c"), "a/b");
  assert.equal(folderOf("c"), ".");
  assert.equal(folderOf("/c"), "/");
});

Deno.test("makeFolderDurably() flushes the name of every folder that it makes", async () => {
  const disk = new SimulatedDisk();
  await makeFolderDurably("/a/b/c", disk.files);
  assert.deepEqual([...disk.afterStop("lost").keys()], ["/a", "/a/b", "/a/b/c"]);
});

Deno.test("syncFolders() flushes the names in a folder and below it", async () => {
  const disk = new SimulatedDisk(new Map([["/a", undefined]]));
  await disk.files.makeFolder("/a/b/c");
  (await disk.files.open("/a/b/file", "create")).close();
  await syncFolders("/a", disk.files);
  assert.deepEqual([...disk.afterStop("lost").keys()], ["/a", "/a/b", "/a/b/c", "/a/b/file"]);
  await syncFolders("/a/b/file", disk.files);
  await syncFolders("/none", disk.files);
});

Deno.test("writeFileDurably() joins small pieces and keeps their order with large ones", async () => {
  const disk = new SimulatedDisk();
  const sizes = [1, 300, 262_000, 500, 262_144, 7, 600_000, 3, 0, 1];
  const pieces = sizes.map((size, index) => new Uint8Array(size).fill(index + 1));
  const writes: string[] = [];
  const files = faultyFiles({ at: Infinity, how: "" }, disk.files, ({ name }) => name === "write" && writes.push(name));
  await writeFileDurably("/file", pieces, { files });
  const whole = new Uint8Array(await new Blob(pieces).arrayBuffer());
  assert.deepEqual(disk.afterStop("lost").get("/file"), whole);
  assert.equal(writes.length, 7);
});
