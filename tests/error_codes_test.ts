/** The closed list of codes: the compiler refuses one that it lacks; this finds what the compiler cannot. */
import assert from "node:assert/strict";
import { ERROR_CODES } from "../src/error_codes.ts";
import { hasCode, UserError } from "../src/errors.ts";

const ROOT = new URL("../", import.meta.url);
const LIST = "error_codes.ts";

async function textBelow(folder: URL): Promise<string> {
  const texts: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) texts.push(await textBelow(new URL(`${name}/`, folder)));
    else if (name.endsWith(".ts") && name !== LIST) texts.push(await Deno.readTextFile(new URL(name, folder)));
  }
  return texts.join("\n");
}

/** Where codes are only spoken of, or asked for: comments, comparisons, lists to compare with. */
const NOT_THROWN =
  /\/\*[\s\S]*?\*\/|^\s*\/\/.*$|code [!=]== "[A-Z0-9_]+"|hasCode\([^)]*\)|readonly ErrorCode\[\] = \[[^\]]*\]/gm;

Deno.test("every error code is some error's, and none is listed twice", async () => {
  const texts = await Promise.all(["src/", "benchmarks/", "tools/"].map((folder) => textBelow(new URL(folder, ROOT))));
  const used = new Set(
    [...texts.join("\n").replace(NOT_THROWN, "").matchAll(/"([A-Z][A-Z0-9_]+)"/g)].map(([, word]) => word),
  );
  assert.deepEqual(ERROR_CODES.filter((code) => !used.has(code)), []);
  assert.equal(new Set(ERROR_CODES).size, ERROR_CODES.length);
  assert(ERROR_CODES.length > 150, `${ERROR_CODES.length} codes`);
});

Deno.test("error codes are words in capitals, and the groups that explain them are in order", async () => {
  for (const code of ERROR_CODES) assert.match(code, /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$|^COMPRESSED$/);
  const text = await Deno.readTextFile(new URL(`src/${LIST}`, ROOT));
  const groups = [...text.matchAll(/^(\/\*\* .*\*\/\n)?const [A-Z]+ = \[([^\]]*)\] as const;$/gm)];
  assert(groups.length > 10, `${groups.length} groups`);
  for (const [group, comment, members = ""] of groups) {
    assert(comment !== undefined, `no comment: ${group}`);
    const codes = [...members.matchAll(/"(\w+)"/g)].map(([, code]) => code);
    assert.deepEqual(codes, codes.toSorted(), group);
  }
});

Deno.test("hasCode() knows an error of a person's by its codes", () => {
  const error = new UserError("NO_SPACE", "Cannot write");
  assert(hasCode(error, "READ_ONLY", "NO_SPACE"));
  assert(!hasCode(error, "READ_ONLY"));
  assert(!hasCode(Object.assign(new Error("Cannot write"), { code: "NO_SPACE" }), "NO_SPACE"));
  // @ts-expect-error: a code that is not listed does not compile
  new UserError("NO_SUCH_CODE", "Cannot write");
});
