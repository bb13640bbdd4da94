import fc from "fast-check";
import { deepEqual, equal, ok } from "node:assert/strict";
import { decodeUtf8, utf8Bytes } from "../../../src/text/utf8.ts";
import { encode } from "./bytes.ts";

Deno.test("decodeUtf8() finds the first ill-formed sequence", () => {
  const cases: [number[], number][] = [
    [[0x61, 0x80], 1],
    [[0x61, 0xc3], 1],
    [[0xc0, 0xaf], 0],
    [[0x61, 0x62, 0xed, 0xa0, 0x80], 2], // a surrogate
    [[0xe2, 0x82, 0xac, 0xe0, 0x80, 0x80], 3], // overlong
    [[0xf4, 0x90, 0x80, 0x80], 0], // beyond U+10FFFF
    [[0x61, 0xf0, 0x9f, 0x98, 0x61], 1],
    [[0xff, 0xfe, 0x61, 0x00], 0], // UTF-16
  ];
  for (const [bytes, offset] of cases) deepEqual(decodeUtf8(Uint8Array.from(bytes)), { ok: false, offset });
  deepEqual(decodeUtf8(encode("\ufeffa€😀")), { ok: true, text: "\ufeffa€😀" });
});

Deno.test("decodeUtf8() finds the place where the longest decodable prefix ends", () =>
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
      const decoded = decodeUtf8(bytes);
      if (decoded.ok) return deepEqual(encode(decoded.text), bytes);
      ok(decodeUtf8(bytes.subarray(0, decoded.offset)).ok);
      for (let end = decoded.offset + 1; end <= bytes.length; end++) {
        ok(!decodeUtf8(bytes.subarray(0, end)).ok || end < decoded.offset + 4);
      }
    }),
    { numRuns: 2000 },
  ));

Deno.test("utf8Bytes() counts short texts and long ones", () => {
  for (const text of ["", "a", "é漢😀\0"]) {
    for (const times of [1, 30_000]) equal(utf8Bytes(text.repeat(times)), encode(text).length * times);
  }
});
