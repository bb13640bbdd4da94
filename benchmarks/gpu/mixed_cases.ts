/** The mixed mode's kernels at a model's real shapes, one by one, for a comparison with float64. */
import { CublasLt } from "../../src/engine/cuda/driver/cublaslt.ts";
import { Device } from "../../src/engine/cuda/driver/device.ts";
import { slice } from "../../src/engine/cuda/driver/view.ts";
import { compileKernels } from "../../src/engine/cuda/driver/compile_kernels.ts";
import { readKernelUnit } from "../../src/engine/cuda/kernel_source.ts";
import { Attention } from "../../src/engine/cuda/mixed/attention.ts";
import { Classifier } from "../../src/engine/cuda/mixed/classifier.ts";
import type { Gemm, GemmShape } from "../../src/engine/cuda/mixed/gemm.ts";
import { loadMixedKernels, type MixedKernels } from "../../src/engine/cuda/mixed/kernels.ts";
import { LibraryGemm } from "../../src/engine/cuda/mixed/library_gemm.ts";
import { LIBRARY_WORKSPACE_BYTES } from "../../src/engine/cuda/mixed/memory.ts";
import { OwnGemm, ownGemmWorkspaceBytes } from "../../src/engine/cuda/mixed/own_gemm.ts";
import type { MixedPrecision } from "../../src/engine/cuda/mixed/precision.ts";
import { allShapes, passProducts } from "../../src/engine/cuda/mixed/products.ts";
import { RowOperations } from "../../src/engine/cuda/mixed/row_operations.ts";
import { MIXED_FLAGS, mixedKernelChoice } from "../../src/engine/cuda/mixed/specialization.ts";
import {
  encodeTrainingState,
  initialLossScale,
  lossScalingOf,
  TRAINING_STATE_BYTES,
} from "../../src/engine/cuda/mixed/training_state.ts";
import { chunkTable, SCALARS_BYTES, scalarWords, Update } from "../../src/engine/cuda/mixed/update.ts";
import { indexTokens } from "../../src/engine/cuda/ordered/embedding_index.ts";
import { rotaryHalf, writeRotaryTables } from "../../src/engine/ordered/rotary_tables.ts";
import { UserError } from "../../src/errors.ts";
import { type ModelConfig, parameterCount } from "../../src/model/config.ts";
import { tokenWindows } from "../training_task.ts";
import { type CaseFile, CaseWriter, type DeviceArray } from "./case_files.ts";
import { engineOptions, type Settings } from "./settings.ts";
import { OPTIMIZER } from "./task.ts";

/** Windows of a pass; classified rows of it. */
const WINDOWS = 2;
const LOGIT_ROWS = 256;

/** Half the distance from 1 to the next number: the relative error of one rounding. */
function unitRoundoff(precision: MixedPrecision): number {
  return precision === "fp16" ? 2 ** -11 : 2 ** -8;
}

/** What the cases of one model share. */
class Cases {
  readonly #writer: CaseWriter;
  readonly #kernels: MixedKernels;
  readonly #model: ModelConfig;
  readonly #rows: number;
  /** bound of results that are rounded to 16 bits once */
  readonly #u: number;
  readonly #operations: RowOperations;

  constructor(writer: CaseWriter, kernels: MixedKernels, model: ModelConfig) {
    this.#writer = writer;
    this.#kernels = kernels;
    this.#model = model;
    this.#rows = WINDOWS * model.sequenceLength;
    this.#u = unitRoundoff(writer.precision);
    this.#operations = new RowOperations(writer.device, kernels, model, this.#rows);
  }

