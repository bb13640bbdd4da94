import assert from "node:assert/strict";
import { sha256 } from "../../src/digest/sha256.ts";
import { createFileHash, digestFile } from "../../src/files/file_digest.ts";
import { withFolder } from "../temporary_folder.ts";

Deno.test("digestFile() gives the digests of FIPS 180-4's examples", () =>
  withFolder(async (folder) => {
    const examples: [string, string][] = [
      ["", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
      ["abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
      ["a".repeat(1_000_000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"],
    ];
    for (const [text, expected] of examples) {
      await Deno.writeTextFile(`${folder}/file`, text);
      let bytes = 0;
      assert.equal(await digestFile(`${folder}/file`, { onBytes: (piece) => bytes += piece.length }), expected);
      assert.equal(bytes, text.length);
      assert.equal(sha256(text), expected);
    }
  }));

Deno.test("digestFile() stops when it is told to, and names a file that is missing", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/file`, "abc");
    await assert.rejects(digestFile(`${folder}/file`, { signal: AbortSignal.abort() }), { name: "AbortError" });
    await assert.rejects(digestFile(`${folder}/none`), { code: "FILE_NOT_FOUND" });
  }));

Deno.test("digestFile() hashes a part of a file, as far as there is so much", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/file`, "xabcx");
    const abc = sha256("abc");
    assert.equal(await digestFile(`${folder}/file`, { range: { offset: 1, size: 3 } }), abc);
    await Deno.writeTextFile(`${folder}/file`, "xabc");
    assert.equal(await digestFile(`${folder}/file`, { range: { offset: 1, size: 30 } }), abc);
  }));

Deno.test("createFileHash() hashes pieces as one", () => {
  const hash = createFileHash();
  for (const piece of ["a", "", "bc"]) hash.update(new TextEncoder().encode(piece));
  assert.equal(hash.finish(), sha256("abc"));
});

Deno.test("createFileHash() can be asked before the end, and goes on", () => {
  const hash = createFileHash();
  const pieces = ["a", "bc", ""].map((text) => new TextEncoder().encode(text));
  const found = pieces.map((piece) => {
    hash.update(piece);
    return hash.peek();
  });
  assert.deepEqual(found, ["a", "abc", "abc"].map((text) => sha256(text)));
  assert.equal(hash.finish(), sha256("abc"));
});
