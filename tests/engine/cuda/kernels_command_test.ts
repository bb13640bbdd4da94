/** `deno task kernels`, on a fake NVRTC. Needs gcc. */
import assert from "node:assert/strict";
import { kernels } from "../../../src/cli/commands/kernels.ts";
import { kernelsDigest } from "../../../src/engine/cuda/driver/compile_kernels.ts";
import { readPrebuilt } from "../../../src/engine/cuda/driver/prebuilt_kernels.ts";
import { ORDERED_FLAGS } from "../../../src/engine/cuda/ordered/engine.ts";
import { readKernelUnit } from "../../../src/engine/cuda/kernel_source.ts";
import { testWithFakes } from "./fakes/build.ts";

/** What a command prints. */
async function printed(use: () => Promise<unknown>): Promise<string[]> {
  const lines: string[] = [];
  const { log } = console;
  console.log = (line: string) => lines.push(...line.split("\n"));
  try {
    await use();
  } finally {
    console.log = log;
  }
  return lines;
}

testWithFakes(
  "kernels writes what the engine looks for, and each set once",
  [{ source: "fake_nvrtc.c", library: "libnvrtc.so.12" }],
  async (folder) => {
    const out = `${folder}/kernels`;
    const choice = ["--scale", "medium", "paper", "--architectures", "sm_90", "compute_90"];
    const lines = await printed(() => kernels.run([...choice, "--out", out, "--cuda-lib", folder]));
    assert.deepEqual(lines.map((line) => line.replace(/^[0-9a-f]{4}…[0-9a-f]{4}/, "digest")), [
      "digest  ordered",
      "digest  mixed fp16  medium, paper",
      "digest  mixed bf16  medium, paper",
      "",
      `3 sets for sm_90, compute_90 by NVRTC 12.4, in ${out}`,
    ]);
    const { text } = await readKernelUnit("ordered");
    const { image, target, compiler } = await readPrebuilt(out, kernelsDigest(text, ORDERED_FLAGS), [9, 0]);
    assert.equal(target, "sm_90");
    assert.equal(compiler, "NVRTC 12.4");
    assert(new TextDecoder().decode(image).endsWith(text));
  },
);

testWithFakes("kernels refuses an architecture and a scale that are not there", [], async () => {
  await assert.rejects(() => kernels.run(["--architectures", "sm_9"]), /Unknown architecture "sm_9"/);
  await assert.rejects(() => kernels.run(["--scale", "smal"]), /Unknown scale "smal": did you mean "small"\?/);
});
