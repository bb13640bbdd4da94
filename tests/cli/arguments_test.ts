import assert from "node:assert/strict";
import { describeOptions, type Options, parseCommandLine } from "../../src/cli/arguments.ts";

const OPTIONS = {
  scale: { kind: "text", value: "NAME", help: "the scale" },
  upstream: { kind: "list", value: "PATH…", help: "files" },
  seeds: { kind: "count", value: "N", help: "repetitions" },
  json: { kind: "flag", help: "as JSON" },
} as const satisfies Options;

Deno.test("parseCommandLine() reads every kind of option", () => {
  const { values, positionals } = parseCommandLine(
    ["--scale", "tiny", "--upstream", "a.txt", "b.txt", "--seeds=3", "--json", "out/manifest.json"],
    OPTIONS,
    1,
  );
  assert.deepEqual(values, { scale: "tiny", upstream: ["a.txt", "b.txt"], seeds: 3, json: true });
  assert.deepEqual(positionals, ["out/manifest.json"]);
});

Deno.test("parseCommandLine() joins a list that is given in several places", () => {
  const { values } = parseCommandLine(["--upstream", "a", "--json", "--upstream=b", "c"], OPTIONS, 1);
  assert.deepEqual(values.upstream, ["a", "b"]);
});

Deno.test("parseCommandLine() keeps text that looks like a number", () => {
  assert.equal(parseCommandLine(["--scale", "007"], OPTIONS).values.scale, "007");
});

for (
  const { args, code, message } of [
    { args: ["--scael", "tiny"], code: "UNKNOWN_OPTION", message: /Unknown option "--scael": did you mean "--scale"/ },
    { args: ["--scale"], code: "MISSING_VALUE", message: /"--scale" has no value: give --scale NAME/ },
    { args: ["--scale", "a", "--scale", "b"], code: "REPEATED_OPTION", message: /given 2 times/ },
    { args: ["--seeds", "0"], code: "BAD_NUMBER", message: /"--seeds" is "0": expected a whole number from 1/ },
    { args: ["--seeds", "1e3"], code: "BAD_NUMBER", message: /"1e3"/ },
    { args: ["--seeds=-1"], code: "BAD_NUMBER", message: /expected a whole number/ },
    { args: ["tiny"], code: "UNKNOWN_ARGUMENT", message: /Unexpected argument "tiny"/ },
    { args: ["-x"], code: "UNKNOWN_OPTION", message: /Unknown option "-x"/ },
  ]
) {
  Deno.test(`parseCommandLine() refuses "${args.join(" ")}"`, () => {
    assert.throws(() => parseCommandLine(args, OPTIONS), { code, message });
  });
}

Deno.test("describeOptions() gives a line an option", () => {
  assert.equal(describeOptions(OPTIONS).split("\n").length, 4);
  assert.match(describeOptions(OPTIONS), /^ {2}--scale NAME {6}the scale$/m);
});
