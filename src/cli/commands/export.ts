/** `deno task export`: weights as a folder that `transformers` loads. */
import { EXIT, UserError } from "../../errors.ts";
import { exportHuggingFace } from "../../model/hugging_face_export.ts";
import { parsePaths } from "../typed_paths.ts";
import type { Command } from "../command.ts";
import { print } from "../../terminal.ts";
import { requireWritePermission } from "../write_permission.ts";
import {
  describeWeights,
  WEIGHTS_ARGUMENT,
  WEIGHTS_OPTIONS,
  weightsFromCommandLine,
} from "../options/weights_options.ts";

const OPTIONS = {
  out: {
    kind: "text",
    value: "FOLDER",
    path: true,
    help: "where to write config.json, model.safetensors and the rest",
  },
  tokenizer: { kind: "text", value: "FOLDER", path: true, help: "copy the tokenizer's files from this folder" },
  ...WEIGHTS_OPTIONS,
} as const;

/** `export` */
export const exportCommand: Command = {
  summary: "writes weights as Hugging Face has them, so that transformers loads them",
  usage: `${WEIGHTS_ARGUMENT} --out FOLDER [options]`,
  options: OPTIONS,
  run: async (args) => {
    const { values, positionals } = parsePaths(args, OPTIONS, 1);
    const { out, tokenizer } = values;
    if (out === undefined) {
      throw new UserError("MISSING_ARGUMENT", "No folder is named to write to", "add --out FOLDER");
    }
    await requireWritePermission(out);
    const opened = await weightsFromCommandLine(positionals, values);
    try {
      print(await describeWeights(opened));
      const names = await exportHuggingFace(opened.source, out, { tokenizer });
      for (const name of names) print(`  ${out}/${name}`);
      return EXIT.ok;
    } finally {
      opened.source.close();
    }
  },
};
