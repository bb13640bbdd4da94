import { deepEqual, equal, throws } from "node:assert/strict";
import { RandomState } from "../../../src/data/gpt_neox/mt19937.ts";
import { sha256 } from "../../../src/digest/sha256.ts";
import { KNOWN_ANSWERS } from "./known_answers.ts";

Deno.test("RandomState.word() gives the words of numpy's generator for any seed of 32 bits", () => {
  for (const { seed, first, from1244, sha256: digest } of KNOWN_ANSWERS.words) {
    const random = new RandomState(seed);
    const words = Uint32Array.from({ length: 2000 }, () => random.word());
    deepEqual([...words.subarray(0, 8)], first);
    deepEqual([...words.subarray(1244, 1252)], from1244);
    equal(sha256(new Uint8Array(words.buffer)), digest);
  }
});

Deno.test("RandomState.interval() takes two words above 32 bits, the high one first, as numpy does", () => {
  for (const { seed, max, values } of KNOWN_ANSWERS.intervals) {
    const random = new RandomState(seed);
    deepEqual(values.map(() => random.interval(max)), values);
  }
});

Deno.test("RandomState.interval() draws nothing for 0, and one word for 2^32 − 1", () => {
  const random = new RandomState(1234), words = new RandomState(1234);
  equal(random.interval(0), 0);
  equal(random.interval(4294967295), words.word());
  equal(random.interval(0), 0);
  equal(random.word(), words.word());
});

Deno.test("RandomState.shuffle() shuffles one array after the other as numpy does", () => {
  for (const { seed, shuffles } of KNOWN_ANSWERS.shuffles) {
    const random = new RandomState(seed);
    for (const { length, values, sha256: digest } of shuffles) {
      const shuffled = Int32Array.from({ length }, (_, i) => i);
      random.shuffle(shuffled);
      if (values !== null) deepEqual([...shuffled], values);
      equal(sha256(new Uint8Array(shuffled.buffer)), digest, `${length} by seed ${seed}`);
    }
  }
});

Deno.test("RandomState refuses seeds that numpy refuses", () => {
  for (const seed of [-1, 1.5, 2 ** 32, NaN]) throws(() => new RandomState(seed), RangeError);
});
