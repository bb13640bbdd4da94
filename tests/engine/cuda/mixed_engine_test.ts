/** The mixed mode as an engine, on the stand-in, with the project's own matmuls and with a cuBLASLt that is a fake. */
import assert from "node:assert/strict";
import { readKernelUnit } from "../../../src/engine/cuda/kernel_source.ts";
import { createMixedCudaEngine } from "../../../src/engine/cuda/mixed/engine.ts";
import { MIXED_SIGNATURES } from "../../../src/engine/cuda/mixed/kernels.ts";
import { MixedSession } from "../../../src/engine/cuda/mixed/session.ts";
import { mixedKernelChoice } from "../../../src/engine/cuda/mixed/specialization.ts";
import { LEARNING_RATE, randomTokens, randomWeights } from "../fixture.ts";
import { withFolder } from "../../temporary_folder.ts";
import { buildFake } from "./fakes/build.ts";
import { assertClose, ignoreWithoutCompiler as ignore, standInFolder, unitRoundoff } from "./mixed_fixture.ts";
import { MODEL, optionsOf } from "./mixed_session_fixture.ts";

const OPTIONS = optionsOf(4, 2);
const TOKENS = randomTokens(MODEL, 4);

Deno.test("MIXED_SIGNATURES are the parameters that the kernels' source declares", async () => {
  const { kernels } = await readKernelUnit(mixedKernelChoice(MODEL, "bf16"));
  const declared = Object.fromEntries(Array.from(kernels, ([name, { signature }]) => [name, signature]));
  assert.deepEqual({ ...MIXED_SIGNATURES }, declared);
});

Deno.test("constants that TypeScript shares with the kernels' source have the same values there", async () => {
  const { text } = await readKernelUnit(mixedKernelChoice(MODEL, "bf16"));
  const valueOf = (name: string) => Number(new RegExp(`constexpr unsigned ${name} = (\\d+);`).exec(text)?.[1]);
  const names = ["NORM_PIECE", "GELU_PIECE", "ROTARY_PIECE", "CHUNK", "CHUNK_THREADS", "KEY_TILE", "SLICES"];
  assert.deepEqual(names.map(valueOf), [16, 32, 32, 4096, 256, 64, 4]);
  assert.deepEqual(["MATMUL_TILE", "MATMUL_DEPTH", "MATMUL_THREADS", "MATMUL_STAGES"].map(valueOf), [128, 32, 256, 3]);
});

Deno.test({
  name: "createMixedCudaEngine() without cuBLASLt uses the project's own matmuls, and says so",
  ignore,
  fn: async () => {
    const places = { libraryFolders: [await standInFolder()], onlyThere: true };
    for (const precision of ["bf16", "fp16"] as const) {
      const engine = createMixedCudaEngine({ ...places, precision });
      try {
        assert.deepEqual(
          [engine.name, engine.level, engine.arithmetic],
          [`cuda-${precision}`, "run_to_run", `mixed-${precision}/1`],
        );
        assert.equal(engine.conditions?.["products"], "rewarm mma 128x128x32");
        assert.equal(engine.conditions?.["multiprocessors"], "132");
        const session = await engine.open(OPTIONS);
        assert(session instanceof MixedSession);
        assert.deepEqual(Object.keys(session.conditions), ["kernels' compiler", "kernels' image"]);
        assert.equal(session.memoryBytes, engine.memoryBytes(OPTIONS));
        await session.writeState(({ weights }) => weights.set(randomWeights(MODEL)));
        assert.equal((await session.step(TOKENS, LEARNING_RATE, 0)).outcome, "updated");
      } finally {
        engine.close?.();
      }
    }
    assert.throws(() => createMixedCudaEngine({ ...places, precision: "bf16", matmuls: "cuBLASLt" }), {
      code: "CUDA_UNAVAILABLE",
    });
  },
});

Deno.test({
  name: "createMixedCudaEngine() with cuBLASLt computes the same but for rounding, and names each matmul's algorithm",
  ignore,
  fn: () =>
    withFolder(async (folder) => {
      const definitions = ["FAKE_STREAM=0"];
      await buildFake(folder, { source: "fake_cublaslt.c", library: "libcublasLt.so.13", definitions });
      const libraryFolders = [await standInFolder(), folder];
      const gradients: Float32Array[] = [];
      for (const matmuls of ["own", "cuBLASLt"] as const) {
        const engine = createMixedCudaEngine({ libraryFolders, onlyThere: true, precision: "bf16", matmuls });
        try {
          const session = await engine.open(OPTIONS);
          assert(session instanceof MixedSession);
          await session.writeState(({ weights }) => weights.set(randomWeights(MODEL)));
          gradients.push((await session.gradient(TOKENS)).gradient);
          const products = Object.entries(session.conditions).filter(([name]) => name.startsWith("product "));
          assert.equal(products.length, matmuls === "own" ? 0 : 15);
          assert(products.every(([name, algorithm]) =>
            /^product (nt|nn|tn) \d+x\d+x\d+ (16|f32)$/.test(name) && /^[0-9a-f]{128}$/.test(algorithm)
          ));
          if (matmuls === "cuBLASLt") {
            assert.match(engine.conditions?.["products"] ?? "", /^cuBLASLt \d+\.\d+\.\d+$/);
          }
        } finally {
          engine.close?.();
        }
      }
      // Both sum in f32, in another order; what is rounded to 16 bits afterwards may then fall to the other side.
      assertClose("gradient", gradients[1]!, gradients[0]!, unitRoundoff("bf16"));
    }),
});
