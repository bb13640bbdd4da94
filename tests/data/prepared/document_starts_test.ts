import { deepEqual, throws } from "node:assert/strict";
import { DocumentStarts } from "../../../src/data/prepared/document_starts.ts";

Deno.test("DocumentStarts gives the same bounds from memory and from the disk", async () => {
  const path = await Deno.makeTempFile();
  try {
    const starts = Float64Array.of(0, 3, 3, 10, 2 ** 40);
    await Deno.writeFile(path, new Uint8Array(starts.buffer));
    for (const keptBytes of [undefined, 0]) {
      using found = new DocumentStarts(path, 4, keptBytes);
      deepEqual([3, 0, 2, 1].map((document) => found.bounds(document)), [[10, 2 ** 40], [0, 3], [3, 10], [3, 3]]);
    }
    throws(() => new DocumentStarts(path, 5), /ended early/);
    using short = new DocumentStarts(path, 5, 0);
    throws(() => short.bounds(4), /ended early/);
  } finally {
    await Deno.remove(path);
  }
});
