import assert from "node:assert/strict";
import { shellLine, shellWord } from "../../src/launch/shell.ts";

Deno.test("shellWord() leaves plain words as they are, and quotes all others", () => {
  for (const word of ["--time=24:00:00", "warmup-length_1%_seed-0", "/shared/a,b", "user@host", "a+b"]) {
    assert.equal(shellWord(word), word);
  }
  assert.equal(shellWord(""), "''");
  assert.equal(shellWord("two words"), "'two words'");
  assert.equal(shellWord("it's"), "'it'\\''s'");
  for (const word of ["$HOME", "`id`", "a;b", "a&b", "*", "~", "#", "a\nb", "!", "{a,b}", "(", "|", "<", "\\", '"']) {
    assert.equal(shellWord(word), `'${word}'`);
  }
  assert.equal(shellLine(["a b", "c"]), "'a b' c");
});

Deno.test("shellWord() refuses a NUL, which no shell can pass on", () => {
  assert.throws(() => shellWord("a\0b"), /NUL/);
});
