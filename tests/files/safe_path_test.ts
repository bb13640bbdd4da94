import assert from "node:assert/strict";
import fc from "fast-check";
import { printable, unsafeNameReason } from "../../src/files/safe_name.ts";
import { resolveInside } from "../../src/files/safe_path.ts";
import { withFolder } from "../temporary_folder.ts";

Deno.test("unsafeNameReason() accepts plain relative names", () => {
  for (const name of ["plan.json", "runs/warmup-length_1%_seed-0/journal.jsonl", "a/b/c.d", "é", "...x", "console"]) {
    assert.equal(unsafeNameReason(name), undefined, name);
  }
});

Deno.test("unsafeNameReason() refuses every name that could mean something else", () => {
  const names = {
    "is empty": "",
    "is an absolute path": "/etc/passwd",
    'has a part ".."': "runs/../../x",
    'has a part "."': "./x",
    "has an empty part": "a//b",
    'has a "\\"': "a\\..\\b",
    'has a ":"': "C:x",
    "has a control character": "a\0b",
    'names the device "NUL.txt"': "a/NUL.txt",
    "has a part that ends with a dot or a space": "a./b",
    "is not valid Unicode": "\ud800",
    "has a part longer than 255 characters": "a".repeat(256),
    "is longer than 1024 characters": "a/".repeat(600),
  };
  for (const [reason, name] of Object.entries(names)) assert.equal(unsafeNameReason(name), reason);
});

Deno.test("unsafeNameReason() accepts no name that a URL resolution takes out of a folder", () => {
  const part = fc.constantFrom("..", ".", "", "a", "%2e%2e", "b ", "c");
  fc.assert(fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), (parts) => {
    const name = parts.join("/");
    if (unsafeNameReason(name) !== undefined) return;
    const resolved = new URL(name.replaceAll("%", "%25"), "file:///root/folder/").pathname;
    assert.equal(resolved, `/root/folder/${name.replaceAll("%", "%25")}`);
  }));
});

Deno.test("resolveInside() finds regular files", () =>
  withFolder(async (folder) => {
    Deno.mkdirSync(`${folder}/runs`);
    Deno.writeTextFileSync(`${folder}/runs/a`, "x");
    assert.equal(await resolveInside(folder, "runs/a"), `${Deno.realPathSync(folder)}/runs/a`);
    await assert.rejects(resolveInside(folder, "runs/b"), { code: "FILE_NOT_FOUND" });
    await assert.rejects(resolveInside(folder, "runs"), { code: "UNSAFE_PATH", message: /is no regular file/ });
    await assert.rejects(resolveInside(folder, "../x"), { code: "UNSAFE_PATH" });
  }));

Deno.test({
  name: "resolveInside() follows links inside the folder and none out of it, nor to devices",
  ignore: Deno.build.os === "windows",
  fn: () =>
    withFolder(async (outer) => {
      const folder = `${outer}/folder`;
      Deno.mkdirSync(folder);
      // The neighbour's name starts as the folder's does.
      Deno.mkdirSync(`${outer}/folder-2`);
      Deno.writeTextFileSync(`${outer}/folder-2/secret`, "x");
      Deno.writeTextFileSync(`${folder}/real`, "x");
      const link = (target: string, name: string) => Deno.symlinkSync(target, `${folder}/${name}`);
      link("real", "inside");
      link("../folder-2/secret", "outside");
      link("../folder-2", "folder-link");
      link("/dev/zero", "device");
      link("nowhere", "dangling");
      assert.equal(await resolveInside(folder, "inside"), `${Deno.realPathSync(folder)}/real`);
      for (const name of ["outside", "folder-link/secret", "device"]) {
        await assert.rejects(resolveInside(folder, name), { code: "UNSAFE_PATH", message: /symbolic link/ });
      }
      await assert.rejects(resolveInside(folder, "dangling"), { code: "FILE_NOT_FOUND" });
    }),
});

Deno.test("printable() takes the sting out of a hostile name", () => {
  assert.equal(printable("a\u001b[2J\u202eb"), "a\ufffd[2J\ufffdb");
  assert.equal(printable("x".repeat(200)).length, 120);
  assert.equal(printable("plain"), "plain");
});
