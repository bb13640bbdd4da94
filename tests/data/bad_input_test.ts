import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { zstdCompressSync } from "node:zlib";
import { describeCorpora, openCorpora } from "../../src/data/corpora.ts";
import type { CorpusOptions } from "../../src/data/options.ts";
import { sha256, shortDigest } from "../../src/digest/sha256.ts";
import { withFolder } from "../temporary_folder.ts";
import { jsonLines, story } from "./fixtures.ts";
import { userError } from "./user_error.ts";

/** Options with one upstream file of the given name and content, and a good downstream file. */
async function withUpstream(folder: string, name: string, content: string | Uint8Array): Promise<CorpusOptions> {
  await Deno.writeTextFile(`${folder}/good.jsonl`, jsonLines(60));
  await Deno.writeFile(
    `${folder}/${name}`,
    typeof content === "string" ? new TextEncoder().encode(content) : content,
  );
  return {
    source: { kind: "files", upstream: [`${folder}/${name}`], downstream: [`${folder}/good.jsonl`] },
    sequenceLength: 16,
    cacheFolder: `${folder}/cache`,
  };
}

/** Opens and expects a user error, with nothing half written left behind. */
async function refuses(options: CorpusOptions, code: string, ...parts: string[]): Promise<void> {
  await rejects(openCorpora(options), userError(code, ...parts));
  const { cacheFolder = "" } = options;
  const left = await Array.fromAsync(Deno.readDir(cacheFolder)).catch(() => []);
  deepEqual(left.filter(({ isDirectory }) => isDirectory), []);
}

const bytes = (...parts: (string | number[])[]) =>
  Uint8Array.from(parts.flatMap((part) => (typeof part === "string" ? [...new TextEncoder().encode(part)] : part)));

Deno.test("openCorpora() names file and byte of text that is not UTF-8", () =>
  withFolder(async (folder) => {
    const prose = `${story(1, 3000)}\n\n`;
    const at = prose.length + 2;
    const text = bytes(prose, "ab", [0xc3, 0x28], "\n", prose);
    await refuses(await withUpstream(folder, "a.txt", text), "NOT_UTF8", "a.txt", `at byte ${at}`);
    const marked = bytes([0xef, 0xbb, 0xbf], prose, [0xff]);
    await refuses(await withUpstream(folder, "b.txt", marked), "NOT_UTF8", "b.txt", `at byte ${prose.length + 3}`);
    const line = bytes('{"text": "good"}\n{"text": "', [0xff], '"}\n');
    await refuses(await withUpstream(folder, "c.jsonl", line), "NOT_UTF8", "c.jsonl", "at byte 27", "line 2");
    const compressed = Uint8Array.from(zstdCompressSync(line));
    await refuses(
      await withUpstream(folder, "d.jsonl.zst", compressed),
      "NOT_UTF8",
      "d.jsonl.zst",
      "byte 27 of its decompressed text",
    );
    const lone = '{"text": "\\ud800"}\n';
    await refuses(await withUpstream(folder, "e.jsonl", lone), "NOT_UTF8", 'e.jsonl" line 1', "lone surrogate");
  }));

Deno.test("openCorpora() names file and line of JSON lines that are malformed", () =>
  withFolder(async (folder) => {
    const good = '{"text": "good"}\n';
    const cases: [string, string, string][] = [
      ['{"text": "cut', "MALFORMED_JSON", "line 3 is not JSON"],
      ["[1, 2]", "MISSING_TEXT", "line 3 is no JSON object"],
      ['"text"', "MISSING_TEXT", "line 3 is no JSON object"],
      ['{"text": 5}', "MISSING_TEXT", 'line 3 has no field "text" that holds text'],
      ['{"text": "x", "meta": {"pile_set_name": 7}}', "INVALID_META", '"meta.pile_set_name"'],
    ];
    for (const [line, code, part] of cases) {
      await refuses(await withUpstream(folder, "a.jsonl", `${good}\n${line}\n${good}`), code, "a.jsonl", part);
    }
  }));

