/** The exact engine on native kernels: the reference's bits, WebAssembly's runs, and a journal that both wrote. */
import assert from "node:assert/strict";
import { sha256 } from "../../../src/digest/sha256.ts";
import { createExactEngine } from "../../../src/engine/exact/engine.ts";
import { Interrupted } from "../../../src/train/run_environment.ts";
import { step } from "../../reference/step.ts";
import {
  assertSameState,
  copyState,
  digestOf as stateDigest,
  LEARNING_RATE,
  loadState,
  loadWeights,
  randomTokens,
  randomWeights,
  smallTraining,
  stateOf,
  withSession,
} from "../fixture.ts";
import { digestOf, GOLDEN, reproduceSmoke } from "../../reproduce/smoke.ts";
import { withFolder } from "../../temporary_folder.ts";
import { AVAILABLE } from "./available.ts";

for (const { name: instructionSet, title } of AVAILABLE) {
  const native = { kernels: "native", instructionSet } as const;

  Deno.test(`${title}: step() equals the reference bit for bit`, async () => {
    const training = smallTraining({ sequenceLength: 72, vocabularySize: 264, hiddenSize: 40, heads: 5 }, 4, 2);
    const { model, batchSequences } = training;
    const expected = stateOf(randomWeights(model));
    await withSession(training, async (session) => {
      await loadState(session, expected);
      for (const index of [0, 1]) {
        const tokens = randomTokens(model, batchSequences, index);
        const { loss, gradientNorm } = await session.step(tokens, LEARNING_RATE, index);
        const reference = step(training, expected, tokens, LEARNING_RATE, index);
        assert.deepEqual([loss, gradientNorm], [reference.loss, reference.gradientNorm]);
        assertSameState(await copyState(session), expected, model);
      }
    }, { ...native, threads: 2 });
  });

  Deno.test(`${title}: 1 to 4 threads, kept and computed probabilities give WebAssembly's bits`, async () => {
    const training = smallTraining({ sequenceLength: 40 }, 7);
    const { model } = training;
    const train = (options: Parameters<typeof withSession>[2]) =>
      withSession(training, async (session) => {
        await loadWeights(session, randomWeights(model));
        const numbers: number[] = [];
        for (const index of [0, 1]) {
          const { loss, gradientNorm } = await session.step(randomTokens(model, 7, index), LEARNING_RATE, index);
          numbers.push(loss, gradientNorm);
        }
        numbers.push(...await session.evaluate(randomTokens(model, 3, 9)));
        numbers.push(...await session.logits(randomTokens(model, 1, 7).subarray(1)));
        numbers.push(...(await session.gradient(randomTokens(model, 7, 6))).gradient);
        return [numbers, stateDigest(await copyState(session))];
      }, options);
    const expected = await train({ threads: 1 });
    for (const threads of [1, 2, 3, 4]) assert.deepEqual(await train({ ...native, threads }), expected);
    assert.deepEqual(await train({ ...native, threads: 2, keepProbabilities: false }), expected);
  });

  Deno.test(`${title}: smoke has the golden digest`, async () => {
    const engine = await createExactEngine({ threads: 2, sha256, ...native });
    assert.equal(engine.description["instruction set"], title);
    await withFolder(async (folder) => {
      assert.equal(digestOf(await reproduceSmoke(`${folder}/out`, 2, { engine })), GOLDEN.digest);
    });
  });
}

Deno.test({
  name: "smoke has the golden digest when native and portable kernels take turns in one journal",
  ignore: AVAILABLE.length === 0,
  fn: () =>
    withFolder(async (folder) => {
      const native = await createExactEngine({ threads: 2, sha256, kernels: "native" });
      let turns = 0;
      for (let stopAfter = 5;; stopAfter += 60) {
        const controller = new AbortController();
        let reports = 0;
        try {
          const result = await reproduceSmoke(`${folder}/out`, 2, {
            ...(turns % 2 === 0 ? { engine: native } : {}),
            signal: controller.signal,
            events: {
              onProgress: () => {
                if (++reports === stopAfter) controller.abort();
              },
            },
          });
          assert.equal(digestOf(result), GOLDEN.digest);
          break;
        } catch (error) {
          if (!(error instanceof Interrupted)) throw error;
          turns++;
        }
      }
      assert(turns >= 2, `${turns} interruptions`);
    }),
});
