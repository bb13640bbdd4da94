/** Numbers: kernels, and whole gradients, beside PyTorch in float64. */
import { parameterShapes } from "../../../src/model/parameters.ts";
import { type EngineName, ENGINES, MIXED_ENGINES, precisionOf, withEngine } from "../engines.ts";
import { mixedCases } from "../cases/mixed.ts";
import type { Part, PartContext } from "../part.ts";
import { askPython } from "../python.ts";
import type { Deviation, Finding } from "../results.ts";
import { gpuTask, modelOf, type Size } from "../task.ts";
import { openTraining } from "../training.ts";

/** The only sizes whose heads differ: 32 and 64. */
const KERNEL_SIZES = ["pythia-14m", "pythia-410m"] as const;

async function operations(
  size: Size,
  precision: "bf16" | "fp16",
  { settings, folder }: PartContext,
): Promise<Finding> {
  const cases = await mixedCases(modelOf(size, settings.rehearsal), precision, folder, settings);
  await Deno.writeTextFile(`${folder}/cases.json`, JSON.stringify(cases));
  const deviations = await askPython(settings, "reference_operations.py", [folder], 200);
  return { kind: "deviations", deviations: deviations as Deviation[] };
}

/** How far an engine's loss and gradient may be from float64: several times what its precision explains. */
const BOUNDS = {
  "cuda-ordered": { precision: "f32", lossBound: 1e-6, gradientBound: 2e-5 },
  "cuda-bf16": { precision: "bf16", lossBound: 5e-4, gradientBound: 5e-2 },
  "cuda-fp16": { precision: "fp16", lossBound: 1e-4, gradientBound: 1e-2 },
} as const satisfies Readonly<Record<EngineName, unknown>>;

async function gradients({ settings, folder }: PartContext): Promise<Finding> {
  const shape = { sequenceLength: 512 };
  const task = gpuTask("pythia-14m", settings.rehearsal, { batchSequences: 4, microBatchSequences: 2, shape });
  const { model, noise, batchSequences, batches: [tokens] } = task;
  if (tokens === undefined) throw new Error("The task has no batches");
  await Deno.writeFile(`${folder}/noise.bin`, new Uint8Array(noise.buffer));
  await Deno.writeFile(`${folder}/tokens.bin`, new Uint8Array(tokens.buffer));
  const engines = [];
  for (const name of ENGINES) {
    const { loss, gradient } = await withEngine(name, settings, async (engine) => {
      const session = await openTraining(engine, task);
      try {
        return await session.gradient(tokens);
      } finally {
        session.close();
      }
    });
    await Deno.writeFile(`${folder}/${name}.bin`, new Uint8Array(gradient.buffer, 0, gradient.byteLength));
    engines.push({ name, loss, ...BOUNDS[name] });
  }
  const description = {
    model,
    parameters: parameterShapes(model),
    sequences: batchSequences,
    noise: noise.length,
    engines,
    shape: `pythia-14m, ${batchSequences} × ${model.sequenceLength} tokens`,
  };
  await Deno.writeTextFile(`${folder}/gradient.json`, JSON.stringify(description));
  const deviations = await askPython(settings, "reference_gradient.py", [folder], 200);
  return { kind: "deviations", deviations: deviations as Deviation[] };
}

/** Parts of this stage that compare numbers. */
export const ACCURACY_PARTS: readonly Part[] = [
  ...KERNEL_SIZES.flatMap((size) =>
    MIXED_ENGINES.map(precisionOf).map((precision): Part => ({
      name: `kernels-${precision}-${size.replace("pythia-", "")}`,
      stage: "correctness",
      summary: `each mixed kernel at the shapes of ${size} in ${precision}, beside float64`,
      seconds: 240,
      run: (context) => operations(size, precision, context),
    }))
  ),
  {
    name: "gradients",
    stage: "correctness",
    summary: "loss and gradient of a whole model by every engine, beside float64",
    seconds: 200,
    run: gradients,
  },
];
