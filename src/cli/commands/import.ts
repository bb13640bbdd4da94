/** `deno task import`: a model of Hugging Face's as one file of weights. */
import { EXIT, UserError } from "../../errors.ts";
import { writeWeightsFile } from "../../model/weights_file.ts";
import { parsePaths } from "../typed_paths.ts";
import type { Command } from "../command.ts";
import { print } from "../../terminal.ts";
import { requireWritableFile } from "../write_permission.ts";
import { describeWeights, WEIGHTS_OPTIONS, weightsFromCommandLine } from "../options/weights_options.ts";

const OPTIONS = {
  out: { kind: "text", value: "FILE", path: true, help: "where to write the weights, a .safetensors file" },
  ...WEIGHTS_OPTIONS,
} as const;

/** `import` */
export const importCommand: Command = {
  summary: "reads a GPT-NeoX model as Hugging Face has it, Pythia say, and writes its weights as f32",
  usage: "FOLDER --out FILE",
  options: OPTIONS,
  run: async (args) => {
    const { values, positionals } = parsePaths(args, OPTIONS, 1);
    if (values.out === undefined) {
      throw new UserError("MISSING_ARGUMENT", "No file is named to write to", "add --out FILE");
    }
    await requireWritableFile(values.out);
    const opened = await weightsFromCommandLine(positionals, values);
    try {
      print(await describeWeights(opened));
      const digest = await writeWeightsFile(values.out, opened.source);
      print(`weights  ${values.out}`);
      print(`sha256   ${digest} (of all weights as f32, without the header)`);
      return EXIT.ok;
    } finally {
      opened.source.close();
    }
  },
};
