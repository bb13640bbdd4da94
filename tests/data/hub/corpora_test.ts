/** Corpora of datasets that lie in the cache of downloads. */
import assert from "node:assert/strict";
import { zstdCompressSync } from "node:zlib";
import { tokenByteLengths } from "../../../src/formats/bpe/token_lengths.ts";
import { describeCorpora, openCorpora } from "../../../src/data/corpora.ts";
import { readDataLock } from "../../../src/data/data_lock.ts";
import { withHubPins } from "../../../src/data/hub/lock.ts";
import { openTokenizer } from "../../../src/data/open_tokenizer.ts";
import type { CorpusOptions, DataProgress } from "../../../src/data/options.ts";
import { slimPajamaTokens, slimPajamaWeights } from "../../../src/data/slimpajama.ts";
import { loadScale } from "../../../src/experiment/catalogue.ts";
import { HubCache } from "../../../src/hub/cache.ts";
import { withFolder } from "../../temporary_folder.ts";
import { SMALL_TOKENIZER } from "../../formats/bpe/small_tokenizer.ts";
import { story } from "../fixtures.ts";
import { FIXTURE_CATALOGUE } from "../../experiment/plan/plan_fixture.ts";
import { userError } from "../user_error.ts";
import { COMMIT, lay } from "./laid_repository.ts";

const T = 16;
const ROW = T + 1;
const DOMAINS = Object.keys(slimPajamaWeights());

/** Rows of ascending ids, so that each row can be told by its first. */
const STREAM = Uint16Array.from({ length: 40 * ROW + 5 }, (_, i) => 1 + (i % 250));

/** Lines whose domains take turns, of lengths that differ between the domains. */
function lines(count: number, first: number): Uint8Array<ArrayBuffer> {
  const text = Array.from({ length: count }, (_, i) => {
    const name = DOMAINS[i % DOMAINS.length];
    return `${JSON.stringify({ text: story(first + i, 30), meta: { redpajama_set_name: name } })}\n`;
  }).join("");
  return zstdCompressSync(text);
}

async function withDatasets(use: (options: CorpusOptions, cache: HubCache) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const cache = new HubCache(`${folder}/hub`);
    const bytes = new Uint8Array(STREAM.buffer);
    const upstream = await lay(cache, "some/rows", {
      // Cut in the middle of a row, and of a token.
      "document-00000-of-00002.bin": bytes.slice(0, 301),
      "document-00001-of-00002.bin": bytes.slice(301, 800),
      "document-00002-of-00002.bin": bytes.slice(800),
      "document.idx": new Uint8Array(34),
    });
    const downstream = await lay(cache, "some/text", {
      "train/chunk2/a.jsonl.zst": lines(210, 210),
      "train/chunk1/a.jsonl.zst": lines(210, 0),
      "validation/chunk1/a.jsonl.zst": lines(70, 1000),
    });
    const lockFile = `${folder}/lock.yaml`;
    const tokenizer = await lay(
      cache,
      "some/model",
      { "tokenizer.json": await Deno.readFile(SMALL_TOKENIZER) },
      "model",
    );
    const held = await lay(cache, "some/held-out", { "val.jsonl.zst": lines(70, 4000) });
    const pins = {
      "datasets/some/rows": upstream,
      "datasets/some/text": downstream,
      "datasets/some/held-out": held,
      "models/some/model": tokenizer,
    };
    await Deno.writeTextFile(lockFile, withHubPins("version: 1\npackages: {}\nfiles: {}\n", pins));
    const tokens = { train: 1e6, validation: 5 * ROW };
    await use({
      source: {
        kind: "huggingface",
        upstream: { dataset: "some/rows", tokens },
        downstream: { dataset: "some/text", tokens },
        tokenizer: "some/model",
        hubCache: cache.folder,
      },
      sequenceLength: T,
      cacheFolder: `${folder}/data`,
      lockFile,
    }, cache);
  });
}