Deno.test("openCorpora() refuses corpora that are empty or too short", () =>
  withFolder(async (folder) => {
    await refuses(await withUpstream(folder, "a.txt", ""), "CORPUS_EMPTY", "upstream corpus", "has no text");
    await refuses(await withUpstream(folder, "a.jsonl", '\n{"text": ""}\n'), "CORPUS_EMPTY", "upstream");
    const without = '{"content": "x"}\n{"text": null}\n';
    await refuses(
      await withUpstream(folder, "b.jsonl", without),
      "CORPUS_EMPTY",
      '2 rows whose "text" is missing or null',
    );
    const options = await withUpstream(folder, "a.txt", "x");
    await refuses(
      { ...options, source: { kind: "files", upstream: [], downstream: [`${folder}/good.jsonl`] } },
      "CORPUS_EMPTY",
      "--upstream PATH",
    );
    const short = await withUpstream(folder, "b.jsonl", jsonLines(40));
    await rejects(
      openCorpora({ ...short, sequenceLength: 1_000_000 }),
      userError("CORPUS_TOO_SHORT", "upstream corpus has no train window", "a window needs 1000001"),
    );
    await rejects(
      openCorpora(await withUpstream(folder, "only.val.jsonl", jsonLines(40))),
      userError("CORPUS_TOO_SHORT", '"only.val.jsonl" is for validation, as ".val." in the name says'),
    );
    await Deno.writeTextFile(`${folder}/c.val.jsonl`, '{"text": "fifteen tokens"}\n');
    const source = {
      kind: "files",
      upstream: [`${folder}/b.jsonl`, `${folder}/c.val.jsonl`],
      downstream: [`${folder}/good.jsonl`],
    } as const;
    await rejects(
      openCorpora({ ...short, source }),
      userError("CORPUS_TOO_SHORT", "no validation window", "hold 15 validation tokens, and a window needs 17"),
    );
    await openCorpora({ ...short, source, sequenceLength: 14 }).then(({ upstream, downstream }) => {
      equal(upstream.summary.windows.validation, 1);
      upstream.close();
      downstream.close();
    });
  }));

Deno.test("openCorpora() refuses files that are missing, unreadable, folders or of an unknown kind", () =>
  withFolder(async (folder) => {
    const options = await withUpstream(folder, "a.csv", "x");
    await refuses(options, "UNKNOWN_FORMAT", "a.csv", ".txt, .jsonl, .jsonl.zst, .parquet");
    const upstreamOf = (...upstream: string[]): CorpusOptions => ({
      ...options,
      source: { kind: "files", upstream, downstream: [`${folder}/good.jsonl`] },
    });
    await refuses(upstreamOf(`${folder}/none.txt`), "FILE_NOT_FOUND", "none.txt");
    await Deno.mkdir(`${folder}/dir.txt`);
    await refuses(upstreamOf(`${folder}/dir.txt`), "NOT_A_FILE", "dir.txt");
    await Deno.copyFile(`${folder}/good.jsonl`, `${folder}/copy.jsonl`);
    await refuses(
      upstreamOf(`${folder}/good.jsonl`, `${folder}/copy.jsonl`),
      "DUPLICATE_SOURCE",
      "good.jsonl",
      "copy.jsonl",
    );
    await Deno.writeFile(`${folder}/cut.jsonl.zst`, zstdCompressSync(bytes(jsonLines(40))).subarray(0, 300));
    await refuses(upstreamOf(`${folder}/cut.jsonl.zst`), "DAMAGED_FILE", "cut.jsonl.zst", "ends at byte 300");
    const many = Array.from({ length: 65 }, (_, i) => `set ${i}`);
    await Deno.writeTextFile(`${folder}/many.jsonl`, jsonLines(65, many));
    await refuses(upstreamOf(`${folder}/many.jsonl`), "TOO_MANY_DOMAINS", "more than 64 domains");
    await Deno.chmod(`${folder}/copy.jsonl`, 0);
    // Root may read it all the same.
    const readable = await Deno.readFile(`${folder}/copy.jsonl`).then(() => true, () => false);
    if (!readable) await refuses(upstreamOf(`${folder}/copy.jsonl`), "PERMISSION_DENIED", "copy.jsonl");
  }));

