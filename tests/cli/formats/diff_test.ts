import assert from "node:assert/strict";
import { diffJsonSchema } from "../../../src/cli/formats/diff_json.ts";
import { diffMarkdown } from "../../../src/cli/formats/diff_markdown.ts";
import type { Digest } from "../../../src/digest/sha256.ts";
import type { ManifestDiff } from "../../../src/retrain/diff.ts";
import { HOSTILE_NAMES, outsideOfCode } from "../../markdown.ts";
import { output } from "../output.ts";

const V2 = "tests/fixtures/manifests/v2";
const DIGEST = "0".repeat(64) as Digest;

/** A difference in which everything that others write is this text. */
function diffOf(text: string, count = 1): ManifestDiff {
  const difference = { run: text, step: 7, field: "loss", a: text, b: text, lastCommonState: 4 } as const;
  return {
    manifests: { a: { path: text, sha256: DIGEST }, b: { path: text, sha256: DIGEST } },
    differences: Array.from({ length: count }, () => difference),
    runs: 40,
    environments: [{ name: text, a: text, b: `${text} ` }, { name: "os", a: "linux", b: "linux" }],
  };
}

Deno.test("diffMarkdown() has the same structure whatever names and values are", () => {
  const plain = outsideOfCode(diffMarkdown(diffOf("plain")));
  assert.match(plain, /^<h3>1 of 40 runs differ<\/h3>/);
  assert.match(plain, /<li>, step 7: loss: A , B ; last state in common: step 4<\/li>/);
  assert.doesNotMatch(plain, /plain|linux/);
  for (const name of HOSTILE_NAMES) {
    const found = outsideOfCode(diffMarkdown(diffOf(name)));
    assert.equal(found.replaceAll("(blank)", ""), plain, JSON.stringify(name));
  }
});

Deno.test("diffMarkdown() lists twenty runs and counts the others", () => {
  const text = diffMarkdown(diffOf("run", 33));
  assert.equal(text.match(/step 7/g)?.length, 20);
  assert.match(text, /\n- and 13 more\n/);
});

Deno.test("main() prints a comparison in each form, JSON in the published shape", async () => {
  const json = await output(["diff", V2, V2, "--format", "json"]);
  assert.equal(json.code, 0, json.text);
  const { differences, runs } = diffJsonSchema.strict().parse(JSON.parse(json.text));
  assert.deepEqual(differences, []);
  assert.equal((await output(["diff", V2, V2, "--json"])).text, json.text);
  const markdown = await output(["diff", V2, V2, "--format", "markdown"]);
  assert.match(markdown.text, new RegExp(`^### Same bits: all ${runs} runs, .*\n\n- A: \`/`));
  const text = await output(["diff", V2, V2]);
  assert.match(text.text, /^A {2}\/.*\n {3}SHA-256 [0-9a-f]{64}\nB {2}/);
});
