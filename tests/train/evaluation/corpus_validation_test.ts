import { deepEqual, equal, rejects } from "node:assert/strict";
import type { Corpus, ValidationWindows } from "../../../src/data/corpus.ts";
import { sha256 } from "../../../src/digest/sha256.ts";
import { CorpusValidation } from "../../../src/train/evaluation/corpus_validation.ts";
import { userError } from "../../data/user_error.ts";

/** Tokens of a window that are predicted. */
const LENGTH = 4;

/** Windows by domain and document; the first token of each is its place. */
function windowsOf(places: readonly (readonly [domain: string, document: number])[]): ValidationWindows {
  const tokens = Uint16Array.from({ length: places.length * (LENGTH + 1) }, (_, i) => i / (LENGTH + 1));
  return {
    tokens,
    sequences: places.length,
    digest: sha256(new Uint8Array(tokens.buffer)),
    domains: places.map(([domain]) => domain),
    documents: places.map(([, document]) => document),
  };
}

function corpusOf(sample: ValidationWindows, whole = sample): Corpus {
  const counts = { train: 9, validation: 9 };
  return {
    name: "upstream",
    digest: sha256("a corpus"),
    summary: {
      documents: counts,
      tokens: counts,
      bytes: counts,
      windows: counts,
      domains: { node: 0.75, deno: 0.25, none: 0 },
    },
    batch: () => Promise.reject(new Error("not needed")),
    validationWindows: () => Promise.resolve(sample),
    wholeValidation: () => Promise.resolve(whole),
    close: () => {},
  };
}

/** Gives these sums, one a window. */
function sessionOf(sums: readonly number[]) {
  let calls = 0;
  return {
    get calls() {
      return calls;
    },
    evaluate: (tokens: Uint16Array) => {
      calls++;
      equal(tokens.length, sums.length * (LENGTH + 1));
      return Promise.resolve(Float32Array.from(sums));
    },
  };
}

/** Blended as samples are: domains by turns, documents out of order. */
const SAMPLE = windowsOf([["node", 7], ["deno", 1], ["node", 2], ["node", 7], ["deno", 0], ["node", 2]]);
const WHOLE = windowsOf([["deno", 0], ["deno", 1], ["deno", 1], ["node", 2], ["node", 7], ["node", 7], ["none", 3]]);

Deno.test("CorpusValidation names the sampled documents in the order of domains and documents", async () => {
  const { set } = await CorpusValidation.load(corpusOf(SAMPLE, WHOLE), { windows: 6, landmarkWindows: 9 });
  deepEqual(set, {
    domains: [{ name: "deno", weight: 0.25 }, { name: "node", weight: 0.75 }, { name: "none", weight: 0 }],
    sampledDocuments: [
      { domain: 0, document: 0, tokens: LENGTH },
      { domain: 0, document: 1, tokens: LENGTH },
      { domain: 1, document: 2, tokens: 2 * LENGTH },
      { domain: 1, document: 7, tokens: 2 * LENGTH },
    ],
    documents: [
      { domain: 0, tokens: LENGTH },
      { domain: 0, tokens: 2 * LENGTH },
      { domain: 1, tokens: LENGTH },
      { domain: 1, tokens: 2 * LENGTH },
      { domain: 2, tokens: LENGTH },
    ],
  });
});

Deno.test("CorpusValidation sums the sample by document in one reading, and its means are made of these sums", async () => {
  const validation = await CorpusValidation.load(corpusOf(SAMPLE, WHOLE), { windows: 6, landmarkWindows: 9 });
  const session = sessionOf([1, 10, 4, 2, 20, 8]);
  deepEqual(await validation.sample(session, LENGTH), {
    mean: 45 / 24,
    domains: [30 / 8, 15 / 16, null],
    documents: [20, 10, 12, 3],
  });
  equal(session.calls, 1);
  // 2^60 + 1 + … is where the order of additions shows: that of the documents, not that of the windows
  const { mean, documents } = await validation.sample(sessionOf([1, 2 ** 60, 1, 1, -(2 ** 60), 1]), LENGTH);
  deepEqual([mean, documents], [4 / 24, [-(2 ** 60), 2 ** 60, 2, 2]]);
});

Deno.test("CorpusValidation keeps the mean alone where losses are not kept by document, added in the order of windows", async () => {
  const validation = await CorpusValidation.load(corpusOf(SAMPLE), { windows: 6 });
  equal(validation.set, undefined);
  deepEqual(await validation.sample(sessionOf([1, 2 ** 60, 1, 1, -(2 ** 60), 1]), LENGTH), {
    mean: 1 / 24,
    domains: [],
    documents: [],
  });
});

Deno.test("CorpusValidation sums the whole set by document", async () => {
  const validation = await CorpusValidation.load(corpusOf(SAMPLE, WHOLE), { windows: 6, landmarkWindows: 9 });
  deepEqual(await validation.documents(sessionOf([1, 2, 3, 4, 5, 6, 7])), [
    { tokens: LENGTH, loss: 1 },
    { tokens: 2 * LENGTH, loss: 5 },
    { tokens: LENGTH, loss: 4 },
    { tokens: 2 * LENGTH, loss: 11 },
    { tokens: LENGTH, loss: 7 },
  ]);
});

Deno.test("CorpusValidation refuses more documents than a curve can hold, of the sample as of the whole set", async () => {
  const many = windowsOf(Array.from({ length: 15_626 }, (_, document) => ["node", document] as const));
  const choice = { windows: 15_626, landmarkWindows: 15_626 };
  await rejects(
    CorpusValidation.load(corpusOf(many, WHOLE), choice),
    userError("TOO_MANY_DOCUMENTS", "15626 sampled validation windows", "evaluationWindows"),
  );
  await rejects(
    CorpusValidation.load(corpusOf(SAMPLE, many), choice),
    userError("TOO_MANY_DOCUMENTS", "15626 documents", "landmarkWindows"),
  );
});
