import assert from "node:assert/strict";
import { main } from "../../src/cli/main.ts";
import { output } from "../cli/output.ts";
import { honest, PARENT } from "./forgery.ts";

const MANIFEST = `${honest}/manifest.dsse.json`;

Deno.test("main() prints segments, seed and worth of retraining, and repeats the choice by the seed", async () => {
  const first = await output(["verify", MANIFEST, "--retrain", "2", "--threads", "1"]);
  assert.equal(first.code, 0, first.text);
  assert.match(first.text, /caught with probability 1 − \(1 − p\)\^2 or more/);
  const seed = /Seed of the choice: ([0-9a-f]{32})/.exec(first.text)?.[1] ?? "";
  const again = await output([
    ...["retrain", MANIFEST, "--retrain", "2", "--retrain-seed", seed, "--threads", "2", "--json"],
  ]);
  assert.equal(again.code, 0, again.text);
  const { verdict, retraining } = JSON.parse(again.text);
  assert.equal(verdict, "verified");
  assert.equal(retraining.seed, seed);
  assert.equal(retraining.retrained.length, 2);
  for (const name of retraining.retrained) assert(first.text.includes(`${name}  same bits`), name);
});

Deno.test("main() retrains a named piece", async () => {
  const { code, text } = await output(["retrain", MANIFEST, "--retrain", `${PARENT}:3..5`, "--threads", "1"]);
  assert.equal(code, 0, text);
  assert.match(text, /3\.\.5 {2}same bits: 2 steps, 1 evaluation, .*, trained from step 0/);
});

for (
  const { args, code } of [
    { args: ["--retrain", "0"], code: "BAD_NUMBER" },
    { args: ["--retrain", "some"], code: "BAD_NUMBER" },
    { args: ["--retrain", "5", "--retrain", "a:0..1"], code: "TWO_CHOICES" },
    { args: ["--retrain", "5", "--retrain", "all"], code: "TWO_CHOICES" },
    { args: ["--replay", "5"], code: "UNKNOWN_OPTION" },
    { args: ["--segment", "a:0..1"], code: "UNKNOWN_OPTION" },
    { args: ["--retrain", "all", "--retrain-seed", "0".repeat(32)], code: "UNUSED_OPTION" },
    { args: ["--retrain", "5", "--retrain-seed", "12"], code: "BAD_RETRAIN_SEED" },
    { args: ["--threads", "2"], code: "UNUSED_OPTION" },
  ]
) {
  Deno.test(`main() explains what is wrong with "verify ${args.join(" ")}"`, async () => {
    await assert.rejects(main(["verify", MANIFEST, ...args]), { name: "UserError", code });
  });
}

Deno.test('main() retrains under the old name of the command, and says the new one; "--replay" is told it', async () => {
  const { code, text, errors } = await output(["replay", MANIFEST, "--retrain", `${PARENT}:3..5`, "--threads", "1"]);
  assert.equal(code, 0, text);
  assert.match(text, /3\.\.5 {2}same bits/);
  assert.match(errors, /^The command "replay" is now called "retrain"$/m);
  await assert.rejects(main(["verify", MANIFEST, "--replay", "5"]), { message: /another name now: give --retrain$/ });
});
