import assert from "node:assert/strict";
import { kernelFolder } from "../../src/files/kernel_folder.ts";
import { withFolder } from "../temporary_folder.ts";

Deno.test("kernelFolder() forgets a damaged image", async () => {
  await withFolder(async (folder) => {
    const cache = kernelFolder(`${folder}/new`);
    const key = "ab".repeat(32);
    assert.equal(await cache.get(key), undefined);
    await cache.put(key, Uint8Array.of(1, 2, 3));
    assert.deepEqual(await cache.get(key), Uint8Array.of(1, 2, 3));
    const [file] = await Array.fromAsync(Deno.readDir(`${folder}/new`));
    const path = `${folder}/new/${file?.name}`;
    const bytes = await Deno.readFile(path);
    for (const damaged of [bytes.with(33, 9), bytes.subarray(0, 34), bytes.subarray(0, 5), new Uint8Array()]) {
      await Deno.writeFile(path, damaged);
      assert.equal(await cache.get(key), undefined);
    }
  });
});
