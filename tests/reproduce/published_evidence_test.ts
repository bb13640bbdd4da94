import assert from "node:assert/strict";
import { sha256 } from "../../src/digest/sha256.ts";
import { evidenceLine, haveSameBits, type RunBits } from "../../src/reproduce/published_evidence.ts";

const digest = (text: string) => sha256(text);

Deno.test("runs of two lengths have the same bits if the states that both recorded are the same", () => {
  const states = [1, 2, 3].map((step) => ({ step, state: digest(`${step}`) }));
  const long: RunBits = {
    key: digest("key") as RunBits["key"],
    label: "a",
    steps: 3,
    states,
    journalRoot: digest("3"),
  };
  const short = { ...long, steps: 2, states: states.slice(0, 2), journalRoot: digest("2") };
  assert.ok(haveSameBits(long, short) && haveSameBits(short, long));
  assert.ok(!haveSameBits(long, { ...short, states: [{ step: 2, state: digest("x") }] }));
  assert.ok(!haveSameBits(long, { ...short, states: [] }));
  assert.ok(!haveSameBits(long, { ...long, journalRoot: digest("4") }));
});

Deno.test("the line of a reproduction names the first run that differs, and how to find the step", () => {
  const same = { path: "evidence/tiny/bundle.tar", comparable: 17, agreeing: 17 };
  assert.equal(
    evidenceLine(same, "out/tiny/manifest.dsse.json"),
    "evidence  17 of 17 runs have the bits of the published evidence, evidence/tiny/bundle.tar",
  );
  assert.equal(
    evidenceLine({ ...same, agreeing: 15, firstOther: "from-scratch_scratch_seed-0" }, "out/tiny/manifest.dsse.json"),
    "evidence  15 of 17 runs have the bits of the published evidence; the first that has not is " +
      "from-scratch_scratch_seed-0\n" +
      "find the step: deno task diff out/tiny/manifest.dsse.json evidence/tiny/bundle.tar",
  );
});
