/** Corpora of embedded text by weights of families, and the mixes that stand for downstream. */
import { deepEqual, equal, notEqual, ok, rejects } from "node:assert/strict";
import { type CorpusDescription, describeCorpora, openCorpora } from "../../../src/data/corpora.ts";
import { FAMILIES, FAMILY_NAMES } from "../../../src/data/embedded/families.ts";
import { readPackage } from "../../../src/data/embedded/npm_source.ts";
import { readDataLock } from "../../../src/data/data_lock.ts";
import type { Corpus } from "../../../src/data/corpus.ts";
import type { CorpusOptions } from "../../../src/data/options.ts";
import { withFolder } from "../../temporary_folder.ts";
import { documentsOf, preparedFolders } from "../fixtures.ts";
import { userError } from "../user_error.ts";

const MIXES = {
  "overlap-0": { node: 100 },
  "overlap-5": { node: 95, typescript: 5 },
  "overlap-50": { node: 50, typescript: 50 },
  strong: { messages: 100 },
};
const OPTIONS = {
  source: { kind: "embedded", upstream: { typescript: 100 }, downstream: MIXES["overlap-0"], mixes: MIXES },
  sequenceLength: 128,
} as const satisfies CorpusOptions;

/** Of format version 1 of the corpora, sequence length 128 and data seed 1234. */
const GOLDEN = {
  upstream: "ad197c23d955b837cadd6bafcfdf5a97880db0857f7b0ea7623ef81861091ec3",
  "overlap-0": "fa4de498393439bc6466172d25136ef720d03933ba8880ee9e1db408c7cee45d",
  "overlap-5": "1d20d5742362a798de11b037f6c4a1538587fc2196e7a696992e1d6c0b4c72ae",
  "overlap-50": "f030b279a22066d7f32f946fb2acb76969ba4d404f7b6f47a716f89f5c8f0189",
  strong: "9131c3a427639986cfdbde3e11084880d2e14f5e8677cfde27af633b0923c49e",
};

Deno.test("every family is the text that the lockfile pins, and has some", async () => {
  const lock = await readDataLock();
  for (const name of FAMILY_NAMES) {
    const { files, domain } = await readPackage(FAMILIES[name], lock);
    equal(domain, name);
    ok(files.length > 0 && files.every(({ content }) => content.length > 0), name);
  }
});

Deno.test("mixes share no document with upstream, overlap by their weights, and are the same on every machine", () =>
  withFolder(async (cacheFolder) => {
    const mixes = Object.keys(MIXES);
    const options = { ...OPTIONS, cacheFolder, mixes };
    const described = await describeCorpora(options);
    const corpora = await openCorpora(options);
    try {
      const { upstream, downstream } = corpora;
      equal(downstream.digest, corpora.mixes["overlap-0"]?.digest, "the mix that downstream is has its digest");
      const all = { upstream, ...corpora.mixes };
      const descriptions: Record<string, CorpusDescription> = { upstream: described.upstream, ...described.mixes };
      deepEqual(Object.fromEntries(Object.entries(all).map(([name, { digest }]) => [name, digest])), GOLDEN);
      for (const [name, corpus] of Object.entries(all)) {
        equal(descriptions[name]?.digest, corpus.digest);
        deepEqual(descriptions[name]?.tokens, corpus.summary.tokens);
      }
      deepEqual(corpora.mixes["overlap-5"]?.summary.domains, { node: 0.95, typescript: 0.05 });
      // Mixes of the same families are prepared once.
      const folders = preparedFolders(cacheFolder);
      equal(folders.length, 4);
      const documents = folders.flatMap((path) => [...documentsOf(path, "train"), ...documentsOf(path, "validation")]);
      const { train, validation } = upstream.summary.documents;
      const others = new Set(documents).size - train - validation;
      const { "overlap-5": both, strong } = corpora.mixes;
      const sum = (corpus: Corpus | undefined) =>
        (corpus?.summary.documents.train ?? 0) + (corpus?.summary.documents.validation ?? 0);
      equal(others, sum(both) + sum(strong), "none of upstream's is among them");
    } finally {
      corpora.close();
    }
  }));

Deno.test("upstream is the same whatever downstream and the mixes are", async () => {
  const digest = async (options: CorpusOptions) => (await describeCorpora(options)).upstream.digest;
  const source = { ...OPTIONS.source, downstream: { typescript: 1 }, mixes: {} };
  equal(await digest({ ...OPTIONS, source }), await digest(OPTIONS));
  const heavier = { ...OPTIONS.source, upstream: { typescript: 99, node: 1 } };
  notEqual(await digest({ ...OPTIONS, source: heavier }), await digest(OPTIONS));
});

Deno.test("a mix may be made of the user's files, and one of no files is refused", () =>
  withFolder(async (folder) => {
    const path = `${folder}/german.txt`;
    await Deno.writeTextFile(path, Array.from({ length: 3000 }, (_, i) => `Satz ${i} steht hier.\n\n`).join(""));
    const options = { ...OPTIONS, mixes: ["german"], mixFiles: { german: [path] }, cacheFolder: folder };
    const corpora = await openCorpora(options);
    deepEqual(Object.keys(corpora.mixes), ["german"]);
    ok((corpora.mixes["german"]?.summary.windows.train ?? 0) > 0);
    corpora.close();
    await rejects(
      describeCorpora({ ...OPTIONS, mixes: ["german"] }),
      userError("MIX_NOT_GIVEN", "german", "--mix german=PATH"),
    );
  }));

Deno.test("a family that is not known is named with the nearest", async () => {
  const source = { ...OPTIONS.source, upstream: { typescipt: 1 } };
  await rejects(describeCorpora({ ...OPTIONS, source }), userError("UNKNOWN_FAMILY", "typescipt", '"typescript"'));
});
