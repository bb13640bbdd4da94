/** Documents in Parquet, against files that pyarrow wrote (tests/fixtures/parquet/generate.py). */
import assert from "node:assert/strict";
import { openCorpora } from "../../../src/data/corpora.ts";
import { parquetDocuments } from "../../../src/data/parquet/documents.ts";
import { readParquetLayout } from "../../../src/formats/parquet/layout.ts";
import type { FileDocument } from "../../../src/data/text/document_record.ts";
import { inspectFile, readDocuments } from "../../../src/data/text/file_source.ts";
import { OddRowCounter } from "../../../src/data/text/odd_rows.ts";
import { readChunks } from "../../../src/files/read_file.ts";
import { withFolder } from "../../temporary_folder.ts";
import { jsonLines } from "../fixtures.ts";
import { userError } from "../user_error.ts";

const FIXTURES = new URL("../../fixtures/parquet/", import.meta.url).pathname;

async function documents(path: string): Promise<FileDocument[]> {
  const file = await inspectFile(path, () => {});
  let bytes = 0;
  const found = await Array.fromAsync(readDocuments(file, (count) => bytes += count));
  assert.equal(bytes, file.bytes, "all bytes are told of");
  return found;
}

for (
  const [name, what] of [
    ["snappy", "Snappy, dictionaries, pages of a few documents, and three row groups"],
    ["zstd", "Zstandard, pages of version 2, and page indexes"],
    ["gzip", "gzip, plain text and dictionaries of domains"],
    ["brotli", "Brotli, prefixes and suffixes of strings"],
    ["none", "no compression, lengths before strings, and one row group"],
    ["wide", "other columns between, before and after, and other fields in meta"],
    ["meta_json", "meta as JSON text, before the text"],
  ] as const
) {
  Deno.test(`readDocuments() gives the documents of the same JSON lines from Parquet with ${what}`, async () => {
    const expected = await documents(`${FIXTURES}rows.jsonl`);
    assert.equal(expected.length, 59, "one of 60 rows is empty");
    assert.deepEqual(await documents(`${FIXTURES}${name}.parquet`), expected);
  });
}

Deno.test("parquetDocuments() gives the same documents however few are decoded at a time", async () => {
  const expected = await documents(`${FIXTURES}rows.jsonl`);
  for (const name of ["snappy", "zstd", "gzip", "none", "wide", "meta_json"]) {
    const path = `${FIXTURES}${name}.parquet`;
    const { size: bytes } = await Deno.stat(path);
    for (const sliceBytes of [1, 700]) {
      const found = await Array.fromAsync(parquetDocuments(readChunks(path), { path, bytes }, sliceBytes));
      assert.deepEqual(found, expected, `${name}, ${sliceBytes}`);
    }
  }
});

Deno.test("readDocuments() reads text that lies in a dictionary", async () => {
  const rows = await documents(`${FIXTURES}rows.jsonl`);
  const expected = Array.from({ length: 10 }, () => rows.slice(0, 6)).flat();
  assert.deepEqual(await documents(`${FIXTURES}dictionary.parquet`), expected);
});

for (const name of ["null_meta", "null_names"]) {
  Deno.test(`readDocuments() finds no domain in ${name}.parquet`, async () => {
    const found = await documents(`${FIXTURES}${name}.parquet`);
    assert.deepEqual(found, ["one", "two"].map((text) => ({ domain: "default", text })));
  });
}

for (
  const [name, withoutText, otherMeta] of [
    ["bad_null", 1, 0],
    ["bad_meta", 0, 1],
    ["bad_meta_json", 0, 1],
  ] as const
) {
  Deno.test(`readDocuments() counts the odd rows of ${name}.parquet`, async () => {
    const odd = new OddRowCounter();
    const file = await inspectFile(`${FIXTURES}${name}.parquet`, () => {});
    const found = await Array.fromAsync(readDocuments(file, () => {}, odd.count));
    assert(found.length > 0 && found.every(({ domain }) => domain === "default"));
    assert.deepEqual(odd.rows, { withoutText, otherMeta });
  });
}

