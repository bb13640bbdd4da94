import { deepEqual, equal } from "node:assert/strict";
import { BYTE_TOKENIZER } from "../../src/formats/tokenizer.ts";

Deno.test("BYTE_TOKENIZER encodes UTF-8 bytes and ends documents with 0", () => {
  deepEqual([...BYTE_TOKENIZER.encode("Aé€")], [65, 0xc3, 0xa9, 0xe2, 0x82, 0xac]);
  equal(BYTE_TOKENIZER.endOfText, 0);
  equal(BYTE_TOKENIZER.vocabularySize, 256);
});
