/** Models and batches of any size may be stated and signed: retraining refuses them before it takes memory for them. */
import assert from "node:assert/strict";
import { createExactEngine } from "../../src/engine/exact/engine.ts";
import { ARITHMETIC_VERSION } from "../../src/engine/ordered/arithmetic.ts";
import { sha256 } from "../../src/digest/sha256.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { folderOf } from "../../src/files/durable.ts";
import { formatVerification, OPTIONAL_STEPS } from "../../src/manifest/verify/verification_report.ts";
import { retrain } from "../../src/retrain/retrain.ts";
import type { PlanOptions } from "../../src/experiment/plan/plan.ts";
import { fixedPlan } from "../experiment/plan/plan_fixture.ts";
import { makeBundle, testJudge } from "../manifest/fixture.ts";
import { kernelCache } from "../reproduce/smoke.ts";
import { withFolder } from "../temporary_folder.ts";

const exact = await createExactEngine({ threads: 2, sha256, cache: kernelCache });
const { scale } = await fixedPlan("smoke");
const { config, maxLearningRate } = scale.model;
const model = (changes: Partial<typeof config>) => ({ model: { config: { ...config, ...changes }, maxLearningRate } });
const batch = (batchSequences: number, steps = scale.pretraining.steps) => ({
  pretraining: { ...scale.pretraining, batchSequences, steps },
  continuing: { ...scale.continuing, batchSequences },
});

const CASES: [what: string, overrides: NonNullable<PlanOptions["overrides"]>, reason: RegExp][] = [
  [
    "a hidden size of a million",
    model({ hiddenSize: 1_000_000, heads: 1000 }),
    /states a model of hidden size 1000000, 2 layers and 32 tokens a window, 8\.00T parameters\. .* needs \d+\.\d GiB for this model on 2 threads, but WebAssembly addresses 4 GiB/,
  ],
  [
    "ten thousand layers",
    model({ layers: 10_000, hiddenSize: 128 }),
    /10000 layers .* needs \d+\.\d GiB .* 4 GiB/,
  ],
  [
    "a window of 2^20 tokens",
    model({ sequenceLength: 2 ** 20 }),
    /1048576 tokens a window, .* needs \d+\.\d GiB .* 4 GiB/,
  ],
  [
    "a window of 2^40 tokens",
    model({ sequenceLength: 2 ** 40 }),
    /batches of 4 sequences of 1099511627776 tokens, .* at most 268MB are read/,
  ],
  [
    "a batch of 2^40 sequences",
    batch(2 ** 40),
    /batches of 1099511627776 sequences of 32 tokens, which take 72\.6TB, and at most 268MB are read/,
  ],
  [
    "2^31 windows",
    { ...model({ sequenceLength: 8 }), ...batch(2 ** 23, 200) },
    /200 steps of 8388608 sequences, 1\.69G windows, and the order of at most 1\.07G is followed/,
  ],
  [
    "heads that the kernels do not know",
    model({ rotaryFraction: 0 }),
    /needs a rotated dimensions of a head that is a multiple of 2/,
  ],
];

for (const [what, overrides, reason] of CASES) {
  Deno.test(`retrain() could not check a verified manifest that states ${what}, and says what and the limit`, () =>
    withFolder(async (folder) => {
      const { artefacts, envelope } = await makeBundle(
        await fixedPlan("smoke", {
          only: ["upstream"],
          engine: { level: "machine_to_machine", arithmetic: ARITHMETIC_VERSION },
          overrides,
        }),
      );
      for (const [name, bytes] of artefacts) {
        await Deno.mkdir(folderOf(`${folder}/${name}`), { recursive: true });
        await Deno.writeFile(`${folder}/${name}`, bytes);
      }
      const path = `${folder}/manifest.dsse.json`;
      await Deno.writeTextFile(path, envelope);
      const engine: Engine = { ...exact, open: () => assert.fail("a session was opened") };
      const { report } = await retrain(path, {
        pieces: { kind: "all" },
        engine: () => Promise.resolve(engine),
        judge: testJudge,
        // A folder that cannot be: no data are looked for.
        dataCache: `${folder}/plan.json/data`,
      });
      const text = formatVerification(report);
      assert.equal(report.exitCode, 2, text);
      const others = report.steps.filter(({ name, status }) => !OPTIONAL_STEPS.has(name) && status !== "ok");
      assert.deepEqual(others, [], text);
      const step = report.steps.find(({ name }) => name === "retrain");
      assert.equal(step?.status, "not checked");
      assert.match(step.detail, /^Run "upstream_pretrain_seed-0" cannot be retrained here: /);
      assert.match(step.detail, reason);
    }));
}
