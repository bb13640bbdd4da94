import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import type { SourceDocument } from "../../../src/data/domain.ts";
import type { Ingredients } from "../../../src/data/text_ingredients.ts";
import { openPrepared } from "../../../src/data/prepared/cache.ts";
import { prepare } from "../../../src/data/prepared/prepare.ts";
import { PROGRESS_FILE } from "../../../src/data/prepared/staging_progress.ts";
import type { Tokenizer } from "../../../src/formats/tokenizer.ts";
import { sha256 } from "../../../src/digest/sha256.ts";
import { withFolder } from "../../temporary_folder.ts";
import { bpeTokenizer } from "../../formats/bpe/small_tokenizer.ts";
import { story } from "../fixtures.ts";

const tokenizer = await bpeTokenizer();
const DOCUMENTS: SourceDocument[] = Array.from({ length: 300 }, (_, i) => ({
  domain: ["web", "books", "code"][i < 50 ? 0 : i % 3] ?? "",
  split: i % 7 === 0 ? "validation" : "train",
  text: `${i} ${story(i, 60)}`,
}));

/** A corpus whose source breaks after so many documents. */
function corpus(breaksAfter = Infinity, using: Tokenizer = tokenizer): Ingredients {
  return {
    name: "upstream",
    tokenizer: using,
    dataSeed: 1234,
    preparedDigest: sha256("a corpus"),
    digest: sha256("a corpus with windows"),
    sources: [],
    expected: { exact: false, bytes: { train: 0, validation: 0 }, documents: { train: 0, validation: 0 } },
    sourceBytes: 0,
    *documents() {
      for (const [i, document] of DOCUMENTS.entries()) {
        if (i === breaksAfter) throw new Error("the power went out");
        yield document;
      }
    },
  };
}

/** A tokenizer that counts, which cannot be sent to a thread. */
function counting(): Tokenizer & { encoded: number } {
  const counter = {
    name: tokenizer.name,
    specification: tokenizer.specification,
    vocabularySize: tokenizer.vocabularySize,
    endOfText: tokenizer.endOfText,
    bytesPerToken: tokenizer.bytesPerToken,
    encoded: 0,
    encode(text: string) {
      counter.encoded++;
      return tokenizer.encode(text);
    },
  };
  return counter;
}

/** Every file of a folder with its digest. */
function contents(folder: string): Record<string, string> {
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  return Object.fromEntries(names.map((name) => [name, sha256(Deno.readFileSync(`${folder}/${name}`))]));
}

const CHECKPOINT = 20_000;
/** One thread: several hold batches that an interruption loses, which here would be everything. */
const quiet = { onProgress: () => {}, checkpointBytes: CHECKPOINT, threads: 1 };

async function wholeContents(folder: string): Promise<Record<string, string>> {
  const whole = `${folder}/whole`;
  await Deno.mkdir(whole);
  await prepare(corpus(), whole, { onProgress: () => {}, threads: 1 });
  return contents(whole);
}

Deno.test("prepare() writes the same files with any number of threads, and leaves nothing else", () =>
  withFolder(async (folder) => {
    const expected = await wholeContents(folder);
    equal(Object.keys(expected).length, 13, "three domains, two splits, two files each, and prepared.json");
    for (const threads of [2, 3]) {
      const path = `${folder}/${threads}`;
      await Deno.mkdir(path);
      await prepare(corpus(), path, { ...quiet, threads });
      deepEqual(contents(path), expected);
    }
  }));

Deno.test("prepare() goes on where it was interrupted, and writes the same files", () =>
  withFolder(async (folder) => {
    const expected = await wholeContents(folder);
    const path = `${folder}/interrupted`;
    await Deno.mkdir(path);
    for (const [breaksAfter, threads] of [[30, 1], [120, 1], [121, 2], [250, 1], [299, 3]] as const) {
      await rejects(prepare(corpus(breaksAfter), path, { ...quiet, threads }), /the power went out/);
    }
    const last = counting();
    await prepare(corpus(Infinity, last), path, quiet);
    ok(last.encoded > 0 && last.encoded < 110, `${last.encoded} documents were encoded again`);
    deepEqual(contents(path), expected);
  }));