Deno.test("readDocuments() finds no documents in a Parquet file without rows", async () => {
  assert.deepEqual(await documents(`${FIXTURES}empty.parquet`), []);
});

for (
  const [name, code, ...parts] of [
    ["bad_utf8", "NOT_UTF8", "row 1 of row group 0", "not UTF-8 at its byte 1"],
    ["bad_columns", "MISSING_TEXT", 'no column "text" among its columns "content", "meta"'],
    ["bad_text", "MISSING_TEXT", 'column "text" that holds no text'],
    ["lz4", "UNSUPPORTED_PARQUET", 'row group 0 has its column "text" compressed by LZ4', "snappy, gzip, brotli, zstd"],
  ] as const
) {
  Deno.test(`readDocuments() says what is wrong with ${name}.parquet`, async () => {
    await assert.rejects(documents(`${FIXTURES}${name}.parquet`), userError(code, `${name}.parquet`, ...parts));
  });
}

Deno.test("openCorpora() gives the same batches from Parquet as from the same JSON lines", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/down.jsonl`, jsonLines(60));
    const batches = async (upstream: string) => {
      const corpora = await openCorpora({
        source: { kind: "files", upstream: [`${FIXTURES}${upstream}`], downstream: [`${folder}/down.jsonl`] },
        sequenceLength: 16,
        cacheFolder: `${folder}/cache`,
      });
      const { summary } = corpora.upstream;
      const digests = [
        (await corpora.upstream.batch(3, 40, 1)).digest,
        (await corpora.upstream.validationWindows(10)).digest,
      ];
      corpora.upstream.close();
      corpora.downstream.close();
      return { summary, digests };
    };
    const expected = await batches("rows.jsonl");
    assert.equal(Object.keys(expected.summary.domains).length, 4, "three domains and the documents without one");
    assert.deepEqual(await batches("snappy.parquet"), expected);
    assert.deepEqual(await batches("none.parquet"), expected);
  }));

/** A fixture with other bytes, as a file of its own. */
async function changed(folder: string, name: string, change: (bytes: Uint8Array) => Uint8Array): Promise<string> {
  const path = `${folder}/changed.parquet`;
  await Deno.writeFile(path, new Uint8Array(change(await Deno.readFile(`${FIXTURES}${name}.parquet`))));
  return path;
}

Deno.test("readDocuments() refuses Parquet files that are cut short, or are none", () =>
  withFolder(async (folder) => {
    const refuses = async (change: (bytes: Uint8Array) => Uint8Array, ...parts: string[]) => {
      await assert.rejects(documents(await changed(folder, "snappy", change)), userError("DAMAGED_FILE", ...parts));
    };
    await refuses((bytes) => bytes.subarray(0, 3000), "changed.parquet", 'does not end with "PAR1"');
    await refuses(() => new TextEncoder().encode("PAR1"), 'does not end with "PAR1"');
    await refuses((bytes) => bytes.fill(0xff, -8, -4), "states a footer of 4294967295 bytes, expected at most");
    await refuses((bytes) => bytes.fill(0xff, -300, -8), "footer that cannot be read");
    await refuses((bytes) => bytes.subarray(1000), "places row group 1 at bytes");
    const encrypted = (bytes: Uint8Array) => (bytes.set(new TextEncoder().encode("PARE"), bytes.length - 4), bytes);
    const path = await changed(folder, "snappy", encrypted);
    await assert.rejects(documents(path), userError("UNSUPPORTED_PARQUET", "is encrypted"));
  }));

Deno.test("readParquetLayout() refuses row groups that are too large to be held, by the columns that count", async () => {
  const path = `${FIXTURES}wide.parquet`;
  const { size } = await Deno.stat(path);
  const { groups } = await readParquetLayout(path, size);
  const held = groups.map(({ columns }) => columns.reduce((sum, { start, end }) => sum + end - start, 0));
  assert(held.reduce((sum, bytes) => sum + bytes, 0) < size, "the other columns do not count");
  const most = Math.max(...held);
  assert.equal((await readParquetLayout(path, size, most)).groups.length, 3);
  const where = `row group ${held.indexOf(most)} has ${most} compressed bytes`;
  await assert.rejects(
    readParquetLayout(path, size, most - 1),
    userError("ROW_GROUP_TOO_LARGE", "wide.parquet", where, `at most ${most - 1} are held`),
  );
});

Deno.test("readDocuments() names the row group and the column whose pages are damaged", () =>
  withFolder(async (folder) => {
    const zeros = async (name: string, from: number) => {
      await assert.rejects(
        documents(await changed(folder, name, (bytes) => bytes.fill(0, from, from + 400))),
        userError("DAMAGED_FILE", "changed.parquet", "row group 0", 'column "text"'),
      );
    };
    await zeros("snappy", 300);
    await zeros("gzip", 300);
    await zeros("zstd", 300);
  }));

Deno.test("readDocuments() ends with documents or with what is wrong, whichever byte of a Parquet file is damaged", () =>
  withFolder(async (folder) => {
    for (const name of ["snappy", "zstd", "none"]) {
      const { size } = await Deno.stat(`${FIXTURES}${name}.parquet`);
      for (let at = 4; at < size; at += 41) {
        const path = await changed(folder, name, (bytes) => bytes.fill((bytes[at] ?? 0) ^ (1 << at % 8), at, at + 1));
        await documents(path).catch((error) => assert.equal(error.name, "UserError", `${name}, byte ${at}: ${error}`));
      }
    }
  }));

Deno.test("readDocuments() does not loop in a page header that states no size", () =>
  withFolder(async (folder) => {
    // The first header begins with its fields 1, 2 and 3, which are numbers: here field 3 comes as field 5.
    const path = await changed(folder, "none", (bytes) => {
      assert.deepEqual([...bytes.subarray(4, 7)], [0x15, 0x00, 0x15]);
      const third = bytes.indexOf(0x15, 7);
      return bytes.fill(0x35, third, third + 1);
    });
    await assert.rejects(documents(path), userError("DAMAGED_FILE", "states no compressed bytes"));
  }));

Deno.test("parquetDocuments() refuses bytes that are of another file than the footer that it went by", async () => {
  const path = `${FIXTURES}none.parquet`;
  const bytes = await Deno.readFile(path);
  const footer = bytes.length - 100;
  const others = bytes.map((byte, i) => i === footer ? byte ^ 1 : byte);
  for (const raw of [others, bytes.subarray(0, -1), Uint8Array.from([...bytes, 0]), bytes.subarray(0, 5000)]) {
    const found = Array.fromAsync(parquetDocuments(ReadableStream.from([raw]), { path, bytes: bytes.length }));
    await assert.rejects(found, userError("SOURCE_CHANGED", "none.parquet"));
  }
});

Deno.test("readDocuments() notices a Parquet file that changes while it is read", () =>
  withFolder(async (folder) => {
    const path = await changed(folder, "none", (bytes) => bytes);
    const file = await inspectFile(path, () => {});
    const bytes = await Deno.readFile(path);
    bytes[1000] = (bytes[1000] ?? 0) ^ 1;
    await Deno.writeFile(path, bytes);
    await assert.rejects(
      Array.fromAsync(readDocuments(file, () => {})),
      userError("SOURCE_CHANGED", "changed.parquet"),
    );
    await Deno.copyFile(`${FIXTURES}zstd.parquet`, path);
    await assert.rejects(Array.fromAsync(readDocuments(file, () => {})), { name: "UserError" });
  }));
