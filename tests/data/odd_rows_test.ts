/** Rows that are passed over, and shards that hold nothing, through the whole way into the data. */
import assert from "node:assert/strict";
import { zstdCompressSync } from "node:zlib";
import { openCorpora } from "../../src/data/corpora.ts";
import { readDataLock } from "../../src/data/data_lock.ts";
import { openTokenizer } from "../../src/data/open_tokenizer.ts";
import type { CorpusOptions, DataProgress } from "../../src/data/options.ts";
import { prepare } from "../../src/data/prepared/prepare.ts";
import { readProgress } from "../../src/data/prepared/staging_progress.ts";
import { fileIngredients } from "../../src/data/text/file_sources.ts";
import { describeOddRows } from "../../src/data/text/odd_rows.ts";
import { dataWarnings } from "../../src/cli/data_warnings.ts";
import { withFolder } from "../temporary_folder.ts";
import { documentsOf, jsonLines, preparedFolders, twoFiles } from "./fixtures.ts";
import { userError } from "./user_error.ts";
import { present } from "../present.ts";

const ODD = '{"text": null}\n{"id": 1}\n{"text": "listed", "meta": ["x"]}\n';

/** What opening tells, and the summary of the upstream corpus. */
async function open(options: CorpusOptions) {
  const told: DataProgress[] = [];
  const { upstream, downstream } = await openCorpora({ ...options, onProgress: (progress) => told.push(progress) });
  upstream.close();
  downstream.close();
  return { odd: told.filter(({ stage }) => stage === "odd rows"), summary: upstream.summary, told };
}

Deno.test("openCorpora() tells of odd rows when it prepares and whenever it opens, and counts them in the summary", () =>
  withFolder(async (folder) => {
    const options = await twoFiles(folder, jsonLines(40) + ODD + jsonLines(40, [], 40), jsonLines(60));
    const expected = { stage: "odd rows", corpus: "upstream", withoutText: 2, otherMeta: 1 };
    for (let opening = 0; opening < 2; opening++) {
      const { odd, summary, told } = await open(options);
      assert.deepEqual(odd, [expected]);
      assert.deepEqual(summary.oddRows, { withoutText: 2, otherMeta: 1 });
      assert.deepEqual(summary.documents.train + summary.documents.validation, 81);
      assert.deepEqual(told.flatMap(dataWarnings), describeOddRows("upstream", { withoutText: 2, otherMeta: 1 }));
    }
  }));

Deno.test("openCorpora() prepares the same bytes with rows without text as without them", () =>
  withFolder(async (folder) => {
    const prepared = async (name: string, upstream: string) => {
      await Deno.mkdir(`${folder}/${name}`);
      const options = await twoFiles(`${folder}/${name}`, upstream, jsonLines(60));
      const { summary } = await open(options);
      const folders = preparedFolders(`${folder}/${name}/cache`);
      return { summary, documents: folders.flatMap((path) => documentsOf(path, "train")).sort() };
    };
    const plain = await prepared("plain", jsonLines(80));
    const odd = await prepared("odd", `{"text": null}\n${jsonLines(80)}{"id": 1}\n`);
    assert.deepEqual(odd.documents, plain.documents);
    const { oddRows, ...summary } = odd.summary;
    assert.deepEqual(oddRows, { withoutText: 2, otherMeta: 0 });
    assert.deepEqual(summary, present(plain.summary), "what is not odd is not counted");
  }));

Deno.test("describeOddRows() says what became of them", () => {
  assert.deepEqual(describeOddRows("upstream", { withoutText: 1, otherMeta: 1234 }), [
    'In the upstream corpus, 1 row without a "text" (it is missing or null) was passed over.',
    'In the upstream corpus, 1,234 rows with a "meta" that is no object went into the domain "default".',
  ]);
});

Deno.test("prepare() knows the odd rows after an interruption between its two passes", () =>
  withFolder(async (folder) => {
    const options = await twoFiles(folder, jsonLines(40) + ODD, jsonLines(60));
    const lock = await readDataLock(undefined);
    const settings = { options, tokenizer: await openTokenizer(undefined, lock, undefined), dataSeed: 1, lock };
    const ingredients = await fileIngredients("upstream", [`${folder}/up.jsonl`], settings);
    await Deno.mkdir(`${folder}/partial`);
    const stop = new Error("stopped");
    const onProgress = ({ stage }: DataProgress) => {
      if (stage === "shuffle") throw stop;
    };
    const attempt = (onProgress: (progress: DataProgress) => void) =>
      prepare(ingredients, `${folder}/partial`, { threads: 1, checkpointBytes: 1000, onProgress });
    await assert.rejects(attempt(onProgress), stop);
    const progress = await readProgress(`${folder}/partial`, ingredients.preparedDigest);
    assert.deepEqual(progress?.oddRows, { withoutText: 2, otherMeta: 1 });
    await attempt(() => {});
    const { manifest } = JSON.parse(await Deno.readTextFile(`${folder}/partial/prepared.json`));
    assert.deepEqual(manifest.oddRows, { withoutText: 2, otherMeta: 1 });
  }));

Deno.test("openCorpora() takes shards that hold nothing, however many are equal, and refuses equal ones with text", () =>
  withFolder(async (folder) => {
    const shards: [string, string | Uint8Array][] = [
      ["a.jsonl", jsonLines(80)],
      ["b.jsonl", ""],
      ["c.jsonl", ""],
      ["d.txt", ""],
      ["e.jsonl.zst", zstdCompressSync("")],
      ["f.jsonl.zst", zstdCompressSync("")],
      ["g.jsonl", "\n"],
      ["h.jsonl", "\n"],
    ];
    for (const [name, content] of shards) {
      await Deno.writeFile(
        `${folder}/${name}`,
        typeof content === "string" ? new TextEncoder().encode(content) : content,
      );
    }
    await Deno.writeTextFile(`${folder}/down.jsonl`, jsonLines(60));
    const options = (...names: string[]): CorpusOptions => ({
      source: {
        kind: "files",
        upstream: names.map((name) => `${folder}/${name}`),
        downstream: [`${folder}/down.jsonl`],
      },
      sequenceLength: 16,
      cacheFolder: `${folder}/cache`,
    });
    const { summary } = await open(options(...shards.map(([name]) => name)));
    assert.equal(summary.documents.train + summary.documents.validation, 80);
    await Deno.writeFile(`${folder}/twin.jsonl`, await Deno.readFile(`${folder}/a.jsonl`));
    await assert.rejects(
      open(options("a.jsonl", "b.jsonl", "twin.jsonl")),
      userError("DUPLICATE_SOURCE", "twin.jsonl"),
    );
    await assert.rejects(open(options("b.jsonl", "c.jsonl")), userError("CORPUS_EMPTY", "has no text"));
  }));
