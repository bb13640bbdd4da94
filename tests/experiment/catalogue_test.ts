import assert from "node:assert/strict";
import { UserError } from "../../src/errors.ts";
import { listScales, loadExperiments, loadScale } from "../../src/experiment/catalogue.ts";
import { fixedPlan, FIXTURE_CATALOGUE } from "./plan/plan_fixture.ts";

/** A copy of the project's experiments in which one file reads otherwise. */
async function withEdit(
  file: string,
  edit: (text: string) => string | Uint8Array<ArrayBuffer>,
  use: (folder: URL) => Promise<unknown>,
): Promise<void> {
  const path = await Deno.makeTempDir();
  try {
    const folder = new URL(`file://${path}/`);
    await Deno.mkdir(new URL("scales", folder));
    for (const part of ["", "scales/"]) {
      for await (const { name, isFile } of Deno.readDir(new URL(part, FIXTURE_CATALOGUE.folder))) {
        if (isFile) await Deno.copyFile(new URL(part + name, FIXTURE_CATALOGUE.folder), new URL(part + name, folder));
      }
    }
    const text = await Deno.readTextFile(new URL(file, folder));
    const edited = edit(text);
    assert.notEqual(edited, text, "the edit changes nothing");
    if (typeof edited === "string") await Deno.writeTextFile(new URL(file, folder), edited);
    else await Deno.writeFile(new URL(file, folder), edited);
    await use(folder);
  } finally {
    await Deno.remove(path, { recursive: true });
  }
}

async function userError(promise: Promise<unknown>): Promise<UserError> {
  const error = await promise.then(() => undefined, (error: unknown) => error);
  assert.ok(error instanceof UserError, String(error));
  return error;
}

Deno.test("loadExperiments() reads the paper's sections in their order", async () => {
  const experiments = await loadExperiments(FIXTURE_CATALOGUE);
  assert.deepEqual(experiments.map(({ name, section }) => `${section} ${name}`), [
    "2 upstream",
    "4.1 warmup-length",
    "4.2 max-learning-rate",
    "4.3 from-scratch",
    "4.4 same-data",
    "4.5 earlier-checkpoints",
  ]);
  assert.deepEqual(experiments.map(({ arms }) => Object.keys(arms)), [
    ["pretrain"],
    ["0%", "0.5%", "1%", "2%"],
    ["constant", "0.5x", "1x", "2x"],
    ["scratch"],
    ["constant", "0.5x", "1x", "2x"],
    [
      "7%-warmup-0%",
      "7%-warmup-1%",
      "19%-warmup-0%",
      "19%-warmup-1%",
      "100%-warmup-0%",
      "100%-warmup-1%",
    ],
  ]);
});

Deno.test("listScales() names every scale", async () => {
  assert.deepEqual(await listScales(FIXTURE_CATALOGUE.folder), ["medium", "paper", "small", "smoke", "tiny"]);
});

Deno.test("loadScale() throws when the scale is unknown", async () => {
  const error = await userError(loadScale("tinny", FIXTURE_CATALOGUE.folder));
  assert.equal(error.code, "UNKNOWN_SCALE");
  assert.equal(
    error.message,
    'Unknown scale "tinny": did you mean "tiny"? (known: medium, paper, small, smoke, tiny)',
  );
  assert.equal((await userError(loadScale("../scales/tiny", FIXTURE_CATALOGUE.folder))).code, "UNKNOWN_SCALE");
});

Deno.test("loadExperiments() throws when the folder is not there", async () => {
  const error = await userError(loadExperiments({ folder: new URL("nowhere/", FIXTURE_CATALOGUE.folder) }));
  assert.equal(error.code, "UNREADABLE_FILE");
});

const replace = (from: string | RegExp, to: string) => (text: string) => text.replace(from, to);