Deno.test("openCorpora() reads token rows as they are, in their order, and keeps the last back for validation", () =>
  withDatasets(async (options) => {
    const { upstream, downstream } = await openCorpora(options);
    try {
      assert.deepEqual(upstream.summary.windows, { train: 35, validation: 5 });
      const row = (i: number) => [...STREAM.subarray(i * ROW, (i + 1) * ROW)];
      const { tokens } = await upstream.batch(3, 4, 1234);
      assert.deepEqual([...tokens], [12, 13, 14, 15].flatMap(row));
      assert.deepEqual(
        [...(await upstream.batch(6, 6, 1234)).tokens.subarray(0, ROW)],
        row(1),
        "begins again after 35",
      );
      const validation = await upstream.validationWindows(5);
      assert.deepEqual([...validation.tokens], [35, 36, 37, 38, 39].flatMap(row));
      await assert.rejects(upstream.validationWindows(6), { code: "TOO_FEW_VALIDATION_WINDOWS" });
      await assert.rejects(upstream.batch(-1, 4, 1), RangeError);
      await assert.rejects(upstream.batch(0, 0.5, 1), RangeError);
    } finally {
      upstream.close();
      downstream.close();
    }
  }));

Deno.test("openCorpora() permutes token rows by any other order seed than that of their own training, anew in each epoch", () =>
  withDatasets(async (options) => {
    const { upstream, downstream } = await openCorpora(options);
    try {
      const all = Array.from({ length: 35 }, (_, i) => STREAM.subarray(i * ROW, (i + 1) * ROW).join());
      const epoch = async (seed: number, number: number) => {
        const { tokens } = await upstream.batch(number, 35, seed);
        return Array.from({ length: 35 }, (_, i) => tokens.subarray(i * ROW, (i + 1) * ROW).join());
      };
      const orders = [await epoch(1, 0), await epoch(1, 1), await epoch(1235, 0), await epoch(1234, 0)];
      for (const order of orders) assert.deepEqual([...order].sort(), [...all].sort(), "each row once");
      assert.equal(new Set(orders.map((order) => order.join(" "))).size, 4);
      assert.deepEqual(orders[3], all);
      assert.deepEqual(await epoch(1, 0), orders[0], "whatever was asked for in between");
    } finally {
      upstream.close();
      downstream.close();
    }
  }));

Deno.test("openCorpora() takes another dataset's documents for validation of token rows, all of which are then trained on", () =>
  withDatasets(async (options) => {
    const { source } = options;
    assert(source.kind === "huggingface");
    const apart = (name: "upstream" | "downstream") => ({
      ...options,
      source: { ...source, [name]: { ...source[name], validation: "some/held-out" } },
    });
    const [plain, rows, text] = [
      await openCorpora(options),
      await openCorpora(apart("upstream")),
      await openCorpora(apart("downstream")),
    ];
    try {
      const { windows, documents, bytes } = rows.upstream.summary;
      assert.equal(windows.train, 40);
      assert.equal(documents.validation, 70);
      assert.equal(
        bytes.validation,
        Array.from({ length: 70 }, (_, i) => story(4000 + i, 30).length).reduce((a, b) => a + b),
      );
      assert.notEqual(rows.upstream.digest, plain.upstream.digest);
      const { tokens, domains, documents: begun } = await rows.upstream.validationWindows(35);
      assert.equal(tokens.length, 35 * ROW);
      assert.equal(begun.length, 35);
      assert.deepEqual((await plain.upstream.validationWindows(5)).documents, [0, 1, 2, 3, 4], "each row is one");
      assert.equal(new Set(domains).size, DOMAINS.length, "each in the proportion of its tokens");
      await assert.rejects(rows.upstream.validationWindows(windows.validation + 1), {
        code: "TOO_FEW_VALIDATION_WINDOWS",
      });
      const described = await describeCorpora(apart("upstream"));
      assert.equal(described.upstream.digest, rows.upstream.digest);
      assert.deepEqual(described.upstream.sources.map(({ name }) => name).at(-1), "val.jsonl.zst");

      assert.equal(text.downstream.summary.documents.train, plain.downstream.summary.documents.train);
      assert.notEqual(text.downstream.digest, plain.downstream.digest);
      assert.equal(text.downstream.summary.bytes.validation, bytes.validation, "not its own validation split");
    } finally {
      for (const { upstream, downstream } of [plain, rows, text]) {
        upstream.close();
        downstream.close();
      }
    }
  }));

