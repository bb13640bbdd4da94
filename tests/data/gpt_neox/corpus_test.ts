/** Corpora of Megatron files, through the options that everything else opens corpora by. */
import fc from "fast-check";
import { deepEqual, equal, rejects } from "node:assert/strict";
import { tokenByteLengths } from "../../../src/formats/bpe/token_lengths.ts";
import { describeCorpora, openCorpora } from "../../../src/data/corpora.ts";
import { readDataLock } from "../../../src/data/data_lock.ts";
import { blendShares } from "../../../src/data/gpt_neox/blending.ts";
import { epochsNeeded } from "../../../src/data/gpt_neox/index_mapping.ts";
import { splitDocuments } from "../../../src/data/gpt_neox/split.ts";
import { tokenBytes } from "../../../src/formats/megatron/dataset.ts";
import { openTokenizer } from "../../../src/data/open_tokenizer.ts";
import type { CorpusOptions } from "../../../src/data/options.ts";
import { sha256 } from "../../../src/digest/sha256.ts";
import { SMALL_TOKENIZER } from "../../formats/bpe/small_tokenizer.ts";
import { userError } from "../user_error.ts";
import { KNOWN_ANSWERS } from "./known_answers.ts";
import {
  DOWN,
  HELD_A,
  rows,
  SAMPLES,
  samplesOf,
  T,
  turns,
  UP_A,
  UP_B,
  withCorpora,
  writeSet,
} from "./megatron_sets.ts";

/** All training samples of both corpora, in batches of a size. */
async function readAll(options: CorpusOptions, sequences: number, seed: number) {
  const { upstream, downstream } = await openCorpora(options);
  const read = async (corpus: typeof upstream) => {
    const batches = [];
    for (let step = 0; (step + 1) * sequences <= SAMPLES; step++) {
      batches.push(await corpus.batch(step, sequences, seed));
    }
    return batches;
  };
  const [up, down] = [await read(upstream), await read(downstream)];
  upstream.close();
  downstream.close();
  return { up, down };
}

Deno.test("batches are GPT-NeoX's samples: two sets blended by their tokens, and one set divided by documents", () =>
  withCorpora(async (options) => {
    for (const seed of [1234, 5]) {
      const { up, down } = await readAll(options, 16, seed);
      const { weights, samples } = blendShares([UP_A.flat().length, UP_B.flat().length], SAMPLES);
      const sets = [UP_A, UP_B].map((set, i) => samplesOf(set, samples[i] ?? 0, seed));
      const expected = turns([...weights], SAMPLES).map(([set, sample]) => sets[set]?.[sample]);
      deepEqual(up.flatMap(({ tokens }) => rows(tokens)), expected);
      deepEqual(up.map(({ digest, tokens }) => digest === sha256(tokenBytes(tokens))), up.map(() => true));
      // One set without a validation set is not blended, and gets no reserve.
      const { train } = splitDocuments(DOWN.length);
      const alone = samplesOf(DOWN.slice(train.first, train.end), SAMPLES, seed).slice(0, SAMPLES);
      deepEqual(down.flatMap(({ tokens }) => rows(tokens)), alone);
    }
  }));

