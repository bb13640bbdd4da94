import assert from "node:assert/strict";
import { AppendFile } from "../../src/files/append_file.ts";
import {
  DENO_FILES,
  makeReadOnly,
  nameAgain,
  removeTree,
  renameFolder,
  requireReplaceable,
} from "../../src/files/deno_file_system.ts";
import { makeFolderDurably, removeLeftovers, syncFolders, writeFileDurably } from "../../src/files/durable.ts";
import { filesWithin, requireNoLinks } from "../../src/files/files_within.ts";
import { kernelFolder } from "../../src/files/kernel_folder.ts";
import { claimOutputFolder, lockOutputFolder } from "../../src/files/output_lock.ts";
import { readFileBounded } from "../../src/files/read_file.ts";
import { withFolder } from "../temporary_folder.ts";

const IS_A_LINK = { code: "IS_A_LINK" };

/** Names with what they hold, below a folder; links as what they say. */
async function everything(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory, isSymlink } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isSymlink) found.push(`${name} -> ${await Deno.readLink(path)}`);
    else if (isDirectory) found.push(`${name}/`, ...(await everything(path)).map((line) => `${name}/${line}`));
    else found.push(`${name}: ${await Deno.readTextFile(path)}`);
  }
  return found.sort();
}

/** An output folder, and beside it somebody else's, which must stay as it is. */
async function withTwoFolders(use: (out: string, others: string) => Promise<void>): Promise<void> {
  await withFolder(async (outer) => {
    const out = `${outer}/out`, others = `${outer}/others`;
    await Deno.mkdir(`${others}/run/checkpoints`, { recursive: true });
    await Deno.mkdir(out);
    await Deno.writeTextFile(`${others}/file`, "thesis");
    await Deno.writeTextFile(`${others}/.file.01234567.partial`, "as if left over");
    await Deno.writeTextFile(`${others}/run/journal.jsonl`, "journal");
    const before = await everything(others);
    await use(out, others);
    assert.deepEqual(await everything(others), before);
  });
}

Deno.test("lockOutputFolder() and claimOutputFolder() follow no link in the folder", () =>
  withTwoFolders(async (out, others) => {
    for (const name of [".lock", "plan.json"]) {
      for (const target of [`${others}/file`, `${others}/new`, `${others}/run`]) {
        await Deno.symlink(target, `${out}/${name}`);
        await assert.rejects(async () => {
          if (name === ".lock") await lockOutputFolder(out);
          else await claimOutputFolder(out, "plan", () => true, filesWithin(out));
        }, IS_A_LINK);
        await Deno.remove(`${out}/${name}`);
      }
    }
    await Deno.link(`${others}/file`, `${out}/.lock`);
    await assert.rejects(lockOutputFolder(out), IS_A_LINK);
  }));

Deno.test("filesWithin() reaches nothing through a link below its folder, at any depth", () =>
  withTwoFolders(async (out, others) => {
    const files = filesWithin(out);
    await Deno.mkdir(`${out}/runs`);
    await Deno.symlink(`${others}/run`, `${out}/runs/a`);
    await Deno.symlink(others, `${out}/linked`);
    await Deno.symlink(`${others}/run/journal.jsonl`, `${out}/journal.jsonl`);
    for (
      const path of [
        `${out}/runs/a/journal.jsonl`,
        `${out}/runs/a/new`,
        `${out}/runs/a/checkpoints/new`,
        `${out}/linked/run/new`,
        `${out}/journal.jsonl`,
      ]
    ) {
      await assert.rejects(writeFileDurably(path, "x", { files }), IS_A_LINK, path);
      await assert.rejects(AppendFile.open(path, files), IS_A_LINK, path);
      await assert.rejects(readFileBounded(path, 100, files), IS_A_LINK, path);
      await assert.rejects(makeFolderDurably(path, files), IS_A_LINK, path);
    }
    await Deno.writeTextFile(`${out}/mine`, "");
    await assert.rejects(files.rename(`${out}/mine`, `${out}/linked/mine`), IS_A_LINK);
    await assert.rejects(files.rename(`${out}/linked/file`, `${out}/mine`), IS_A_LINK);
    await assert.rejects(files.remove(`${out}/linked/file`), IS_A_LINK);
    await assert.rejects(files.readFolder(`${out}/linked`), IS_A_LINK);
    assert.deepEqual(await removeLeftovers(`${out}/linked`, files), []);
    await syncFolders(out, files);
    await requireNoLinks(out, `${out}/runs/b/not/there/yet`);
    await assert.rejects(requireNoLinks(out, `${out}/linked`), IS_A_LINK);
    await files.remove(`${out}/linked`);
    assert.deepEqual(await files.readFolder(out), ["journal.jsonl", "mine", "runs"]);
  }));

Deno.test("filesWithin() takes a folder that is a link itself: whoever named it made it", () =>
  withTwoFolders(async (out, others) => {
    await Deno.mkdir(`${out}/disk`);
    await Deno.symlink("disk", `${out}/here`);
    const files = filesWithin(`${out}/here/`);
    await writeFileDurably(`${out}/here/runs/a/run.json`, "{}", { files });
    assert.equal(await Deno.readTextFile(`${out}/disk/runs/a/run.json`), "{}");
    await Deno.symlink(others, `${out}/disk/runs/b`);
    await assert.rejects(writeFileDurably(`${out}/here/runs/b/run.json`, "{}", { files }), IS_A_LINK);
  }));

Deno.test("writeFileDurably() replaces a file and nothing else", () =>
  withTwoFolders(async (out, others) => {
    await Deno.symlink(`${others}/file`, `${out}/link`);
    await assert.rejects(writeFileDurably(`${out}/link`, "x"), IS_A_LINK);
    await Deno.mkdir(`${out}/folder`);
    await assert.rejects(writeFileDurably(`${out}/folder`, "x"), { code: "NOT_A_FILE" });
    await Deno.link(`${others}/file`, `${out}/second-name`);
    await writeFileDurably(`${out}/second-name`, "mine");
    assert.deepEqual(await everything(out), ["folder/", `link -> ${others}/file`, "second-name: mine"]);
    if (Deno.build.os !== "windows") await assert.rejects(requireReplaceable("/dev/null"), { code: "NOT_A_FILE" });
  }));

Deno.test("folders are renamed and removed as they are, never what a link leads to", () =>
  withTwoFolders(async (out, others) => {
    await Deno.symlink(others, `${out}/link`);
    await Deno.mkdir(`${out}/made`);
    await assert.rejects(renameFolder(`${out}/made`, `${out}/link`), IS_A_LINK);
    await assert.rejects(makeReadOnly(`${out}/link`), IS_A_LINK);
    await assert.rejects(nameAgain(`${out}/link`, `${out}/second`), IS_A_LINK);
    await removeTree(`${out}/link`);
    await removeTree(`${out}/not-there`);
    await Deno.symlink(others, `${out}/made/link`);
    await removeTree(`${out}/made`);
    assert.deepEqual(await everything(out), []);
  }));

Deno.test("kernelFolder() neither reads nor writes through a link", () =>
  withTwoFolders(async (out, others) => {
    const cache = kernelFolder(`${out}/kernels`);
    await cache.put("a", new Uint8Array(4));
    await Deno.symlink(`${others}/file`, `${out}/kernels/b.image`);
    await assert.rejects(async () => await cache.get("b"), IS_A_LINK);
    await assert.rejects(async () => await cache.put("b", new Uint8Array(4)), IS_A_LINK);
    assert.deepEqual(await DENO_FILES.readFolder(`${out}/kernels`), ["a.image", "b.image"]);
  }));