Deno.test("prepare() goes on between two splits that are shuffled", () =>
  withFolder(async (folder) => {
    const expected = await wholeContents(folder);
    const path = `${folder}/interrupted`;
    await Deno.mkdir(path);
    let shuffles = 0;
    const stop = {
      ...quiet,
      onProgress: ({ stage }: { stage: string }) => {
        if (stage === "shuffle" && shuffles++ === 200) throw new Error("the power went out");
      },
    };
    await rejects(prepare(corpus(), path, stop), /the power went out/);
    const names = Object.keys(contents(path));
    ok(names.includes("00-books.train.bin") && names.includes("staging-0-train.tokens"), names.join());
    const last = counting();
    await prepare(corpus(Infinity, last), path, quiet);
    equal(last.encoded, 0);
    deepEqual(contents(path), expected);
  }));

Deno.test("prepare() begins again when a kept file is not what was recorded", () =>
  withFolder(async (folder) => {
    const expected = await wholeContents(folder);
    const path = `${folder}/damaged`;
    for (const name of ["staging-0-train.tokens", "staging-1-validation.starts", PROGRESS_FILE]) {
      await Deno.mkdir(path);
      await rejects(prepare(corpus(250), path, quiet), /the power went out/);
      const bytes = await Deno.readFile(`${path}/${name}`);
      bytes[10] = (bytes[10] ?? 0) ^ 1;
      await Deno.writeFile(`${path}/${name}`, bytes);
      const again = counting();
      await prepare(corpus(Infinity, again), path, quiet);
      equal(again.encoded, DOCUMENTS.length, name);
      deepEqual(contents(path), expected);
      await Deno.remove(path, { recursive: true });
    }
  }));

Deno.test("openPrepared() finishes what an interrupted process left, and keeps nothing of a short corpus that failed", () =>
  withFolder(async (folder) => {
    const cache = `${folder}/cache`;
    await rejects(openPrepared(corpus(100), cache, () => {}), /the power went out/);
    deepEqual([...Deno.readDirSync(cache)].filter(({ isDirectory }) => isDirectory), []);
    const partial = `${cache}/${sha256("a corpus")}.partial`;
    await Deno.mkdir(partial);
    await rejects(prepare(corpus(250), partial, quiet), /the power went out/);
    const rest = counting();
    const { manifest } = await openPrepared(corpus(Infinity, rest), cache, () => {});
    ok(rest.encoded < 110, `${rest.encoded} documents were encoded again`);
    deepEqual(manifest.domains.map(({ name }) => name), ["books", "code", "web"]);
    deepEqual([...Deno.readDirSync(cache)].filter(({ isDirectory }) => isDirectory).length, 1);
  }));

Deno.test({
  name: "openPrepared() neither writes nor removes anything through a link in the cache",
  ignore: Deno.build.os === "windows",
  fn: () =>
    withFolder(async (folder) => {
      const cache = `${folder}/cache`, others = `${folder}/others`;
      await Deno.mkdir(`${others}/deep`, { recursive: true });
      await Deno.mkdir(cache);
      await Deno.writeTextFile(`${others}/deep/thesis.tex`, "years of work");
      for (const ending of ["", ".partial", ".lock"]) {
        for (const target of [others, `${others}/deep/thesis.tex`, `${others}/new`]) {
          const link = `${cache}/${sha256("a corpus")}${ending}`;
          await Deno.symlink(target, link);
          await rejects(openPrepared(corpus(), cache, () => {}), { code: "IS_A_LINK" }, `${ending} -> ${target}`);
          await Deno.remove(link);
        }
      }
      deepEqual([...Deno.readDirSync(others)].map(({ name }) => name), ["deep"]);
      equal(await Deno.readTextFile(`${others}/deep/thesis.tex`), "years of work");
    }),
});
