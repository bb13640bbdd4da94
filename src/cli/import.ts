/** `deno task import`: a model of Hugging Face's as one file of weights. */
import { EXIT, UserError } from "../errors.ts";
import { writeWeightsFile } from "../model/weights_file.ts";
import { parseCommandLine } from "./arguments.ts";
import type { Command } from "./command.ts";
import { describeWeights, WEIGHTS_OPTIONS, weightsFromCommandLine } from "./weights_options.ts";

const OPTIONS = {
  out: { kind: "text", value: "FILE", help: "where to write the weights, a .safetensors file" },
  ...WEIGHTS_OPTIONS,
} as const;

/** `import` */
export const importCommand: Command = {
  summary: "reads a GPT-NeoX model as Hugging Face has it, Pythia say, and writes its weights as f32",
  usage: "FOLDER --out FILE",
  options: OPTIONS,
  run: async (args) => {
    const { values, positionals } = parseCommandLine(args, OPTIONS, 1);
    if (values.out === undefined) {
      throw new UserError("MISSING_ARGUMENT", "No file is named to write to", "add --out FILE");
    }
    const opened = await weightsFromCommandLine(positionals, values);
    try {
      console.log(await describeWeights(opened));
      const digest = await writeWeightsFile(values.out, opened.source);
      console.log(`weights  ${values.out}`);
      console.log(`sha256   ${digest} (of all weights as f32, without the header)`);
      return EXIT.ok;
    } finally {
      opened.source.close();
    }
  },
};
