/**
 * `deno task bench:kernels`: where a training step's time goes, by WebAssembly's kernels or with `--kernels native` by
 * this processor's own. One thread of the exact engine does a step's work, kernel by kernel, first untimed and then with
 * a stopwatch around every kernel: the matmuls by shape with their GFLOP/s, native ones beside the measured peak of the
 * processor's fused multiply-adds, and each kernel's share. The digest of the updated weights is printed, so that whoever makes a kernel
 * faster sees whether a bit changed.
 */
import { parseCommandLine } from "../src/cli/arguments.ts";
import { sha256 } from "../src/digest/sha256.ts";
import {
  bufferOf,
  type KernelCode,
  linkKernels,
  type SessionMemory,
  takeMemory,
} from "../src/engine/exact/kernel_code.ts";
import { compileKernels, KERNEL_FILES, kernelModules, type Kernels } from "../src/engine/exact/kernels.ts";
import { chooseNativeKernels } from "../src/engine/exact/native/choose.ts";
import { INSTRUCTION_SETS } from "../src/engine/exact/native/instruction_sets.ts";
import { type Layout, planLayout } from "../src/engine/exact/layout.ts";
import { SequencePass } from "../src/engine/exact/sequence_pass.ts";
import { updateScalars } from "../src/engine/ordered/update_scalars.ts";
import type { ModelConfig } from "../src/model/config.ts";
import { EXIT, suggest, UserError } from "../src/errors.ts";
import { loadScale } from "../src/experiment/catalogue.ts";
import { type FmaPeak, measureFmaPeak } from "./fma_peak.ts";
import { type KernelTime, KernelTimer } from "./kernel_timer.ts";
import { describeMachine } from "./machine.ts";
import { grouped, percent, textTable } from "./text_table.ts";
import { BENCHMARK_MODEL, tokensPerStep, type TrainingTask, trainingTask } from "./training_task.ts";

const OPTIONS = {
  model: { kind: "text", value: "NAME", help: "tiny, as the scale, or bench, as deno task bench (default: both)" },
  kernels: { kind: "text", value: "CODE", help: "wasm, native, or one set: avx512, avx2, neon (default: wasm)" },
} as const;

/** Enough for V8 to have compiled every kernel with its optimizing compiler. */
const WARMUP_SECONDS = 2;
const MEASURED_SECONDS = 3;

/** One thread's share of the engine, over memory of its own. */
class SingleThread {
  readonly #task: TrainingTask;
  readonly #gradientBlockSequences: number;
  readonly #kernels: Kernels;
  readonly #layout: Layout;
  readonly #memory: SessionMemory;
  readonly #pass: SequencePass;

  constructor(
    task: TrainingTask,
    gradientBlockSequences: number,
    kernels: Kernels,
    layout: Layout,
    memory: SessionMemory,
  ) {
    const [arena] = layout.arenas;
    if (arena === undefined) throw new Error("The layout has no arena");
    this.#task = task;
    this.#gradientBlockSequences = gradientBlockSequences;
    this.#kernels = kernels;
    this.#layout = layout;
    this.#memory = memory;
    this.#pass = new SequencePass(kernels, task.model, layout, arena);
  }

