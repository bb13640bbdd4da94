import assert from "node:assert/strict";
import { publicPath, publicWord } from "../../src/files/public_path.ts";

Deno.test("publicPath() keeps relative paths, and of others the last part", () => {
  for (const path of ["out", "out/tiny", "./a.jsonl", "a..b/c", "deep/er/x.val.jsonl", "", "-", "warmup-length/0%"]) {
    assert.equal(publicPath(path), path);
  }
  for (
    const path of [
      "/home/ada/x",
      "/home/ada/x/",
      "../../home/ada/x",
      "runs/../../ada/x",
      "C:\\Users\\ada\\x",
      "c:/Users/ada/x",
      "\\\\server\\ada\\x",
      "~ada/x",
      "file:///home/ada/x",
    ]
  ) assert.equal(publicPath(path), "x", path);
  assert.equal(publicPath("/"), "");
});

Deno.test("publicWord() looks at the value that is joined to an option too", () => {
  assert.equal(publicWord("--key=/home/ada/k.pem"), "--key=k.pem");
  assert.equal(publicWord("--key=~/k.pem"), "--key=k.pem");
  assert.equal(publicWord("--reading=a=b"), "--reading=a=b");
  for (const word of ["--scale", "smoke", "--seeds=2", "--only=a/b"]) assert.equal(publicWord(word), word);
});