  get #half() {
    return this.#writer.precision;
  }

  #tokens(): DeviceArray {
    const { sequenceLength } = this.#model;
    return this.#writer.put(tokenWindows(this.#model, WINDOWS, 0), "u16", [WINDOWS, sequenceLength + 1]);
  }

  #tables(): { cosines: DeviceArray; sines: DeviceArray } {
    const shape = [this.#model.sequenceLength, rotaryHalf(this.#model)] as const;
    const cosines = new Float32Array(shape[0] * shape[1]), sines = new Float32Array(cosines.length);
    writeRotaryTables(this.#model, cosines, sines);
    return { cosines: this.#writer.put(cosines, "f32", shape), sines: this.#writer.put(sines, "f32", shape) };
  }

  /** Every product of a pass by one implementation. */
  async products(gemm: Gemm, by: string): Promise<void> {
    const writer = this.#writer;
    for (const shape of allShapes(passProducts(this.#model, this.#rows), [LOGIT_ROWS])) {
      const { layout, m, n, k, output } = shape;
      const accumulate = output === "f32";
      const a = writer.random(this.#half, layout === "tn" ? [k, m] : [m, k]);
      const b = writer.random(this.#half, layout === "nt" ? [n, k] : [k, n]);
      const old = accumulate ? writer.random("f32", [m, n]) : undefined;
      const c = old ?? writer.empty(this.#half, [m, n]);
      // Products of 16-bit factors are exact in f32; a sum errs like the roots of its length.
      const bound = 2 ** -24 * 4 * Math.sqrt(k) + (accumulate ? 0 : this.#u);
      await writer.add(
        { operation: `product_${layout}`, title: `product ${layout}, ${by}`, shape: `${m}×${n}×${k}`, numbers: {} },
        { a, b, ...(old === undefined ? {} : { old }) },
        { c: { array: c, bound } },
        () => gemm.run(shape, { a: a.view, b: b.view, c: c.view, accumulate }),
      );
    }
  }

  async attention(): Promise<void> {
    const { heads, hiddenSize: h, sequenceLength } = this.#model, d = h / heads, rows = this.#rows;
    const writer = this.#writer, u = this.#u;
    const qkv = writer.random(this.#half, [rows, heads, 3, d]), dOutput = writer.random(this.#half, [rows, heads, d]);
    const output = writer.empty(this.#half, [rows, heads, d]);
    const logSums = writer.empty("f32", [WINDOWS, heads, sequenceLength]);
    const deltas = writer.empty("f32", [WINDOWS, heads, sequenceLength]);
    const gradient = writer.empty(this.#half, [rows, heads, 3, d]);
    const attention = new Attention(writer.device, this.#kernels, this.#model, WINDOWS);
    const activations = { queryKeyValue: qkv.view, output: output.view, logSums: logSums.view };
    await writer.add(
      {
        operation: "attention",
        title: "attention, forward and backward",
        shape: `${WINDOWS} × ${heads} heads of ${d}, ${sequenceLength} tokens`,
        numbers: { windows: WINDOWS },
      },
      { qkv, dOutput },
      {
        output: { array: output, bound: 2 * u },
        logSums: { array: logSums, bound: 1e-6 },
        gradient: { array: gradient, bound: 3 * u },
      },
      () => {
        attention.forward(activations);
        attention.backward(activations, dOutput.view, deltas.view, gradient.view);
      },
    );
  }

  async layerNorms(): Promise<void> {
    const { hiddenSize: h, layerNormEpsilon } = this.#model, rows = this.#rows, writer = this.#writer;
    const pieces = this.#operations.pieces;
    const description = { shape: `${rows} rows of ${h}`, numbers: { epsilon: layerNormEpsilon } };
    const vectors = () => ({
      gain1: writer.random("f32", [h], 0.25, 1),
      gain2: writer.random("f32", [h], 0.25, 1),
      shift1: writer.random("f32", [h]),
      shift2: writer.random("f32", [h]),
    });
    const half = () => writer.empty(this.#half, [rows, h]);
    {
      const inputs = {
        residual: writer.random("f32", [rows, h], 3, 1),
        carried: writer.random("f32", [h]),
        ...vectors(),
      };
      const [normalized, y1, y2, rstds] = [half(), half(), half(), writer.empty("f32", [rows])];
      const bound = this.#u + 1e-6;
      await writer.add(
        { operation: "layer_norm_pair", title: "LayerNorm, both of a layer", ...description },
        inputs,
        {
          normalized: { array: normalized, bound },
          rstds: { array: rstds, bound: 1e-6 },
          y1: { array: y1, bound },
          y2: { array: y2, bound },
        },
        () =>
          this.#operations.normalize(
            { residual: inputs.residual.view, carried: inputs.carried.view },
            [
              { gain: inputs.gain1.view, shift: inputs.shift1.view, y: y1.view },
              { gain: inputs.gain2.view, shift: inputs.shift2.view, y: y2.view },
            ],
            { normalized: normalized.view, rstds: rstds.view },
          ),
      );
    }
    const { gain1, gain2 } = vectors();
    const inputs = {
      ...{ gain1, gain2 },
      dy1: writer.random(this.#half, [rows, h]),
      dy2: writer.random(this.#half, [rows, h]),
      normalized: writer.random(this.#half, [rows, h]),
      rstds: writer.random("f32", [rows], 0.1, 1),
      stream: writer.random("f32", [rows, h]),
    };
    const rounded = half(), norm = writer.empty("f32", [pieces, 4 * h]), stream = writer.empty("f32", [pieces, h]);
    const [normSums, streamSums] = [writer.empty("f32", [4 * h]), writer.empty("f32", [h])];
    await writer.add(
      { operation: "layer_norm_pair_backward", title: "LayerNorm, both, backward", ...description },
      inputs,
      {
        dStream: { array: inputs.stream, bound: 4e-6 },
        rounded: { array: rounded, bound: this.#u + 4e-6 },
        normSums: { array: normSums, bound: 1e-5 },
        streamSums: { array: streamSums, bound: 1e-5 },
      },
      () => {
        this.#operations.normalizeBackward(
          [{ dy: inputs.dy1.view, gain: gain1.view }, { dy: inputs.dy2.view, gain: gain2.view }],
          { normalized: inputs.normalized.view, rstds: inputs.rstds.view },
          { exact: inputs.stream.view, rounded: rounded.view },
          { norm: norm.view, stream: stream.view },
        );
        this.#operations.sumColumns({ partial: norm.view, width: 4 * h, target: normSums.view }, false);
        this.#operations.sumColumns({ partial: stream.view, width: h, target: streamSums.view }, false);
      },
    );
  }

  async gelu(): Promise<void> {
    const { intermediateSize: m } = this.#model, rows = this.#rows, writer = this.#writer;
    const inputs = {
      hidden: writer.random(this.#half, [rows, m], 2),
      bias: writer.random("f32", [m]),
      dActivation: writer.random(this.#half, [rows, m]),
    };
    const activation = writer.empty(this.#half, [rows, m]), sums = writer.empty("f32", [this.#operations.pieces, m]);
    const dBias = writer.empty("f32", [m]), bound = this.#u + 1e-6;
    await writer.add(
      { operation: "gelu", title: "bias and GELU, forward and backward", shape: `${rows} rows of ${m}`, numbers: {} },
      inputs,
      {
        activation: { array: activation, bound },
        dHidden: { array: inputs.dActivation, bound },
        dBias: { array: dBias, bound: 1e-5 },
      },
      () => {
        this.#operations.gelu(inputs.hidden.view, inputs.bias.view, activation.view);
        this.#operations.geluBackward(inputs.dActivation.view, inputs.hidden.view, inputs.bias.view, sums.view);
        this.#operations.sumColumns({ partial: sums.view, width: m, target: dBias.view }, false);
      },
    );
  }

  async rotary(): Promise<void> {
    const { heads, hiddenSize: h } = this.#model, d = h / heads, rows = this.#rows, writer = this.#writer;
    const qkv = writer.random(this.#half, [rows, heads, 3, d]),
      gradient = writer.random(this.#half, [rows, heads, 3, d]);
    const bias = writer.random("f32", [heads, 3, d]), { cosines, sines } = this.#tables();
    const sums = writer.empty("f32", [this.#operations.pieces, 3 * h]), dBias = writer.empty("f32", [heads, 3, d]);
    const bound = this.#u + 1e-6;
    await writer.add(
      {
        operation: "rotary",
        title: "bias and rotary embedding, forward and backward",
        shape: `${rows} rows, ${heads} heads of ${d}`,
        numbers: {},
      },
      { qkv, gradient, bias, cosines, sines },
      {
        turned: { array: qkv, bound },
        turnedBack: { array: gradient, bound },
        dBias: { array: dBias, bound: 1e-5 },
      },
      () => {
        const tables = { cosines: cosines.view, sines: sines.view };
        this.#operations.rotary(qkv.view, bias.view, tables);
        this.#operations.rotaryBackward(gradient.view, tables, sums.view);
        this.#operations.sumColumns({ partial: sums.view, width: 3 * h, target: dBias.view }, false);
      },
    );
  }

  async classifier(): Promise<void> {
    const { vocabularySize } = this.#model, writer = this.#writer;
    const count = Math.min(LOGIT_ROWS, this.#rows), first = this.#rows - count;
    const logits = writer.random(this.#half, [count, vocabularySize], 3), tokens = this.#tokens();
    const losses = writer.empty("f32", [this.#rows]);
    const scale = 256, tokenWeight = 1 / this.#rows;
    const state = writer.put(encodeTrainingState({ scale, goodSteps: 0, hysteresis: 1 }), "u32", [
      TRAINING_STATE_BYTES / 4,
    ]);
    const classifier = new Classifier(writer.device, this.#kernels, this.#model, WINDOWS);
    const own = { ...losses, view: slice(losses.view, 4 * first, 4 * count), shape: [count] };
    await writer.add(
      {
        operation: "cross_entropy",
        title: "cross-entropy with its gradient",
        shape: `${count} rows of ${vocabularySize}`,
        numbers: { first, weight: scale * tokenWeight },
      },
      { logits, tokens },
      { losses: { array: own, bound: 2e-6 }, gradient: { array: logits, bound: 1.1 * this.#u } },
      () =>
        classifier.lossAndGradient(
          logits.view,
          { tokens: tokens.view, losses: losses.view },
          { first, count },
          state.view,
          tokenWeight,
        ),
    );
  }

  async embedding(): Promise<void> {
    const { vocabularySize, hiddenSize: h, sequenceLength } = this.#model, rows = this.#rows, writer = this.#writer;
    const tokens = this.#tokens();
    const { ids, starts, rows: places } = indexTokens(tokenWindows(this.#model, WINDOWS, 0), sequenceLength, WINDOWS);
    const table = writer.random("f32", [vocabularySize, h]), stream = writer.random("f32", [rows, h]);
    const residual = writer.empty("f32", [rows, h]), gradient = writer.random("f32", [vocabularySize, h]);
    const words = (values: Uint32Array<ArrayBuffer>) => writer.put(values, "u32", [values.length]).view;
    const index = { ids: words(ids), starts: words(starts), rows: words(places), count: ids.length };
    await writer.add(
      { operation: "embedding", title: "embedding, forward and backward", shape: `${rows} rows of ${h}`, numbers: {} },
      { tokens, table, stream, gradient },
      { residual: { array: residual, bound: 0 }, dTable: { array: gradient, bound: 1e-6 } },
      () => {
        this.#operations.embed(tokens.view, table.view, residual.view);
        this.#operations.embedBackward(stream.view, index, gradient.view);
      },
    );
  }

  /** On a model of few words, whose vectors are short enough for files. */
  async update(): Promise<void> {
    const model = { ...this.#model, vocabularySize: 256, layers: 1 }, size = parameterCount(model);
    const writer = this.#writer, scaling = lossScalingOf(writer.precision), step = 5, learningRate = 1e-3;
    const table = chunkTable(model), scale = initialLossScale(scaling), blocks = 2;
    const weights = writer.random("f32", [size], 0.02), firstMoments = writer.random("f32", [size], 1e-3);
    const secondMoments = writer.random("f32", [size], 1e-6, 1e-5), gradient = writer.random("f32", [size], 0.1);
    const rounded = writer.empty(writer.precision, [size]), chunks = writer.put(table, "u32", [table.length]);
    const chunkSums = writer.empty("f32", [table.length / 3]);
    const state = writer.put(encodeTrainingState(scale), "u32", [TRAINING_STATE_BYTES / 4]);
    const scalars = writer.put(scalarWords(OPTIMIZER, learningRate, step), "f32", [SCALARS_BYTES / 4]);
    const update = new Update(writer.device, this.#kernels, model, scaling);
    const decayed = new Float32Array(size);
    for (let i = 0; i < table.length; i += 3) decayed.fill(table[i + 2]!, table[i], table[i]! + table[i + 1]!);
    await writer.add(
      {
        operation: "adamw",
        title: "norm, clipping and AdamW",
        shape: `${size} parameters`,
        numbers: { ...OPTIMIZER, learningRate: Math.fround(learningRate), step, divisor: scale.scale * blocks },
      },
      { weights, firstMoments, secondMoments, gradient, decayed: writer.put(decayed, "f32", [size]) },
      {
        newWeights: { array: weights, bound: 1e-6 },
        newFirstMoments: { array: firstMoments, bound: 2e-6 },
        newSecondMoments: { array: secondMoments, bound: 2e-6 },
        rounded: { array: rounded, bound: this.#u + 1e-6 },
      },
      () =>
        update.finish(gradient.view, blocks, OPTIMIZER.gradientClip, {
          weights: weights.view,
          firstMoments: firstMoments.view,
          secondMoments: secondMoments.view,
          roundedWeights: rounded.view,
          chunks: chunks.view,
          chunkSums: chunkSums.view,
          state: state.view,
          scalars: scalars.view,
        }),
    );
  }
}

/** cuBLASLt on a device, where it is installed. */
function openLibrary(device: Device, options: ReturnType<typeof engineOptions>): CublasLt | undefined {
  try {
    return CublasLt.open(options, device.properties.driverVersion);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** Computes every operation at a model's shapes; inputs and outputs lie in the folder. */
export async function mixedCases(
  model: ModelConfig,
  precision: MixedPrecision,
  folder: string,
  settings: Settings,
): Promise<readonly CaseFile[]> {
  const options = engineOptions(settings);
  const device = Device.open(options);
  try {
    const { text } = await readKernelUnit(mixedKernelChoice(model, precision));
    const { image } = await compileKernels(text, { ...options, device: device.properties, flags: MIXED_FLAGS });
    const kernels = loadMixedKernels(device.load(image));
    const writer = new CaseWriter(device, precision, folder);
    const cases = new Cases(writer, kernels, model);
    const shapes = allShapes(passProducts(model, WINDOWS * model.sequenceLength), [LOGIT_ROWS]);
    await withGemm(own(device, kernels, shapes), (gemm) => cases.products(gemm, "own"));
    const library = openLibrary(device, options);
    if (library !== undefined) {
      const workspace = device.allocate(LIBRARY_WORKSPACE_BYTES, "workspace");
      const gemm = new LibraryGemm(device, library, workspace, precision, shapes);
      await withGemm(gemm, (opened) => cases.products(opened, library.version));
    }
    await cases.attention();
    await cases.layerNorms();
    await cases.gelu();
    await cases.rotary();
    await cases.classifier();
    await cases.embedding();
    await cases.update();
    return writer.cases;
  } finally {
    device.close();
  }
}

function own(device: Device, kernels: MixedKernels, shapes: readonly GemmShape[]): Gemm {
  const bytes = Math.max(4, ...shapes.map(ownGemmWorkspaceBytes));
  return new OwnGemm(device, kernels, device.allocate(bytes, "workspace"));
}

async function withGemm(gemm: Gemm, use: (gemm: Gemm) => Promise<void>): Promise<void> {
  try {
    await use(gemm);
  } finally {
    gemm.close();
  }
}
