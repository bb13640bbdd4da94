/** Small corpora for tests, and a look into prepared ones. */
import { IndexedDataset } from "../../src/formats/megatron/dataset.ts";
import type { CorpusOptions } from "../../src/data/options.ts";

/** Text of a document that no other ordinal has, about `words` · 6 bytes. */
export function story(ordinal: number, words = 40): string {
  return Array.from({ length: words }, (_, i) => ((ordinal * 7919 + i * i * 31) % 46656).toString(36)).join(" ");
}

/** JSON lines of `count` documents whose domains take turns. */
export function jsonLines(count: number, domains: readonly string[] = [], first = 0): string {
  return Array.from({ length: count }, (_, i) => {
    const domain = domains[i % domains.length];
    const meta = domain === undefined ? {} : { meta: { pile_set_name: domain } };
    return `${JSON.stringify({ text: `#${first + i} ${story(first + i)}`, ...meta })}\n`;
  }).join("");
}

/** Options over an upstream and a downstream file in a folder, both written here. */
export async function twoFiles(folder: string, upstream: string, downstream: string): Promise<CorpusOptions> {
  await Deno.writeTextFile(`${folder}/up.jsonl`, upstream);
  await Deno.writeTextFile(`${folder}/down.jsonl`, downstream);
  return {
    source: { kind: "files", upstream: [`${folder}/up.jsonl`], downstream: [`${folder}/down.jsonl`] },
    sequenceLength: 16,
    cacheFolder: `${folder}/cache`,
  };
}

/** The prepared folders of a cache. */
export function preparedFolders(cacheFolder: string): string[] {
  return [...Deno.readDirSync(cacheFolder)].filter((entry) => entry.isDirectory).map(({ name }) =>
    `${cacheFolder}/${name}`
  );
}

/** All documents of a prepared folder, as byte strings without their ends, by the end of the file's name. */
export function documentsOf(folder: string, split: "train" | "validation"): string[] {
  const documents: string[] = [];
  for (const { name } of Deno.readDirSync(folder)) {
    if (!name.endsWith(`.${split}.idx`)) continue;
    const dataset = IndexedDataset.open(`${folder}/${name.slice(0, -4)}`);
    for (let i = 0; i < dataset.sequences; i++) {
      const { start, length } = dataset.place(i);
      const tokens = new Uint16Array(length);
      dataset.read(start, tokens);
      if (tokens.at(-1) !== 0) throw new Error(`Document ${i} of ${name} does not end`);
      documents.push(new TextDecoder().decode(Uint8Array.from(tokens.subarray(0, -1))));
    }
    dataset.close();
  }
  return documents;
}
