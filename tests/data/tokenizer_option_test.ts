import { equal, notEqual, rejects } from "node:assert/strict";
import { describeCorpora, openCorpora } from "../../src/data/corpora.ts";
import { withFolder } from "../temporary_folder.ts";
import { SMALL_TOKENIZER } from "../formats/bpe/small_tokenizer.ts";
import { jsonLines, twoFiles } from "./fixtures.ts";
import { userError } from "./user_error.ts";

async function options(folder: string, tokenizer = SMALL_TOKENIZER) {
  const { source, ...rest } = await twoFiles(folder, jsonLines(80), jsonLines(60, [], 500));
  if (source.kind !== "files") throw new Error("No files");
  return { ...rest, source: { ...source, tokenizer } };
}

Deno.test("openCorpora() tokenises files with the tokenizer given, whose file is part of the digest", () =>
  withFolder(async (folder) => {
    const withTokenizer = await options(folder);
    const { source: { tokenizer: _, ...source }, ...rest } = withTokenizer;
    const bytes = await openCorpora({ ...rest, source });
    const words = await openCorpora(withTokenizer);
    notEqual(words.upstream.digest, bytes.upstream.digest);
    equal(words.upstream.digest, (await describeCorpora(withTokenizer)).upstream.digest);
    equal(words.upstream.summary.bytes.train, bytes.upstream.summary.bytes.train);
    const { tokens } = await words.upstream.batch(0, 16, 1);
    equal(tokens.some((id) => id > 255), true);
    equal(words.upstream.summary.tokens.train < bytes.upstream.summary.tokens.train, true);
    const other = `${folder}/other.json`;
    await Deno.writeTextFile(other, `${await Deno.readTextFile(SMALL_TOKENIZER)}\n`);
    notEqual((await describeCorpora(await options(folder, other))).upstream.digest, words.upstream.digest);
    for (const corpus of [bytes, words]) {
      corpus.upstream.close();
      corpus.downstream.close();
    }
  }));

Deno.test("describeCorpora() refuses a tokenizer that the model has no ids for, before anything is read", () =>
  withFolder(async (folder) => {
    const given = await options(folder);
    await rejects(
      describeCorpora({ ...given, vocabularySize: 576 }),
      userError("VOCABULARY_TOO_LARGE", "tokenizer.json", "583 ids", "has 576"),
    );
    await describeCorpora({ ...given, vocabularySize: 584 });
    const { source: { tokenizer: _, ...source }, ...rest } = given;
    await rejects(describeCorpora({ ...rest, source, vocabularySize: 128 }), userError("VOCABULARY_TOO_LARGE", "byte"));
  }));

Deno.test("describeCorpora() refuses another file than the lockfile pins, and one that is not there", () =>
  withFolder(async (folder) => {
    const pinned = `${folder}/20B_tokenizer.json`;
    await Deno.copyFile(SMALL_TOKENIZER, pinned);
    await rejects(
      describeCorpora(await options(folder, pinned)),
      userError("DIGEST_MISMATCH", "20B_tokenizer.json", "56ac…5ade", "lockfiles/data.lock.yaml"),
    );
    await rejects(
      describeCorpora(await options(folder, `${folder}/none.json`)),
      userError("FILE_NOT_FOUND", "none.json"),
    );
  }));
