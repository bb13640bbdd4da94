/** A corpus of any size for `bench:preparation`: the embedded text again and again, each time with other words in it. */
import { createZstdCompress } from "node:zlib";
import { readDataLock } from "../src/data/data_lock.ts";
import type { SourceDocument } from "../src/data/domain.ts";
import { quarteredIngredients } from "../src/data/embedded/quarters.ts";
import { DEFAULT_DATA_SEED } from "../src/data/options.ts";
import { BYTE_TOKENIZER } from "../src/formats/tokenizer.ts";
import { utf8Bytes } from "../src/text/utf8.ts";

/** Of the words of four letters and more, one in so many is a word that no other copy has there. */
const NEW_WORD_ONE_IN = 20;

/** What was written. */
export interface WrittenCorpus {
  readonly files: readonly string[];
  readonly documents: number;
  /** UTF-8 bytes of the documents */
  readonly textBytes: number;
  /** of the lines, before they were compressed */
  readonly jsonBytes: number;
}

/** The embedded corpora's documents. */
export async function embeddedDocuments(): Promise<SourceDocument[]> {
  const ingredients = await quarteredIngredients({
    options: { source: { kind: "npm" }, sequenceLength: 1 },
    tokenizer: BYTE_TOKENIZER,
    dataSeed: DEFAULT_DATA_SEED,
    lock: await readDataLock(),
  });
  const documents: SourceDocument[] = [];
  for (const corpus of [ingredients.upstream, ingredients.downstream]) {
    for await (const document of corpus.documents(() => {})) documents.push(document);
  }
  return documents;
}

/** A copy of a text: its lines begin elsewhere, and some words are made new. */
function varied(text: string, copy: number): string {
  if (copy === 0) return text;
  const lines = text.split("\n");
  const first = copy * 7919 % lines.length;
  let words = 0;
  return [...lines.slice(first), ...lines.slice(0, first)].join("\n").replace(/[A-Za-z]{4,}/g, (word) => {
    if (++words % NEW_WORD_ONE_IN !== 0) return word;
    let number = copy * 104_729 + words;
    return word.replace(/./g, () => {
      const letter = String.fromCharCode(97 + number % 26);
      number = Math.floor(number / 26) + copy;
      return letter;
    });
  });
}

/**
 * Writes at least `textBytes` bytes of text as two files of JSON lines under Zstandard, so that two processes can read
 * one each.
 *
 * @param folder exists
 */
export async function writeCorpus(folder: string, textBytes: number): Promise<WrittenCorpus> {
  const documents = await embeddedDocuments();
  const files = [`${folder}/first.jsonl.zst`, `${folder}/second.jsonl.zst`];
  const written = { files, documents: 0, textBytes: 0, jsonBytes: 0 };
  const encoder = new TextEncoder();
  let copy = 0;
  for (const [i, path] of files.entries()) {
    const compressor = createZstdCompress();
    using file = await Deno.open(path, { write: true, create: true, truncate: true });
    const stored = (async () => {
      for await (const piece of compressor) {
        for (let done = 0; done < piece.length;) done += await file.write(piece.subarray(done));
      }
    })();
    for (; written.textBytes < textBytes * (i + 1) / files.length; copy++) {
      const lines = documents.map(({ domain, text }) => {
        const changed = varied(text, copy);
        written.textBytes += utf8Bytes(changed);
        return `${JSON.stringify({ text: changed, meta: { pile_set_name: domain } })}\n`;
      });
      const bytes = encoder.encode(lines.join(""));
      written.documents += documents.length;
      written.jsonBytes += bytes.length;
      await new Promise<void>((resolve) => compressor.write(bytes, () => resolve()));
    }
    compressor.end();
    await stored;
  }
  return written;
}
