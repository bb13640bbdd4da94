import { equal } from "node:assert/strict";
import { openOwn, openRust } from "../../benchmarks/peers/tokenizers.ts";
import { sha256 } from "../../src/digest/sha256.ts";
import { bpeTokenizer, SMALL_TOKENIZER } from "../formats/bpe/small_tokenizer.ts";

const TEXTS = ["Hello, world!", "  é 日本"];

Deno.test("openOwn() encodes all texts in every pass, and digests all ids", async () => {
  const tokenizer = await bpeTokenizer();
  const ids = Uint16Array.from(TEXTS.flatMap((text) => [...tokenizer.encode(text)]));
  const peer = await openOwn({ tokenizer: SMALL_TOKENIZER, texts: TEXTS });
  for (let round = 0; round < 2; round++) {
    equal((await peer.pass()).sha256, sha256(new Uint8Array(ids.buffer)));
  }
});

Deno.test({
  name: "openRust() says why it cannot be had where the interpreter may not be run",
  permissions: { read: true, run: false },
  fn: async () => {
    const peer = await openRust({ tokenizer: SMALL_TOKENIZER, texts: TEXTS }, "no-such-python");
    equal("reason" in peer && peer.reason.includes("no-such-python"), true);
  },
});
