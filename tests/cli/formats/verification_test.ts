import assert from "node:assert/strict";
import { verificationJsonSchema } from "../../../src/cli/formats/verification_json.ts";
import { verificationMarkdown } from "../../../src/cli/formats/verification_markdown.ts";
import { concludeVerification, VERIFICATION_STEPS } from "../../../src/manifest/verify/verification_report.ts";
import type { Digest } from "../../../src/digest/sha256.ts";
import { HOSTILE_NAMES, htmlOf, outsideOfCode } from "../../markdown.ts";
import { output } from "../output.ts";

const V2 = "tests/fixtures/manifests/v2";
const DIGEST = "0".repeat(64) as Digest;

/** A report in which everything that others write is this text. */
function reportOf(text: string, status: "ok" | "failed" = "ok") {
  return concludeVerification(VERIFICATION_STEPS.map((name) => ({ name, status, detail: text })), {
    caveats: [text, text],
    signers: [{ keyId: DIGEST, trustedAs: text }, { keyId: DIGEST }],
    path: text,
    manifestDigest: DIGEST,
    reviews: [
      { reviewer: text, keyId: DIGEST, status: "counts", detail: text, attestedAt: text, caveats: [text] },
      { reviewer: "unheard", keyId: DIGEST, status: "missing", detail: text },
    ],
  });
}

Deno.test("verificationMarkdown() has the same structure whatever names, paths and sentences are", () => {
  const plain = outsideOfCode(verificationMarkdown({ report: reportOf("plain") }));
  assert.match(plain, /^<h3>Verified<\/h3>\n<ul>\n<li>Manifest: <\/li>/);
  assert.doesNotMatch(plain, /plain|unheard/);
  for (const name of HOSTILE_NAMES) {
    const found = outsideOfCode(verificationMarkdown({ report: reportOf(name) }));
    assert.equal(found.replaceAll("(blank)", ""), plain, JSON.stringify(name));
  }
});

Deno.test("verificationMarkdown() says which steps failed, and leaves out what a verdict would leave open", () => {
  const report = reportOf("as it is", "failed");
  const html = htmlOf(verificationMarkdown({ report }));
  assert.match(html, /^<h3>Failed: size, envelope, /);
  assert.match(html, /<li>journals: <strong>FAILED<\/strong>: <code>as it is<\/code><\/li>/);
  assert.doesNotMatch(html, /This does not say/);
});

Deno.test("main() prints a verification as Markdown and as JSON of the published shape", async () => {
  const strict = verificationJsonSchema.strict();
  for (const args of [["--format", "json"], ["--json"]]) {
    const { code, text } = await output(["verify", V2, "--without-checkpoints", ...args]);
    const json = strict.parse(JSON.parse(text));
    assert.equal(json.exitCode, code);
    assert.equal(json.verdict, "verified", text);
    assert.deepEqual(json.steps.map(({ name }) => name), [...VERIFICATION_STEPS]);
  }
  const { code, text } = await output(["verify", V2, "--without-checkpoints", "--format", "markdown"]);
  assert.equal(code, 0);
  assert.match(text, /^### Verified\n\n- Manifest: `.*\/manifest\.dsse\.json`\n- SHA-256: `[0-9a-f]{64}`\n/);
  assert.match(text, /\n- retrain: \*\*not checked\*\*: `/);
  assert.match(text, /\n\*\*This does not say:\*\*\n\n- `/);
  const open = await output(["verify", "tests/fixtures/none", "--format", "markdown"]);
  assert.equal(open.code, 2);
  assert.match(open.text, /^### Could not check: size, envelope/);
});
