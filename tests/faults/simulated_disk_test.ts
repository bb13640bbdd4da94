import assert from "node:assert/strict";
import { firstDifference, imageDigest } from "./disk_image.ts";
import { type Fate, SimulatedDisk } from "./simulated_disk.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** What is on a disk after a stop, contents as text. */
function after(disk: SimulatedDisk, fate: Fate, seed?: string): Record<string, string> {
  return Object.fromEntries(
    [...disk.afterStop(fate, seed)].map(([path, contents]) => [
      path,
      contents === undefined ? "folder" : new TextDecoder().decode(contents),
    ]),
  );
}

/** A disk with `/a` holding "old", flushed. */
async function withFile(): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk();
  const handle = await disk.files.open("/a", "create");
  await handle.write(bytes("old"));
  await handle.sync();
  await disk.files.syncFolder("/");
  return disk;
}

Deno.test("SimulatedDisk loses contents before fsync, and names before fsync of their folder, in a power cut", async () => {
  const disk = new SimulatedDisk();
  const handle = await disk.files.open("/a", "create");
  await handle.write(bytes("text"));
  assert.deepEqual(after(disk, "lost"), {});
  assert.deepEqual(after(disk, "kept"), { "/a": "text" });
  await handle.sync();
  assert.deepEqual(after(disk, "lost"), {}, "the file is on the disk, and has no name there");
  await disk.files.syncFolder("/");
  assert.deepEqual(after(disk, "lost"), { "/a": "text" });
  await handle.write(bytes(", more"));
  assert.deepEqual(after(disk, "lost"), { "/a": "text" });
  assert.deepEqual(after(disk, "torn"), { "/a": "text, m" });
});

Deno.test("SimulatedDisk undoes a rename and a removal until their folder is flushed", async () => {
  const disk = await withFile();
  const next = await disk.files.open("/b", "create");
  await next.write(bytes("new"));
  await next.sync();
  await disk.files.rename("/b", "/a");
  assert.deepEqual(after(disk, "kept"), { "/a": "new" });
  assert.deepEqual(after(disk, "lost"), { "/a": "old" });
  await disk.files.syncFolder("/");
  assert.deepEqual(after(disk, "lost"), { "/a": "new" });
  await disk.files.remove("/a");
  assert.deepEqual(after(disk, "lost"), { "/a": "new" });
  assert.deepEqual(after(disk, "kept"), {});
});

Deno.test("SimulatedDisk loses a flushed file whose folder has no name on the disk", async () => {
  const disk = new SimulatedDisk();
  await disk.files.makeFolder("/x/y");
  const handle = await disk.files.open("/x/y/a", "create");
  await handle.write(bytes("text"));
  await handle.sync();
  await disk.files.syncFolder("/x/y");
  await disk.files.syncFolder("/x");
  assert.deepEqual(after(disk, "lost"), {});
  await disk.files.syncFolder("/");
  assert.deepEqual(after(disk, "lost"), { "/x": "folder", "/x/y": "folder", "/x/y/a": "text" });
});

Deno.test("SimulatedDisk leaves a renamed file empty that was not flushed, where names come before contents", async () => {
  const disk = await withFile();
  const next = await disk.files.open("/b", "create");
  await next.write(bytes("new"));
  await disk.files.rename("/b", "/a");
  assert.deepEqual(after(disk, "torn"), { "/a": "ne" });
});

Deno.test("SimulatedDisk scatters sectors and names by a seed", async () => {
  const disk = await withFile();
  const handle = await disk.files.open("/a", "update");
  await handle.write(bytes("x".repeat(4096)));
  const seen = new Set(Array.from({ length: 50 }, (_, seed) => after(disk, "scattered", String(seed))["/a"]));
  assert(seen.size > 30, `${seen.size} different ones`);
  for (const text of seen) assert.match(text ?? "", /^(old|\0+|x{512})((x{512}|\0{512}|\0{509}))*$/);
  assert.deepEqual(after(disk, "scattered", "1"), after(disk, "scattered", "1"));
});

Deno.test("SimulatedDisk restarts from an image, its locks free and everything flushed", async () => {
  const disk = await withFile();
  const handle = await disk.files.open("/a", "update");
  assert.equal(await handle.tryLock(), true);
  assert.equal(await (await disk.files.open("/a", "update")).tryLock(), false);
  const image = disk.afterStop("kept");
  const restarted = new SimulatedDisk(image);
  assert.equal(await (await restarted.files.open("/a", "update")).tryLock(), true);
  assert.deepEqual(after(restarted, "lost"), { "/a": "old" });
  assert.equal(imageDigest(restarted.afterStop("lost")), imageDigest(image));
  handle.close();
  assert.equal(await (await disk.files.open("/a", "update")).tryLock(), true);
});

Deno.test("firstDifference() names what is missing, other, or too much", () => {
  const image = new Map([["/a", bytes("a")], ["/b", undefined]]);
  assert.equal(firstDifference(image, new Map([["/a", bytes("a")], ["/b", undefined]])), undefined);
  assert.equal(firstDifference(image, new Map([...image, ["/c", bytes("c")]])), '"/c" is missing');
  assert.equal(firstDifference(image, new Map([["/a", bytes("z")], ["/b", undefined]])), '"/a" has other contents');
  assert.equal(firstDifference(image, new Map([["/a", bytes("a")]])), '"/b" should not be there');
});
