import { equal, ok } from "node:assert/strict";
import { createZstdCompress } from "node:zlib";
import { openCorpora } from "../../src/data/corpora.ts";
import { withFolder } from "../temporary_folder.ts";
import { story } from "./fixtures.ts";

const MEGABYTE = 1 << 20;
const CORPUS_BYTES = 64 * MEGABYTE;

/** Objects and buffers of this isolate, in bytes; garbage that is not collected yet counts as well. */
function held(): number {
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}

/** Writes a compressed corpus that is larger than what may be held, a piece at a time; gives its documents. */
async function writeLarge(path: string): Promise<number> {
  const file = await Deno.open(path, { write: true, create: true });
  const compressor = createZstdCompress();
  let documents = 0;
  compressor.on("data", (bytes: Uint8Array) => {
    for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
  });
  for (let written = 0; written < CORPUS_BYTES; documents++) {
    const line = new TextEncoder().encode(
      `${JSON.stringify({ text: `${documents} ${story(documents % 97, 800)}` })}\n`,
    );
    written += line.length;
    await new Promise<void>((resolve) => compressor.write(line, () => resolve()));
  }
  await new Promise<void>((resolve) => compressor.on("end", resolve).end());
  file.close();
  return documents;
}

Deno.test("openCorpora() prepares and reads a corpus without holding it", () =>
  withFolder(async (folder) => {
    const documents = await writeLarge(`${folder}/large.jsonl.zst`);
    await Deno.writeTextFile(`${folder}/small.txt`, `${story(1, 3000)}\n\n`.repeat(40));
    const before = held();
    let peak = 0, calls = 0;
    const { upstream, downstream } = await openCorpora({
      source: { kind: "files", upstream: [`${folder}/large.jsonl.zst`], downstream: [`${folder}/small.txt`] },
      sequenceLength: 256,
      cacheFolder: `${folder}/cache`,
      onProgress: () => {
        if (calls++ % 50 === 0) peak = Math.max(peak, held());
      },
    });
    for (let step = 0; step < 50; step++) await upstream.batch(1000 * step, 16, 1);
    peak = Math.max(peak, held());
    const { summary } = upstream;
    equal(summary.documents.train + summary.documents.validation, documents);
    ok(summary.bytes.train + summary.bytes.validation > 0.9 * CORPUS_BYTES);
    upstream.close();
    downstream.close();
    const grown = (peak - before) / MEGABYTE;
    // Garbage accounts for about 60 MB, with a corpus of 32 MB as with one of 192 MB. The text held whole would add
    // 64 MB, its tokens 128 MB.
    ok(grown < 100, `memory grew by ${grown.toFixed(0)} MB for a corpus of ${CORPUS_BYTES / MEGABYTE} MB`);
  }));