Deno.test("the samples do not depend on the batch, on what was read before, or on the process", () =>
  withCorpora(async (options) => {
    const { up } = await readAll(options, 16, 3);
    const whole = up.flatMap(({ tokens }) => rows(tokens));
    const { upstream, downstream } = await openCorpora(options);
    const request = fc.record({ step: fc.nat(60), sequences: fc.integer({ min: 1, max: 9 }), other: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(request, async ({ step, sequences, other }) => {
        fc.pre((step + 1) * sequences <= SAMPLES);
        if (other) await upstream.batch(step, sequences, 99);
        const { tokens } = await upstream.batch(step, sequences, 3);
        deepEqual(rows(tokens), whole.slice(step * sequences, (step + 1) * sequences));
      }),
      { numRuns: 40 },
    );
    upstream.close();
    downstream.close();
  }));

Deno.test("the first samples of both corpora are those that numpy gives, and the corpora have their golden digests", () =>
  withCorpora(async (options) => {
    const { upstream, downstream } = await openCorpora(options);
    equal((await upstream.batch(0, 64, 1234)).digest, KNOWN_ANSWERS.batches[0]);
    equal((await downstream.batch(0, 64, 1234)).digest, KNOWN_ANSWERS.batches[1]);
    equal(upstream.digest, "de929834bed4823cf766929e2fa218cc24783820196e5809416403531f360125");
    equal(downstream.digest, "21d3d278e7b347e0c2b85f8157f4a176f11c6b5482399bdcedaced04a73a2fa9");
    upstream.close();
    downstream.close();
  }));

Deno.test("validation windows are the first of the validation sets' order by the data seed", () =>
  withCorpora(async (options) => {
    const { upstream, downstream } = await openCorpora({ ...options, dataSeed: 77 });
    const held = samplesOf(HELD_A, 1, 77);
    const windows = await upstream.validationWindows(10);
    deepEqual(rows(windows.tokens), held.slice(0, 10));
    deepEqual(windows.domains, new Array(10).fill("a"));
    // the document that a window is said to begin in has its first token, and the whole set says the same
    const whole = await upstream.wholeValidation(held.length);
    const documentOf = new Map(rows(whole.tokens).map((row, i) => [row.join(), whole.documents[i]]));
    windows.documents.forEach((document, i) => {
      const row = rows(windows.tokens)[i] ?? [];
      equal(HELD_A[document]?.includes(row[0] ?? NaN), true);
      equal(document, documentOf.get(row.join()));
    });
    equal((await upstream.validationWindows(held.length)).sequences, held.length);
    await rejects(
      () => upstream.validationWindows(held.length + 1),
      userError("TOO_FEW_VALIDATION_WINDOWS", `${held.length} validation windows of 9 tokens`),
    );
    const { validation } = splitDocuments(DOWN.length);
    const divided = samplesOf(DOWN.slice(validation.first, validation.end), 1, 77);
    const [first] = rows((await downstream.validationWindows(1)).tokens);
    deepEqual(first, divided[0]);
    upstream.close();
    downstream.close();
  }));

Deno.test("the summary counts documents, tokens, windows and text, and the description agrees with it", () =>
  withCorpora(async (options) => {
    const described = await describeCorpora(options);
    const { upstream, downstream } = await openCorpora(options);
    const [a, b, held] = [UP_A, UP_B, HELD_A].map((set) => set.flat().length) as [number, number, number];
    const text = HELD_A.flat().filter((token) => token !== 0).length;
    const windowsIn = (tokens: number) => Math.floor((tokens - 1) / T);
    deepEqual(upstream.summary, {
      documents: { train: 130, validation: 30 },
      tokens: { train: a + b, validation: held },
      bytes: { train: Math.round((a + b) * text / held), validation: text },
      windows: { train: windowsIn(a) + windowsIn(b), validation: windowsIn(held) },
      domains: { a: a / (a + b), b: b / (a + b) },
    });
    const { train, validation } = splitDocuments(DOWN.length);
    deepEqual(downstream.summary.documents, { train: train.end, validation: validation.end - validation.first });
    for (const corpus of [upstream, downstream]) {
      equal(described[corpus.name].digest, corpus.digest);
      deepEqual(described[corpus.name].tokens, corpus.summary.tokens);
      corpus.close();
    }
    deepEqual(described.upstream.sources.map(({ name }) => name), [
      ...["a.bin", "a.idx", "b.bin", "b.idx", "a.val.bin", "a.val.idx"],
    ]);
  }));

Deno.test("given weights blend the sets, and one of 0 leaves its set out", () =>
  withCorpora(async (options) => {
    const read = async (weights: Record<string, number>) => {
      const { upstream, downstream } = await openCorpora({ ...options, weights: { upstream: weights } });
      const { tokens } = await upstream.batch(0, SAMPLES, 1);
      const { domains } = upstream.summary;
      upstream.close();
      downstream.close();
      return { samples: rows(tokens), domains };
    };
    const { weights, samples } = blendShares([3, 1], SAMPLES);
    const sets = [UP_A, UP_B].map((set, i) => samplesOf(set, samples[i] ?? 0, 1));
    const blended = await read({ a: 3, b: 1 });
    deepEqual(blended.samples, turns([...weights], SAMPLES).map(([set, sample]) => sets[set]?.[sample]));
    deepEqual(blended.domains, { a: 0.75, b: 0.25 });
    // Still with the reserve of a blend, as GPT-NeoX has it wherever sets are named.
    const alone = await read({ a: 1, b: 0 });
    deepEqual(alone.samples, samplesOf(UP_A, Math.ceil(SAMPLES * 1.005), 1).slice(0, SAMPLES));
    deepEqual(alone.domains, { a: 1 });
    await rejects(() => read({ a: 1 }), userError("MISSING_WEIGHT", 'domain "b"'));
    await rejects(() => read({ a: 1, b: 1, c: 1 }), userError("UNKNOWN_DOMAIN", '"c"'));
    await rejects(() => read({ a: 0, b: 1 }), userError("CORPUS_TOO_SHORT", "no validation tokens"));
  }));

Deno.test("one divided set has no reserve: as many samples as one epoch has windows take one epoch", () =>
  withCorpora(async (options) => {
    const { train } = splitDocuments(DOWN.length);
    const set = DOWN.slice(train.first, train.end);
    const windows = Math.floor((set.flat().length - 1) / T);
    equal(epochsNeeded(set.flat().length, T, windows), 1);
    const { upstream, downstream } = await openCorpora({ ...options, samples: { downstream: windows } });
    deepEqual(rows((await downstream.batch(0, windows, 8)).tokens), samplesOf(set, windows, 8));
    upstream.close();
    downstream.close();
  }));

Deno.test("everything that determines the windows is in the digest", () =>
  withCorpora(async (options, folder) => {
    const digestOf = async (other: Partial<CorpusOptions>) =>
      (await describeCorpora({ ...options, ...other })).upstream.digest;
    const { source } = options;
    if (source.kind !== "files") throw new Error("Files are expected");
    const own = await digestOf({});
    // Epochs count, and samples as far as they make epochs.
    equal(await digestOf({ samples: { upstream: SAMPLES + 1, downstream: 3 } }), own);
    const others = [
      await digestOf({ samples: { upstream: 10 * SAMPLES } }),
      await digestOf({ samples: {} }),
      await digestOf({ sequenceLength: T + 1 }),
      await digestOf({ dataSeed: 1 }),
      await digestOf({ weights: { upstream: { a: 1, b: 1 } } }),
      await digestOf({ source: { ...source, upstream: [...source.upstream].reverse() } }),
      await digestOf({ source: { ...source, upstream: [writeSet(`${folder}/c`, UP_A), ...source.upstream.slice(1)] } }),
    ];
    await Deno.remove(`${folder}/b.idx`);
    writeSet(`${folder}/b`, [[...UP_B[0] ?? [], 9], ...UP_B.slice(1)]);
    others.push(await digestOf({}));
    equal(new Set([own, ...others]).size, 1 + others.length);
  }));

Deno.test("a tokenizer gives the text of its tokens, and other tokens are refused", () =>
  withCorpora(async (options, folder) => {
    const { source } = options;
    if (source.kind !== "files") throw new Error("Files are expected");
    const tokenizer = await openTokenizer(SMALL_TOKENIZER, await readDataLock());
    const lengths = tokenByteLengths(
      tokenizer.source?.definition ?? (() => {
        throw new Error("no definition");
      })(),
    );
    const open = (upstream: readonly string[], file?: string) =>
      openCorpora({
        ...options,
        source: { ...source, upstream, tokenizer: file },
      });
    const { upstream, downstream } = await open(source.upstream, SMALL_TOKENIZER);
    equal(upstream.summary.bytes.validation, HELD_A.flat().reduce((sum, token) => sum + (lengths[token] ?? NaN), 0));
    upstream.close();
    downstream.close();
    const wide = writeSet(`${folder}/wide`, [...UP_B, [256, 0]]);
    const held = writeSet(`${folder}/wide.val`, [...HELD_A, [300, 0]]);
    await rejects(
      () => open([wide, held]),
      userError("UNKNOWN_TOKEN", "wide.val.bin", "token 300", "--tokenizer FILE"),
    );
    // A training token is met when it is read.
    const late = await open([wide, `${folder}/a.val.bin`]);
    const all = Array.from({ length: SAMPLES }, (_, step) => step);
    await rejects(
      async () => {
        for (const step of all) await late.upstream.batch(step, 1, 1);
      },
      userError("UNKNOWN_TOKEN", "wide.bin", "token 256", "0 to 255"),
    );
    late.upstream.close();
    late.downstream.close();
  }));

Deno.test("what cannot be a corpus of Megatron files is refused with what to do", () =>
  withCorpora(async (options, folder) => {
    const { source } = options;
    if (source.kind !== "files") throw new Error("Files are expected");
    const open = (upstream: readonly string[]) => openCorpora({ ...options, source: { ...source, upstream } });
    await Deno.writeTextFile(`${folder}/t.txt`, "text");
    const [a = "", b = ""] = source.upstream;
    await rejects(() => open([a, `${folder}/t.txt`]), userError("MIXED_FORMATS", "a.bin", "t.txt"));
    await Deno.copyFile(a, `${folder}/lone.bin`);
    await rejects(() => open([`${folder}/lone.bin`]), userError("MISSING_INDEX", 'has no "lone.idx" beside it'));
    await rejects(() => open([`${folder}/none.bin`]), userError("FILE_NOT_FOUND", "none.bin"));
    await rejects(() => open([a, writeSet(`${folder}/copy`, UP_A)]), userError("DUPLICATE_SOURCE", "copy.bin"));
    await Deno.mkdir(`${folder}/other`);
    await rejects(
      () => open([a, writeSet(`${folder}/other/a`, UP_B)]),
      userError("DUPLICATE_SOURCE", "have the same name"),
    );
    await rejects(() => open([writeSet(`${folder}/few`, UP_A.slice(0, 10))]), userError("CORPUS_TOO_SHORT", "969"));
    await rejects(() => open([`${folder}/a.val.bin`]), userError("CORPUS_TOO_SHORT", "no train tokens"));
    const brief = writeSet(`${folder}/b.val`, [[1, 2, 0]]);
    await rejects(() => open([b, brief]), userError("CORPUS_TOO_SHORT", "3 validation tokens", "window of 9"));
    await Deno.truncate(b, 100);
    await rejects(() => open([a, b]), userError("DAMAGED_DATASET", "b.idx", "has 100"));
  }));

Deno.test("two sets may have documents of the same lengths, and so the same index", () =>
  withCorpora(async (options, folder) => {
    const { source } = options;
    if (source.kind !== "files") throw new Error("Files are expected");
    const twin = writeSet(`${folder}/twin`, UP_A.map((document) => document.map((token) => token === 0 ? 0 : 1)));
    const upstream = [...source.upstream, twin];
    deepEqual(await Deno.readFile(`${folder}/twin.idx`), await Deno.readFile(`${folder}/a.idx`));
    equal((await describeCorpora({ ...options, source: { ...source, upstream } })).upstream.sources.length, 8);
  }));

Deno.test("a step beyond the samples of the order, and a seed that numpy cannot take, are refused", () =>
  withCorpora(async (options) => {
    const { upstream, downstream } = await openCorpora(options);
    await upstream.batch(SAMPLES / 8 - 1, 8, 1);
    await rejects(() => upstream.batch(SAMPLES / 8, 8, 1), userError("TOO_FEW_SAMPLES", "sample 408", "made for 400"));
    const { samples: _, ...rest } = options;
    const unordered = await openCorpora(rest);
    equal((await unordered.upstream.validationWindows(4)).digest, (await upstream.validationWindows(4)).digest);
    await rejects(() => unordered.upstream.batch(0, 1, 1), userError("TOO_FEW_SAMPLES", "made for 0"));
    unordered.upstream.close();
    unordered.downstream.close();
    await rejects(() => upstream.batch(0, 8, 2 ** 32), userError("INVALID_ORDER_SEED", "4294967296"));
    await rejects(() => upstream.batch(-1, 8, 1), RangeError);
    await rejects(() => upstream.batch(0, 0.5, 1), RangeError);
    upstream.close();
    downstream.close();
  }));