Deno.test("openCorpora() refuses a file of another digest than pinned, naming both", () =>
  withFolder(async (folder) => {
    const content = jsonLines(60, [], 500);
    const options = await withUpstream(folder, "mine.jsonl", content);
    const lockFile = `${folder}/own.lock.yaml`;
    const lock = (digest: string) =>
      Deno.writeTextFile(lockFile, `version: 1\npackages: {}\nfiles:\n  mine.jsonl: { sha256: "${digest}" }\n`);
    const pinned = sha256("something else");
    await lock(pinned);
    await refuses(
      { ...options, lockFile },
      "DIGEST_MISMATCH",
      `Digest of "${folder}/mine.jsonl" is ${shortDigest(sha256(content))}`,
      `own.lock.yaml pins ${shortDigest(pinned)}`,
    );
    await lock(sha256(content));
    const { upstream } = await describeCorpora({ ...options, lockFile });
    equal(upstream.digest, (await describeCorpora(options)).upstream.digest);
    await rejects(
      describeCorpora({ ...options, source: { kind: "npm" }, lockFile }),
      userError("PACKAGE_NOT_PINNED", '"typescript"', "own.lock.yaml"),
    );
  }));

Deno.test("openCorpora() refuses npm text that is not the pinned one", () =>
  withFolder(async (folder) => {
    const project = await Deno.readTextFile(new URL("../../lockfiles/data.lock.yaml", import.meta.url));
    const lockFile = `${folder}/changed.lock.yaml`;
    const options: CorpusOptions = { source: { kind: "npm" }, sequenceLength: 16, lockFile };
    const cases: [string, string, string, string[]][] = [
      ["706b9077", "00000000", "DIGEST_MISMATCH", ["typescript@5.9.3", "706b…1bd1", "0000…1bd1"]],
      ["version: 5.9.3", "version: 5.9.2", "PACKAGE_VERSION_MISMATCH", ["5.9.3", "5.9.2"]],
      ["files: 99", "files: 98", "DIGEST_MISMATCH", ["99 files", "98 files"]],
      ["bytes: 3140843", "bytes: few", "INVALID_FIELD", ["packages.typescript.bytes", "few"]],
      ["version: 1\n", "version: 2\n", "INVALID_FIELD", ["version"]],
    ];
    for (const [from, to, code, parts] of cases) {
      ok(project.includes(from));
      await Deno.writeTextFile(lockFile, project.replace(from, to));
      await rejects(describeCorpora(options), userError(code, "changed.lock.yaml", ...parts));
    }
    await rejects(describeCorpora({ ...options, lockFile: `${folder}/none` }), userError("FILE_NOT_FOUND", "none"));
  }));

Deno.test("openCorpora() notices a source that changes while it is prepared", () =>
  withFolder(async (folder) => {
    const options = await withUpstream(folder, "a.jsonl", jsonLines(60, [], 9));
    let changed = false;
    const onProgress: CorpusOptions["onProgress"] = ({ stage, corpus }) => {
      if (changed || stage !== "hash" || corpus !== "downstream") return;
      changed = true;
      Deno.writeTextFileSync(`${folder}/a.jsonl`, jsonLines(61, [], 9));
    };
    await refuses({ ...options, onProgress }, "SOURCE_CHANGED", "a.jsonl");
  }));

Deno.test("openCorpora() says so when the cache cannot be written", () =>
  withFolder(async (folder) => {
    const options = await withUpstream(folder, "a.jsonl", jsonLines(60, [], 9));
    await Deno.writeTextFile(`${folder}/blocked`, "");
    await rejects(
      openCorpora({ ...options, cacheFolder: `${folder}/blocked/cache` }),
      userError("NOT_A_FOLDER", "blocked/cache"),
    );
  }));

Deno.test("openCorpora() refuses seeds and lengths that are no whole numbers", async () => {
  const source = { kind: "npm" } as const;
  await rejects(describeCorpora({ source, sequenceLength: 0 }), userError("INVALID_SEQUENCE_LENGTH", "0"));
  await rejects(describeCorpora({ source, sequenceLength: 8, dataSeed: -1 }), userError("INVALID_DATA_SEED", "-1"));
});