const BAD: readonly (readonly [string, (text: string) => string | Uint8Array<ArrayBuffer>, string, RegExp])[] = [
  [
    "warmup-length.yaml",
    replace("warmupPercent: 0\n", "warmupPercent: none\n"),
    "INVALID_FIELD",
    /^"warmup-length\.yaml": arms\["0%"\]\.warmupPercent is "none", expected a number$/,
  ],
  [
    "warmup-length.yaml",
    replace("warmupPercent: 0\n", "warmupPercnt: 0\n"),
    "INVALID_FIELD",
    /unknown key arms\["0%"\]\.warmupPercnt: did you mean "warmupPercent"\?/,
  ],
  [
    "warmup-length.yaml",
    replace("schedule: paper", "schedule: cosin"),
    "INVALID_FIELD",
    /arms\["0%"\]\.schedule is "cosin": did you mean "cosine"\?/,
  ],
  [
    "warmup-length.yaml",
    replace('"0.5%":', '"0%":'),
    "YAML_SYNTAX",
    /^"warmup-length\.yaml" is not valid YAML in line \d+, .*duplicated key/,
  ],
  ["warmup-length.yaml", replace("tokens: 50e9", "tokens: .inf"), "YAML_NUMBER", /arms\["0%"\]\.tokens is Infinity/],
  ["warmup-length.yaml", replace('"0%":', '"0%": &arm'), "YAML_ALIAS", /^"warmup-length\.yaml" uses a YAML anchor/],
  [
    "warmup-length.yaml",
    replace("name: warmup-length", "name: warm-up"),
    "INVALID_FIELD",
    /^"warmup-length\.yaml": name is "warm-up", expected "warmup-length" as the file is named/,
  ],
  ["warmup-length.yaml", () => new Uint8Array([0x61, 0xff]), "YAML_SYNTAX", /^"warmup-length\.yaml" is not UTF-8 text/],
  ["warmup-length.yaml", () => "", "INVALID_FIELD", /the document is empty, expected a mapping/],
  [
    "warmup-length.yaml",
    replace("maxLearningRate: 1\n", "maxLearningRate: maximum\n"),
    "INVALID_FIELD",
    /maxLearningRate is "maximum", expected a positive multiple of the model's own maximum learning rate, or "minimum"/,
  ],
  [
    "warmup-length.yaml",
    replace("tokens: 50e9", "tokens: 60e9"),
    "ARM_END_NOT_EVALUATED",
    /^Arm "warmup-length\/0%" ends after 60000000000 tokens \(step 13 at scale "smoke"\), .*: use one of 50000000000, /,
  ],
  ["warmup-length.yaml", replace("tokens: 50e9", "tokens: 400e9"), "ARM_LENGTH", /86 steps .* expected 1 to 64/],
  [
    "max-learning-rate.yaml",
    replace("warmupPercent: 0\n", "warmupPercent: 1\n"),
    "INVALID_FIELD",
    /arms\.constant\.warmupPercent is 1, expected 0, as a constant rate has no warm-up/,
  ],
  [
    "from-scratch.yaml",
    replace("schedule: paper", "schedule: infinite"),
    "INVALID_FIELD",
    /^"from-scratch\.yaml": arms\.scratch\.constantLearningRate is missing, expected a multiple of the model's own/,
  ],
  [
    "from-scratch.yaml",
    replace("schedule: paper", "schedule: infinite\n    constantLearningRate: 1.5"),
    "ARM_SCHEDULE",
    /^Arm "from-scratch\/scratch" at scale "smoke": constantLearningRate of schedule "infinite" is 0\.0045\d*, expected/,
  ],
  [
    "same-data.yaml",
    replace("horizonTokens: 296859205632", "horizonTokens: 40e9"),
    "INVALID_FIELD",
    /arms\.constant\.tokens is 50000000000, expected at most horizonTokens/,
  ],
  [
    "earlier-checkpoints.yaml",
    replace("step: 10000", "step: 150000"),
    "INVALID_FIELD",
    /start\.step is 150000, expected a number of at most 143000/,
  ],
  ["earlier-checkpoints.yaml", replace("step: 10000", "step: 100"), "ARM_START", /starts at step 100 of pre-training/],
  [
    "upstream.yaml",
    replace("{ kind: random }", "{ kind: pretrained, step: 10 }"),
    "INVALID_FIELD",
    /expected a random start, as the phase is "pretraining"/,
  ],
  ["upstream.yaml", replace("  pretrain:", "  trained:"), "NO_PRETRAINING", /there is no arm "upstream\/pretrain"/],
  [
    "scales/smoke.yaml",
    replace("hiddenSize: 16", "hiddenSize: 20"),
    "INVALID_FIELD",
    /^"scales\/smoke\.yaml": model\.shape\.hiddenSize is 20, expected a multiple of 8/,
  ],
  ["scales/smoke.yaml", replace("heads: 2", "heads: 4"), "INVALID_FIELD", /heads is 4, expected .*multiple of 8/],
  [
    "scales/smoke.yaml",
    replace("rotaryFraction: 0.25", "rotaryFraction: 0.3"),
    "INVALID_FIELD",
    /rotaryFraction is 0\.3, expected a fraction that rotates an even number/,
  ],
  [
    "scales/smoke.yaml",
    replace("sequenceLength: 32", "sequenceLength: 30"),
    "INVALID_FIELD",
    /sequenceLength is 30, expected a multiple of 8/,
  ],
  ["scales/smoke.yaml", replace("vocabularySize: 256", "vocabularySize: 257"), "INVALID_FIELD", /a multiple of 8/],
  [
    "scales/smoke.yaml",
    replace("batchSequences: 4", "batchSequences: 5"),
    "INVALID_FIELD",
    /pretraining\.batchSequences is 5, expected a multiple of gradientBlockSequences \(2\)/,
  ],
  [
    "scales/smoke.yaml",
    replace("steps: 64", "steps: 64.5"),
    "INVALID_FIELD",
    /steps is 64\.5, expected a whole number/,
  ],
  [
    "scales/smoke.yaml",
    replace("kind: npm", "kind: nmp"),
    "INVALID_FIELD",
    /data\.kind is "nmp": did you mean "npm"\? \(known: npm, embedded, huggingface\)/,
  ],
];

for (const [file, edit, code, message] of BAD) {
  Deno.test(`buildPlan() throws ${code} when ${file} fails with ${message.source.slice(0, 60)}`, async () => {
    await withEdit(file, edit, async (folder) => {
      const error = await userError(fixedPlan("smoke", { folder }));
      assert.equal(error.code, code, error.message);
      assert.match(error.message, message);
    });
  });
}

Deno.test("buildPlan() lays same-data runs out for other tokens when their file says so", async () => {
  await withEdit("same-data.yaml", (text) => text.replaceAll("296859205632", "299892736000"), async (folder) => {
    const { runs } = await fixedPlan("paper", { folder });
    const sameData = runs.filter(({ label }) => label.startsWith("same-data_"));
    assert.deepEqual(sameData.map(({ specification }) => specification.schedule.totalSteps), Array(4).fill(132_638));
  });
});

Deno.test("buildPlan() takes the infinite schedule with its constant rate", async () => {
  const edit = replace("schedule: paper", "schedule: infinite\n    constantLearningRate: 0.55");
  await withEdit("from-scratch.yaml", edit, async (folder) => {
    const { runs } = await fixedPlan("paper", { folder });
    const schedule = runs.find(({ label }) => label.startsWith("from-scratch_"))?.specification.schedule;
    assert.equal(schedule?.kind, "infinite");
    assert.equal(schedule.constantLearningRate, 3e-4 * 0.55);
  });
});