Deno.test("openCorpora() counts the text of validation rows by the tokenizer", () =>
  withDatasets(async (options) => {
    const { upstream, downstream } = await openCorpora(options);
    upstream.close();
    downstream.close();
    const tokenizer = await openTokenizer(SMALL_TOKENIZER, await readDataLock(options.lockFile));
    assert(tokenizer.source !== undefined);
    const lengths = tokenByteLengths(tokenizer.source.definition);
    const text = "Rows of tokens, über alles: " + story(7);
    const ids = tokenizer.encode(text);
    assert.equal(ids.reduce((sum, id) => sum + (lengths[id] ?? 0), 0), new TextEncoder().encode(text).length);
    const held = STREAM.subarray(35 * ROW, 40 * ROW).reduce((sum, id) => sum + (lengths[id] ?? 0), 0);
    assert.equal(upstream.summary.bytes.validation, held);
  }));

Deno.test("openCorpora() splits text into domains, takes so many tokens of each, and blends by the paper's weights", () =>
  withDatasets(async (options) => {
    const domainTokens = { downstream: Object.fromEntries(DOMAINS.map((name) => [name, 401])) };
    const weights = { downstream: slimPajamaWeights() };
    const whole = await openCorpora(options);
    const cut = await openCorpora({ ...options, domainTokens, weights });
    try {
      assert.notEqual(cut.downstream.digest, whole.downstream.digest);
      assert.equal(cut.upstream.digest, whole.upstream.digest);
      assert(whole.downstream.summary.windows.train > 7 * 25);
      assert.equal(cut.downstream.summary.windows.train, 7 * 25, "401 tokens are 25 windows of 16 and a last target");
      assert.equal(cut.downstream.summary.domains.RedPajamaCommonCrawl, 0.67);
      const { domains } = await cut.downstream.validationWindows(40);
      const shares = DOMAINS.map((name) => domains.filter((domain) => domain === name).length);
      assert.deepEqual(shares, [1, 1, 2, 2, 2, 6, 26]);
      const first = await cut.downstream.batch(0, 20, 1);
      assert.equal((await cut.downstream.batch(0, 20, 1)).digest, first.digest);
      assert.notEqual((await cut.downstream.batch(0, 20, 2)).digest, first.digest);
    } finally {
      for (const corpus of [whole.upstream, whole.downstream, cut.upstream, cut.downstream]) corpus.close();
    }
  }));

Deno.test("openCorpora() tells of domains that are shorter than they are to be, and of corpora that runs read again", () =>
  withDatasets(async (options) => {
    const shortages = async (more: Partial<CorpusOptions>) => {
      const found: DataProgress[] = [];
      const onProgress = (progress: DataProgress) => {
        if (progress.stage === "shortage") found.push(progress);
      };
      const { upstream, downstream } = await openCorpora({ ...options, ...more, onProgress });
      upstream.close();
      downstream.close();
      return found;
    };
    assert.deepEqual(await shortages({}), []);
    assert.deepEqual(await shortages({ samples: { upstream: 35 } }), []);
    assert.deepEqual(await shortages({ samples: { upstream: 36 } }), [
      { stage: "shortage", corpus: "upstream", wanted: 36 * T, found: 35 * T },
    ]);
    const [name = "", other = ""] = DOMAINS;
    const wanted = { downstream: { [name]: 401, [other]: 1e9 } };
    const [shortage, ...none] = await shortages({ domainTokens: wanted, samples: { downstream: 1e6 } });
    assert.deepEqual(none, [], "the domain says it all");
    assert(shortage?.stage === "shortage");
    const { domain, found } = shortage;
    assert.equal(domain, other);
    assert(found > 401 && found < 1e5, `${found}`);
    const leftOut = { downstream: { ...slimPajamaWeights(), [other]: 0 } };
    assert.deepEqual(await shortages({ domainTokens: wanted, weights: leftOut }), []);
  }));

