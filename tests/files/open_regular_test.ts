import assert from "node:assert/strict";
import { openRegular, openRegularSync } from "../../src/files/open_regular.ts";
import { withFolder } from "../temporary_folder.ts";

/** Both ways to open, as one. */
const WAYS = [
  ["openRegular()", openRegular],
  // deno-lint-ignore require-await -- so that what it throws is a rejection too
  ["openRegularSync()", async (path: string, mode: "read" | "create" | "update") => openRegularSync(path, mode)],
] as const;

/** A folder with a file that must stay as it is. */
async function withVictim(use: (folder: string, victim: string) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const victim = `${folder}/victim`;
    await Deno.writeTextFile(victim, "years of work");
    await use(folder, victim);
    assert.equal(await Deno.readTextFile(victim), "years of work");
  });
}

for (const [name, open] of WAYS) {
  Deno.test(`${name} writes through no symbolic link, whatever it leads to, and reads through one`, () =>
    withVictim(async (folder, victim) => {
      await Deno.mkdir(`${folder}/folder`);
      for (const [link, target] of [["file", victim], ["nothing", `${folder}/new`], ["dir", `${folder}/folder`]]) {
        const path = `${folder}/link-to-${link}`;
        await Deno.symlink(target ?? "", path);
        await assert.rejects(open(path, "update"), { code: "IS_A_LINK", message: new RegExp(`link-to-${link}`) });
        await assert.rejects(open(path, "create"), Deno.errors.AlreadyExists);
      }
      await assert.rejects(Deno.lstat(`${folder}/new`), Deno.errors.NotFound);
      (await open(`${folder}/link-to-file`, "read")).close();
    }));

  Deno.test(`${name} writes into no file that has another name`, () =>
    withVictim(async (folder, victim) => {
      await Deno.link(victim, `${folder}/second`);
      await assert.rejects(open(`${folder}/second`, "update"), {
        code: "IS_A_LINK",
        message: /2 names \(hard links\)/,
      });
    }));

  Deno.test(`${name} opens nothing but files`, () =>
    withFolder(async (folder) => {
      for (const path of [folder, "/dev/null"]) {
        if (path === "/dev/null" && Deno.build.os === "windows") continue;
        for (const mode of ["read", "update"] as const) {
          await assert.rejects(open(path, mode), { code: "NOT_A_FILE", message: /it is no regular file/ });
        }
      }
    }));

  Deno.test(`${name} makes files that are not there, and keeps the bytes of those that are`, () =>
    withFolder(async (folder) => {
      const path = `${folder}/file`;
      await assert.rejects(open(path, "read"), Deno.errors.NotFound);
      for (const mode of ["create", "update"] as const) {
        using file = await open(path, mode);
        file.seekSync(0, Deno.SeekMode.End);
        file.writeSync(new TextEncoder().encode(`${mode}\n`));
      }
      assert.equal(await Deno.readTextFile(path), "create\nupdate\n");
      await assert.rejects(open(path, "create"), Deno.errors.AlreadyExists);
      await Deno.remove(path);
      using made = await open(path, "update");
      assert.equal(made.statSync().size, 0);
    }));
}

Deno.test("openRegular() gives a file to update to all who ask for it at once, and to whoever finds it removed", () =>
  withFolder(async (folder) => {
    for (let round = 0; round < 50; round++) {
      const path = `${folder}/lock-${round}`;
      const files = await Promise.all(Array.from({ length: 8 }, () => openRegular(path, "update")));
      for (const file of files) file.close();
    }
    const path = `${folder}/lock`;
    await Promise.all(Array.from({ length: 200 }, async (_, turn) => {
      if (turn % 4 === 0) return await Deno.remove(path).catch(() => {});
      const file = await openRegular(path, "update").catch((error: { code?: string }) => {
        // What was opened and removed in the same moment is nobody's file any more.
        assert.equal(error.code, "FILE_CHANGED");
      });
      file?.close();
    }));
  }));
