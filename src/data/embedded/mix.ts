/** Deals the documents of families of text out to the two corpora, so that these have none in common. */
import { philox } from "../../arithmetic/philox.ts";
import { STREAM } from "../../arithmetic/streams.ts";
import { sha256 } from "../../digest/sha256.ts";
import { UserError } from "../../errors.ts";
import type { CorpusName } from "../../experiment/run/run.ts";
import { domainWord, seedKey, type SourceDocument, splitOf } from "../domain.ts";
import { DocumentCutter, LONGEST_PIECE } from "../text/document_cutter.ts";
import { readLines } from "../text/lines.ts";
import { decodeUtf8 } from "../../text/utf8.ts";
import type { PackageFiles } from "./npm_source.ts";

/** Quarters of each family's bytes that go upstream; the rest goes downstream. */
export type UpstreamQuarters = Readonly<Record<string, number>>;

/** Those of versions up to 0.3, in which both corpora were all that they got. */
export const UPSTREAM_QUARTERS: UpstreamQuarters = { typescript: 3, node: 1 };

/** Cuts the package's files into documents; of documents with the same bytes only the first is kept. */
async function distinctDocuments(files: PackageFiles): Promise<Uint8Array[]> {
  const documents: Uint8Array[] = [];
  const seen = new Set<string>();
  const add = (document: Uint8Array | null) => {
    if (document === null) return;
    const digest = sha256(document);
    if (!seen.has(digest)) documents.push(document);
    seen.add(digest);
  };
  for (const { content } of files.files) {
    const cutter = new DocumentCutter();
    for await (const line of readLines(once(content), LONGEST_PIECE)) {
      add(cutter.push(line.bytes));
    }
    add(cutter.finish());
  }
  return documents;
}

async function* once(content: Uint8Array): AsyncGenerator<Uint8Array, void> {
  yield content;
}

/** A random order of the documents: ascending by a 32-bit Philox value, ties by ordinal. */
function shuffled(count: number, dataSeed: number, word: number): number[] {
  const words = new Uint32Array(4);
  const values = Array.from({ length: count }, (_, ordinal) => {
    philox(seedKey(dataSeed), [ordinal, 0, word, STREAM.corpusSplit], words);
    return words[0] ?? 0;
  });
  return [...values.keys()].sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0) || a - b);
}

/**
 * Deals the packages' documents out to the two corpora and their splits.
 *
 * In a random order of a domain's documents the first ones go upstream, as many as reach its share of the bytes. In
 * each corpus of each domain, of every twenty consecutive documents of that order one is validation.
 */
export async function mixEmbedded(
  packages: readonly PackageFiles[],
  quarters: UpstreamQuarters,
  dataSeed: number,
): Promise<Record<CorpusName, SourceDocument[]>> {
  const corpora: Record<CorpusName, SourceDocument[]> = {
    upstream: [],
    downstream: [],
  };
  for (const files of packages) {
    const { domain } = files;
    const word = domainWord(domain);
    const documents = await distinctDocuments(files);
    const total = documents.reduce(
      (bytes, document) => bytes + document.length,
      0,
    );
    const ordinals = { upstream: 0, downstream: 0 };
    let dealt = 0;
    for (const index of shuffled(documents.length, dataSeed, word)) {
      const bytes = documents[index] ?? new Uint8Array(0);
      const decoded = decodeUtf8(bytes);
      if (!decoded.ok) {
        throw new UserError(
          "NOT_UTF8",
          `The text of "${files.name}" is not UTF-8`,
        );
      }
      const corpus = 4 * dealt < (quarters[domain] ?? 0) * total ? "upstream" : "downstream";
      corpora[corpus].push({
        domain,
        split: splitOf(dataSeed, word, ordinals[corpus]++),
        text: decoded.text,
      });
      dealt += bytes.length;
    }
  }
  return corpora;
}
