import assert from "node:assert/strict";
import { AppendFile } from "../../src/files/append_file.ts";
import { withFolder } from "../temporary_folder.ts";
import { faultyFiles } from "./faulty_files.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("AppendFile appends after what is there, and cuts back", () =>
  withFolder(async (folder) => {
    const path = `${folder}/new/journal`;
    const first = await AppendFile.open(path);
    await first.append(bytes("one"));
    await first.sync();
    first.close();
    const second = await AppendFile.open(path);
    assert.equal(second.size, 3);
    await second.append(bytes("two"));
    await second.truncate(4);
    await second.append(bytes("!"));
    second.close();
    assert.equal(Deno.readTextFileSync(path), "onet!");
  }));

Deno.test("AppendFile.append() undoes a write that fails half-way, so that it can be tried again", () =>
  withFolder(async (folder) => {
    const path = `${folder}/journal`;
    const counted = faultyFiles({ at: Infinity, how: "" });
    (await AppendFile.open(path, counted)).close();
    const opening = counted.operations();
    // The file is there now, so that opening it takes one operation fewer; the next one is the write.
    const file = await AppendFile.open(path, faultyFiles({ at: opening - 1, how: "ENOSPC", shortWrite: true }));
    await assert.rejects(file.append(bytes("abcdef")), { code: "NO_SPACE" });
    assert.equal(Deno.readTextFileSync(path), "");
    await file.append(bytes("abcdef"));
    assert.equal(Deno.readTextFileSync(path), "abcdef");
    file.close();
  }));

/** Deno opens devices only to a process with all permissions. */
function mayOpenDevices(): boolean {
  try {
    return Deno.build.os === "linux" && Deno.lstatSync("/dev/full").isCharDevice === true;
  } catch {
    return false;
  }
}

Deno.test({
  name: "AppendFile.append() reports a full disk",
  ignore: !mayOpenDevices(),
  fn: async () => {
    const full = await AppendFile.open("/dev/full");
    await assert.rejects(full.append(bytes("x")), {
      name: "UserError",
      code: "NO_SPACE",
      message: /"\/dev\/full", the disk is full/,
    });
    full.close();
  },
});
