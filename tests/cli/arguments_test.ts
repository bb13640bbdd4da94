import assert from "node:assert/strict";
import { describeOptions, type Options, parseCommandLine, parseDecimal } from "../../src/cli/arguments.ts";

const OPTIONS = {
  scale: { kind: "text", value: "NAME", help: "the scale" },
  upstream: { kind: "list", value: "PATH…", help: "files" },
  seeds: { kind: "count", value: "N", help: "repetitions" },
  json: { kind: "flag", help: "as JSON" },
} as const satisfies Options;

Deno.test("parseCommandLine() takes an empty text where it is a value as any other", () => {
  const options = { prompt: { kind: "text", help: "", mayBeEmpty: true } } as const;
  for (const args of [["--prompt", ""], ["--prompt="]]) {
    assert.deepEqual(parseCommandLine(args, options).values, { prompt: "" });
  }
  assert.throws(() => parseCommandLine(["--prompt"], options), { code: "MISSING_VALUE", message: /has no value: / });
});

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

Deno.test("parseCommandLine() gives a list of one word each no word more, and names an option that was renamed", () => {
  const options = { pieces: { kind: "list", help: "", wordEach: true, formerly: ["segment"] } } as const;
  const { values, positionals } = parseCommandLine(["--pieces", "a:0..1", "--pieces", "b:0..1", "m.json"], options, 1);
  assert.deepEqual([values.pieces, positionals], [["a:0..1", "b:0..1"], ["m.json"]]);
  assert.throws(() => parseCommandLine(["--segment", "a:0..1"], options), {
    code: "UNKNOWN_OPTION",
    message: 'Option "--segment" has another name now: give --pieces',
  });
});

/** Words that a parser may take for numbers, truths, or options of its own. */
const WORDS = [
  "08",
  "8",
  "2024.10",
  "0x10",
  "1e3",
  "20241130202345678901",
  "0b1",
  "-",
  "true",
  "false",
  "NaN",
  " 5",
  ".",
];

for (const word of [...WORDS, "a.b", "=", "a=b", "__proto__", "constructor"]) {
  Deno.test(`parseCommandLine() leaves the word "${word}" as it was typed, wherever it stands`, () => {
    assert.deepEqual(parseCommandLine([word], OPTIONS, 1).positionals, [word]);
    assert.deepEqual(parseCommandLine(["--json", word], OPTIONS, 1).positionals, [word]);
    assert.deepEqual(parseCommandLine(["--", word], OPTIONS, 1).positionals, [word]);
    assert.equal(parseCommandLine(["--scale", word], OPTIONS).values.scale, word);
    assert.equal(parseCommandLine([`--scale=${word}`], OPTIONS).values.scale, word);
    const { upstream } = parseCommandLine(["--upstream", word, "b", word, `--upstream=${word}`], OPTIONS).values;
    assert.deepEqual(upstream, [word, "b", word, word]);
  });
}

for (const text of ["08", "0x10", "1e3", "1.0", " 1", "+1", "0b1", "99999999999999999999", "0"]) {
  Deno.test(`parseCommandLine() takes no "${text}" for a whole number`, () => {
    assert.throws(() => parseCommandLine([`--seeds=${text}`], OPTIONS), { code: "BAD_NUMBER" });
  });
}

Deno.test("parseDecimal() reads decimal numbers, and nothing else that JavaScript takes for one", () => {
  assert.deepEqual(["0", "0.9", "2e6", "1E-3", "12"].map(parseDecimal), [0, 0.9, 2e6, 1e-3, 12]);
  for (
    const text of ["", " 5", "5 ", "0x10", "0b1", "1_000", ".5", "5.", "+5", "-5", "05", "1e999", "Infinity", "NaN"]
  ) {
    assert.equal(parseDecimal(text), undefined, text);
  }
});

Deno.test("parseCommandLine() takes no option after -- and hands a value with a dash on where it is joined", () => {
  assert.deepEqual(parseCommandLine(["--", "--json"], OPTIONS, 1), { values: {}, positionals: ["--json"] });
  assert.equal(parseCommandLine(["--scale=--json"], OPTIONS).values.scale, "--json");
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
    { args: ["--scale", "-x"], code: "MISSING_VALUE", message: /has no value: .* "--scale=-x" if that is the value/ },
    { args: ["--upstream", "--json"], code: "MISSING_VALUE", message: /"--upstream" has no value/ },
    { args: ["--upstream", "a", ""], code: "MISSING_VALUE", message: /"--upstream" has an empty value/ },
    {
      args: ["--scale", ""],
      code: "MISSING_VALUE",
      message: /"--scale" has no value but an empty text: .* leave it out/,
    },
    { args: ["--scale="], code: "MISSING_VALUE", message: /has no value but an empty text/ },
    { args: ["--json=false"], code: "UNKNOWN_ARGUMENT", message: /"--json" takes no value, but "false" is given/ },
    { args: ["--no-json"], code: "UNKNOWN_OPTION", message: /"--no-json"/ },
    { args: ["--constructor", "a"], code: "UNKNOWN_OPTION", message: /"--constructor"/ },
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