Deno.test("openCorpora() reads a mirror in Parquet, with its validation set and without its test set", () =>
  withDatasets(async (options, cache) => {
    const fixture = async (name: string) =>
      await Deno.readFile(new URL(`../../fixtures/parquet/${name}`, import.meta.url));
    const pin = await lay(cache, "some/mirror", {
      "data/train-00000-of-00001.parquet": await fixture("snappy.parquet"),
      "data/validation-00000-of-00001.parquet": await fixture("meta_json.parquet"),
      "data/test-00000-of-00001.parquet": await fixture("lz4.parquet"),
    });
    const { source, lockFile = "" } = options;
    assert(source.kind === "huggingface");
    const { hub } = await readDataLock(lockFile);
    await Deno.writeTextFile(
      lockFile,
      withHubPins(await Deno.readTextFile(lockFile), { ...hub, "datasets/some/mirror": pin }),
    );
    const downstream = { dataset: "some/mirror", tokens: { train: 1e6, validation: 10 * ROW } };
    const opened = await openCorpora({ ...options, source: { ...source, downstream } });
    opened.upstream.close();
    opened.downstream.close();
    assert.deepEqual(opened.downstream.summary.documents, { train: 59, validation: 59 });
    const named = `${cache.folder}/datasets/some/mirror/${
      COMMIT.slice(0, 12)
    }/data/validation-00000-of-00001.val.parquet`;
    assert((await Deno.stat(named)).isFile, "the name tells files of one's own apart too");
  }));

Deno.test("describeCorpora() says what is missing, damaged, or of another tokenizer", () =>
  withDatasets(async (options, cache) => {
    const described = await describeCorpora(options);
    assert.equal(described.upstream.tokens.train, 35 * ROW);
    assert.deepEqual(described.downstream.sources.map(({ name }) => name), [
      "train/chunk1/a.jsonl.zst",
      "train/chunk2/a.jsonl.zst",
      "validation/chunk1/a.jsonl.zst",
    ]);
    const named = (path: string) => `${cache.folder}/datasets/some/${path.replace("/", `/${COMMIT.slice(0, 12)}/`)}`;
    const shard = named("rows/document-00001-of-00002.bin");
    const bytes = await Deno.readFile(shard);
    await Deno.remove(shard);
    await assert.rejects(describeCorpora(options), userError("DATA_NOT_FETCHED", "1 of 3 files", "data fetch"));
    bytes[7] = 255 - (bytes[7] ?? 0);
    await Deno.writeFile(shard, bytes);
    await assert.rejects(openCorpora(options), userError("DIGEST_MISMATCH", shard, "data fetch"));
    const tokenizer = `${cache.folder}/models/some/model/${COMMIT.slice(0, 12)}/tokenizer.json`;
    await Deno.remove(tokenizer);
    await Deno.writeTextFile(tokenizer, (await Deno.readTextFile(SMALL_TOKENIZER)).replace("NFC", "NFD"));
    await assert.rejects(describeCorpora(options), userError("DIGEST_MISMATCH", "tokenizer.json"));
    const unlocked = { ...options, lockFile: "lockfiles/data.lock.yaml" };
    await assert.rejects(describeCorpora(unlocked), userError("NOT_LOCKED", "models/some/model", "data lock"));
  }));

Deno.test("slimPajamaTokens() is the paper's table at the paper's scale, and a thousandth of it at small", async () => {
  const paper = slimPajamaTokens(await loadScale("paper", FIXTURE_CATALOGUE.folder));
  assert(Math.abs((paper.RedPajamaCommonCrawl ?? 0) / 153.25e9 - 1) < 0.001);
  assert(Math.abs((paper.RedPajamaBook ?? 0) / 14.22e9 - 1) < 0.001);
  const small = slimPajamaTokens(await loadScale("small", FIXTURE_CATALOGUE.folder));
  assert(Math.abs((small.RedPajamaStackExchange ?? 0) / 9.95e6 - 1) < 0.005);
  assert.equal(Object.values(slimPajamaWeights()).reduce((sum, weight) => sum + weight, 0), 100);
});
