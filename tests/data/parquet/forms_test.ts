/** Which forms of Parquet are read, and what is said of the others: damage is one thing, a form that is not read another. */
import assert from "node:assert/strict";
import { inspectFile, readDocuments } from "../../../src/data/text/file_source.ts";
import type { FileDocument } from "../../../src/data/text/document_record.ts";
import { OddRowCounter, type OddRows } from "../../../src/data/text/odd_rows.ts";
import { withFolder } from "../../temporary_folder.ts";
import { userError } from "../user_error.ts";
import { type Column, strings, tinyParquet, type TinyParquetOptions } from "./tiny_parquet.ts";

async function read(bytes: Uint8Array): Promise<{ documents: FileDocument[]; odd: OddRows | undefined }> {
  const result: { documents: FileDocument[]; odd: OddRows | undefined } = { documents: [], odd: undefined };
  await withFolder(async (folder) => {
    const path = `${folder}/tiny.parquet`;
    await Deno.writeFile(path, bytes);
    const counter = new OddRowCounter();
    const file = await inspectFile(path, () => {});
    result.documents = await Array.fromAsync(readDocuments(file, () => {}, counter.count));
    result.odd = counter.rows;
  });
  return result;
}

const texts = (...documents: string[]) => documents.map((text) => ({ domain: "default", text }));

for (
  const { what, columns, options, documents, odd } of [
    { what: "rows", columns: [strings("text", [["a", "b"], ["c"]])], documents: texts("a", "b", "c") },
    {
      what: "row groups without rows, at byte 0",
      columns: [strings("text", [[], ["a"], [], ["b", ""], []])],
      documents: texts("a", "b"),
    },
    { what: "nothing but row groups without rows", columns: [strings("text", [[], []])], documents: [] },
    { what: "no row group", columns: [strings("text", [])], documents: [] },
    {
      what: "text that is null",
      columns: [strings("text", [[null, "a"], [null, null], ["b"]])],
      documents: texts("a", "b"),
      odd: { withoutText: 3, otherMeta: 0 },
    },
    {
      what: "a column of nulls for a text",
      columns: [strings("text", [[null], [null]], { schema: [{ 1: 1, 3: 1, 4: "text", 10: { 11: {} } }] })],
      documents: [],
      odd: { withoutText: 2, otherMeta: 0 },
    },
    {
      what: "a column of nulls that states more rows than could be counted one by one",
      columns: [strings("text", [[null]], { schema: [{ 1: 1, 3: 1, 4: "text", 10: { 11: {} } }] })],
      options: { rows: 2 ** 50 },
      documents: [],
      odd: { withoutText: 2 ** 50, otherMeta: 0 },
    },
    {
      what: "a list for a meta",
      columns: [
        strings("text", [["a", null]]),
        strings("meta", [["x", "y"]], {
          schema: [{ 3: 1, 4: "meta", 5: 1, 6: 3 }, { 3: 2, 4: "list", 5: 1 }, { 1: 6, 3: 1, 4: "element", 6: 0 }],
          path: ["meta", "list", "element"],
        }),
      ],
      documents: texts("a"),
      odd: { withoutText: 1, otherMeta: 1 },
    },
    {
      what: "a map for a meta",
      columns: [
        strings("text", [["a"]]),
        strings("meta", [["x"]], {
          schema: [
            { 3: 1, 4: "meta", 5: 1, 6: 1 },
            { 3: 2, 4: "key_value", 5: 1 },
            { 1: 6, 3: 0, 4: "key", 6: 0 },
          ],
          path: ["meta", "key_value", "key"],
        }),
      ],
      documents: texts("a"),
      odd: { withoutText: 0, otherMeta: 1 },
    },
    {
      what: "numbers for a meta",
      columns: [strings("text", [["a"]]), strings("meta", [[]], { schema: [{ 1: 1, 3: 1, 4: "meta" }] })],
      documents: texts("a"),
      odd: { withoutText: 0, otherMeta: 1 },
    },
    {
      what: "what Python prints for a meta, beside JSON",
      columns: [
        strings("text", [["a", "b", "c"]]),
        strings("meta", [["{'pile_set_name': 'Github'}", '{"pile_set_name": "Github"}', null]]),
      ],
      documents: [...texts("a"), { domain: "Github", text: "b" }, ...texts("c")],
      odd: { withoutText: 0, otherMeta: 1 },
    },
  ] as {
    what: string;
    columns: Column[];
    options?: TinyParquetOptions;
    documents: FileDocument[];
    odd?: OddRows;
  }[]
) {
  Deno.test(`readDocuments() reads Parquet with ${what}`, async () => {
    assert.deepEqual(await read(tinyParquet(columns, options)), { documents, odd });
  });
}

const nested = { schema: [{ 3: 1, 4: "text", 5: 1 }, { 1: 6, 3: 1, 4: "en", 6: 0 }], path: ["text", "en"] };
const TWO = [["a"], ["b"]];

for (
  const { what, bytes, parts } of [
    {
      what: "values of an encoding that is not for strings",
      bytes: tinyParquet([strings("text", TWO, { encoding: 9 })]),
      parts: ["row group 0", 'column "text"', "values encoded by BYTE_STREAM_SPLIT"],
    },
    {
      what: "values of an encoding from after this was written",
      bytes: tinyParquet([strings("text", TWO, { encoding: 12 })]),
      parts: ["values encoded by the unknown number 12"],
    },
    {
      what: "nulls in the encoding of the first writers",
      bytes: tinyParquet([strings("text", TWO, { levels: 4 })]),
      parts: ["nulls encoded by BIT_PACKED"],
    },
    { what: "LZO", bytes: tinyParquet([strings("text", TWO, { codec: 3 })]), parts: ["compressed by LZO", "snappy"] },
    {
      what: "an unknown codec",
      bytes: tinyParquet([strings("text", TWO, { codec: 99 })]),
      parts: ["compressed by an unknown codec"],
    },
    {
      what: "a column that is encrypted with the footer's key",
      bytes: tinyParquet([strings("text", TWO, { encrypted: "with the footer's key" })]),
      parts: ['column "text" encrypted', "without encryption"],
    },
    {
      what: "a column that is encrypted with a key of its own",
      bytes: tinyParquet([strings("text", TWO, { encrypted: "with its own key" })]),
      parts: ["encrypted columns", "without encryption"],
    },
    {
      what: "text inside a struct",
      bytes: tinyParquet([strings("text", TWO, nested)]),
      parts: ['column "text" that is nested: it holds "en"', "one string"],
    },
    {
      what: "row groups that lie in another order than their rows",
      bytes: tinyParquet([strings("text", TWO)], { placing: [1, 0] }),
      parts: ["row group 1 before an earlier one", "write the file again"],
    },
  ]
) {
  Deno.test(`readDocuments() does not call Parquet with ${what} damaged`, async () => {
    await assert.rejects(read(bytes), userError("UNSUPPORTED_PARQUET", "tiny.parquet", ...parts));
  });
}

Deno.test("readDocuments() refuses Parquet that states rows without number", async () => {
  const nulls = { schema: [{ 1: 1, 3: 1, 4: "text", 10: { 11: {} } }] };
  for (const rows of [-1, 2 ** 53]) {
    const bytes = tinyParquet([strings("text", [[null]], nulls)], { rows });
    await assert.rejects(read(bytes), userError("DAMAGED_FILE", `states ${rows} rows in row group 0`));
  }
});

Deno.test("readDocuments() says of an empty Parquet file that it is empty", async () => {
  await assert.rejects(read(new Uint8Array()), userError("DAMAGED_FILE", "is empty, of 0 bytes"));
});
