/**
 * `deno task bench:memory --model 70m`: a few steps of a published shape by native kernels, and what they take: the
 * process's resident memory beside what the engine predicts for it (peak_memory.ts), seconds a step and losses.
 */
import { type Options, parseCommandLine } from "../src/cli/arguments.ts";
import { sha256 } from "../src/digest/sha256.ts";
import { createExactEngine } from "../src/engine/exact/engine.ts";
import { EXIT, suggest, UserError } from "../src/errors.ts";
import { parameterCount } from "../src/model/config.ts";
import { initializeWeights } from "../src/model/initial_weights.ts";
import { MODEL_PRESETS, presetModel } from "../src/model/presets.ts";
import { describeMachine } from "./machine.ts";
import { runProgram } from "./run_program.ts";
import { grouped } from "./text_table.ts";
import { LEARNING_RATE, OPTIMIZER, SEED, tokenWindows } from "./training_task.ts";

const OPTIONS = {
  model: { kind: "text", value: "NAME", help: "14m, 31m, 70m, 160m or 410m (default: 14m)" },
  sequence: { kind: "count", value: "T", help: "tokens of a window (default: 2048, as the models were trained)" },
  sequences: { kind: "count", value: "B", help: "windows of a step (default: 2)" },
  threads: { kind: "count", value: "N", help: "threads (default: 2)" },
  steps: { kind: "count", value: "N", help: "steps (default: 3)" },
  evaluate: { kind: "flag", help: "evaluate two windows instead of training, without moments and gradients" },
} as const satisfies Options;

const GIB = 2 ** 30;

async function main(args: readonly string[]): Promise<number> {
  const { model: name = "14m", sequence = 2048, sequences = 2, threads = 2, steps = 3, evaluate } =
    parseCommandLine(args, OPTIONS).values;
  const preset = MODEL_PRESETS.find((known) => known === `pythia-${name}`);
  if (preset === undefined) {
    const known = MODEL_PRESETS.map((known) => known.slice("pythia-".length));
    throw new UserError("UNKNOWN_MODEL", `Unknown model "${name}"`, suggest(name, known));
  }
  const model = { ...presetModel(preset).config, sequenceLength: sequence };
  console.log(`machine   ${describeMachine()}`);
  console.log(
    `model     ${preset}, ${grouped(parameterCount(model))} parameters, ${sequences} × ${sequence} tokens a step`,
  );

  let peak = 0;
  const sample = () => peak = Math.max(peak, Deno.memoryUsage().rss);
  const engine = await createExactEngine({ threads, sha256, kernels: "native" });
  const options = {
    model,
    optimizer: OPTIMIZER,
    batchSequences: sequences,
    gradientBlockSequences: 1,
    ...(evaluate === true ? { inferenceOnly: true } : {}),
  };
  const predicted = engine.peakBytes(options);
  const session = await engine.open(options);
  try {
    await session.writeState(({ weights }) => initializeWeights(model, SEED, weights));
    for (let step = 0; step < steps; step++) {
      const start = performance.now();
      const batch = tokenWindows(model, sequences, step);
      if (evaluate === true) {
        const losses = await session.evaluate(batch);
        console.log(`pass ${step}    losses ${losses.join(", ")}, ${seconds(start)}`);
      } else {
        const { loss, outcome } = await session.step(batch, LEARNING_RATE, step);
        console.log(`step ${step}    loss ${loss}, ${outcome}, ${seconds(start)}`);
      }
      sample();
    }
  } finally {
    session.close();
  }
  const deviation = 100 * (peak / predicted - 1);
  console.log(
    `memory    session ${inGib(session.memoryBytes)}, predicted peak ${inGib(predicted)}, resident ${inGib(peak)}, ` +
      `${deviation >= 0 ? "+" : ""}${deviation.toFixed(1)} %`,
  );
  return EXIT.ok;
}

function inGib(bytes: number): string {
  return `${(bytes / GIB).toFixed(2)} GiB`;
}

function seconds(start: number): string {
  return `${((performance.now() - start) / 1000).toFixed(1)} s`;
}

if (import.meta.main) {
  await runProgram(main);
}