  /** Weights, moments and tokens as before the first step. */
  reset(): void {
    const { parameters, weights, firstMoments, secondMoments, tokens } = this.#layout;
    new Float32Array(bufferOf(this.#memory), weights, parameters).set(this.#task.weights);
    for (const moments of [firstMoments, secondMoments]) {
      new Float32Array(bufferOf(this.#memory), moments, parameters).fill(0);
    }
    const [batch = new Uint16Array()] = this.#task.batches;
    new Uint16Array(bufferOf(this.#memory), tokens, batch.length).set(batch);
  }

  /** All kernels of an optimizer step; the norm's sum is one row's rather than the engine's tree of chunks. */
  step(): void {
    const { model, batchSequences, optimizer, learningRate } = this.#task;
    const { parameters, blockGradients, tokens, weights, firstMoments, secondMoments } = this.#layout;
    const [sum = 0, block = 0] = blockGradients;
    const tokenWeight = Math.fround(1 / tokensPerStep(this.#task));
    for (let window = 0; window < batchSequences; window++) {
      const isFirstBlock = window < this.#gradientBlockSequences;
      const gradient = isFirstBlock ? sum : block;
      const startsBlock = window % this.#gradientBlockSequences === 0;
      this.#pass.train(tokens + window * (model.sequenceLength + 1) * 2, gradient, startsBlock, tokenWeight);
      const endsBlock = (window + 1) % this.#gradientBlockSequences === 0;
      if (endsBlock && !isFirstBlock) this.#kernels.add(sum, block, parameters);
    }
    const norm = Math.sqrt(this.#kernels.sumOfSquares(sum, parameters));
    const s = updateScalars(optimizer, learningRate, 0, norm);
    this.#kernels.adamw(
      weights,
      firstMoments,
      secondMoments,
      sum,
      parameters,
      s.clip,
      s.beta1,
      s.oneMinusBeta1,
      s.beta2,
      s.oneMinusBeta2,
      s.stepSize,
      s.rootCorrection2,
      s.epsilon,
      s.decay,
    );
  }

  /** SHA-256 of the weights' bytes. */
  weightsDigest(): string {
    const { weights, parameters } = this.#layout;
    return sha256(new Uint8Array(bufferOf(this.#memory), weights, 4 * parameters).slice());
  }
}

/** Runs steps for some seconds; returns the mean milliseconds of one. */
function runFor(seconds: number, step: () => void): { steps: number; milliseconds: number } {
  const start = performance.now();
  let steps = 0, elapsed = 0;
  while (elapsed < 1000 * seconds) {
    step();
    steps++;
    elapsed = performance.now() - start;
  }
  return { steps, milliseconds: elapsed / steps };
}

async function compile(): Promise<WebAssembly.Module> {
  const folder = new URL("../src/engine/exact/kernels/", import.meta.url);
  const files = await Promise.all(KERNEL_FILES.map(async (name): Promise<[string, string]> => {
    return [name, await Deno.readTextFile(new URL(name, folder))];
  }));
  return await WebAssembly.compile(await compileKernels(kernelModules(new Map(files), "relaxed")));
}

async function measure(
  code: KernelCode,
  title: string,
  task: TrainingTask,
  gradientBlockSequences: number,
): Promise<void> {
  const { model, optimizer, batchSequences } = task;
  const options = { model, optimizer, batchSequences, gradientBlockSequences, microBatchBlocks: 2 };
  const layout = planLayout(options, 1, batchSequences);
  const memory = takeMemory(code, layout.bytes);
  const kernels = await linkKernels(code, memory);
  const plain = new SingleThread(task, gradientBlockSequences, kernels, layout, memory);
  plain.reset();
  plain.step();
  const digest = plain.weightsDigest();
  runFor(WARMUP_SECONDS, () => plain.step());
  const { milliseconds } = runFor(MEASURED_SECONDS, () => plain.step());

  const timer = new KernelTimer(kernels);
  const timed = new SingleThread(task, gradientBlockSequences, timer.kernels, layout, memory);
  runFor(WARMUP_SECONDS / 4, () => timed.step());
  timer.reset();
  const { steps } = runFor(MEASURED_SECONDS, () => timed.step());

  console.log(`\n${title}: ${describeShape(model)}, batch ${batchSequences}`);
  console.log(
    `one thread, ${milliseconds.toFixed(1)} ms a step, ${grouped(1000 * tokensPerStep(task) / milliseconds)} tokens/s`,
  );
  console.log(`weights after one step: ${digest}\n`);
  const { times } = timer;
  const matmuls = times.filter(({ shape }) => shape !== undefined);
  const peak = code.kind === "native" ? await measureFmaPeak(code.set) : undefined;
  if (peak !== undefined) console.log(`${describePeak(peak)}\n`);
  console.log(matmulTable(matmuls, steps, peak));
  console.log(`\n${shareTable(times, steps)}`);
}

/** The kernels that are asked for. */
async function codeOf(name: string): Promise<KernelCode> {
  if (name === "wasm") return { kind: "wasm", module: await compile(), memory: "shared" };
  const set = INSTRUCTION_SETS.find((facts) => facts.name === name)?.name;
  if (set === undefined && name !== "native") {
    const known = ["wasm", "native", ...INSTRUCTION_SETS.map((facts) => facts.name)];
    throw new UserError("UNKNOWN_KERNELS", `Unknown kernels "${name}"`, suggest(name, known));
  }
  const choice = await chooseNativeKernels(set === undefined ? {} : { set });
  if (choice.kind === "unavailable") throw new UserError("NO_NATIVE_KERNELS", choice.reason, "see docs/native.md");
  console.log(`kernels ${choice.title}`);
  return choice.code;
}

function describeShape({ hiddenSize, layers, heads, sequenceLength, vocabularySize }: ModelConfig): string {
  return `hidden ${hiddenSize}, ${layers} layers, ${heads} heads, sequence ${sequenceLength}, ` +
    `vocabulary ${grouped(vocabularySize)}`;
}

function describePeak(peak: FmaPeak): string {
  if ("reason" in peak) return `peak of fused multiply-adds not measured: ${peak.reason}`;
  return `peak of fused multiply-adds in registers, one thread: ${peak.gflops.toFixed(1)} GFLOP/s`;
}

function matmulTable(matmuls: readonly KernelTime[], steps: number, peak: FmaPeak | undefined): string {
  const gflopsAtPeak = peak !== undefined && "gflops" in peak ? peak.gflops : undefined;
  const rows = matmuls.map(({ kernel, shape = "", calls, milliseconds, flops }) => {
    const gflops = flops / milliseconds / 1e6;
    return [
      `${kernel} ${shape}`,
      (calls / steps).toFixed(0),
      (1000 * milliseconds / calls).toFixed(1),
      gflops.toFixed(1),
      ...(gflopsAtPeak === undefined ? [] : [percent(gflops / gflopsAtPeak)]),
    ];
  });
  const columns = ["matmul (rows × columns × products)", "calls a step", "µs a call", "GFLOP/s"];
  return textTable(gflopsAtPeak === undefined ? columns : [...columns, "of the peak"], rows);
}

function shareTable(times: readonly KernelTime[], steps: number): string {
  const byKernel = new Map<string, { calls: number; milliseconds: number }>();
  for (const { kernel, calls, milliseconds } of times) {
    const sum = byKernel.get(kernel) ?? { calls: 0, milliseconds: 0 };
    byKernel.set(kernel, { calls: sum.calls + calls, milliseconds: sum.milliseconds + milliseconds });
  }
  const total = times.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const rows = [...byKernel].sort(([, a], [, b]) => b.milliseconds - a.milliseconds).map(
    ([kernel, { calls, milliseconds }]) => [
      kernel,
      (calls / steps).toFixed(0),
      (milliseconds / steps).toFixed(2),
      percent(milliseconds / total),
    ],
  );
  return textTable(["kernel", "calls a step", "ms a step", "share"], rows);
}

const MODELS = ["tiny", "bench"];

async function main(args: readonly string[]): Promise<void> {
  const { values: { model, kernels = "wasm" } } = parseCommandLine(args, OPTIONS);
  if (model !== undefined && !MODELS.includes(model)) {
    throw new UserError("UNKNOWN_MODEL", `Unknown model "${model}"`, suggest(model, MODELS));
  }
  console.log(`machine ${describeMachine()}`);
  const code = await codeOf(kernels);
  if (model !== "bench") {
    const scale = await loadScale("tiny");
    const task = trainingTask(scale.model.config, scale.pretraining.batchSequences);
    await measure(code, "scale tiny", task, scale.gradientBlockSequences);
  }
  if (model !== "tiny") await measure(code, "benchmark model", trainingTask(BENCHMARK_MODEL, 8), 2);
}

if (import.meta.main) {
  try {
    await main(Deno.args);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    console.error(`error: ${error.message} [${error.code}]`);
    Deno.exit(EXIT.unable);
  }
}
