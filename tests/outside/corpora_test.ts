/** Real text with the Pile's and SlimPajama's field names, from tests/fixtures/outside/corpora. */
import assert from "node:assert/strict";
import { openCorpora } from "../../src/data/corpora.ts";

const FOLDER = new URL("../fixtures/outside/corpora/", import.meta.url);
const ignore = await Deno.stat(FOLDER).then(() => false, () => true);

Deno.test({
  name: "openCorpora() reads documents and bytes of jsonl.zst as their README counts them",
  ignore,
  fn: async () => {
    const cacheFolder = await Deno.makeTempDir();
    const path = (name: string) => new URL(name, FOLDER).pathname;
    try {
      const { upstream, downstream } = await openCorpora({
        source: {
          kind: "files",
          upstream: [path("upstream.train.jsonl.zst"), path("upstream.val.jsonl.zst")],
          downstream: [path("downstream.train.jsonl.zst"), path("downstream.val.jsonl.zst")],
        },
        sequenceLength: 128,
        cacheFolder,
      });
      assert.deepEqual(upstream.summary.documents, { train: 1498, validation: 77 });
      assert.deepEqual(upstream.summary.bytes, { train: 2_796_065, validation: 125_864 });
      assert.deepEqual(downstream.summary.documents, { train: 229, validation: 11 });
      assert.deepEqual(downstream.summary.bytes, { train: 1_407_176, validation: 85_027 });
      const batch = await downstream.batch(3, 4, 7);
      assert.equal(batch.tokens.length, 4 * 129);
      upstream.close();
      downstream.close();
    } finally {
      await Deno.remove(cacheFolder, { recursive: true });
    }
  },
});
