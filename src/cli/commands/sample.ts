/** `deno task sample`: the text with which a model continues a prompt. The same command prints the same text on every machine. */
import { EXIT, UserError } from "../../errors.ts";
import { generate, generationWindow } from "../../inference/generate.ts";
import type { SamplingOptions } from "../../inference/next_token.ts";
import { TextOfTokens } from "../../inference/token_text.ts";
import { chooseTokenizer } from "../../inference/tokenizer_choice.ts";
import { parseDecimal, type Values } from "../arguments.ts";
import { parsePaths } from "../typed_paths.ts";
import type { Command } from "../command.ts";
import { ENGINE_OPTIONS } from "../../engine/catalogue.ts";
import { withSession } from "../with_session.ts";
import { printError, writeText } from "../../terminal.ts";
import {
  describeWeights,
  ownTokenizer,
  WEIGHTS_ARGUMENT,
  WEIGHTS_OPTIONS,
  weightsFromCommandLine,
} from "../options/weights_options.ts";

const DEFAULT_TOKENS = 200;

const OPTIONS = {
  prompt: {
    kind: "text",
    value: "TEXT",
    mayBeEmpty: true,
    help: "what the text begins with (default: the start of a document)",
  },
  tokens: { kind: "count", value: "N", help: `tokens to generate at most (default: ${DEFAULT_TOKENS})` },
  temperature: { kind: "text", value: "T", help: "0: always the likeliest token (default: 0; with --top-p: 1)" },
  "top-p": { kind: "text", value: "P", help: "draw from the likeliest tokens with this share (default: 1, all)" },
  seed: { kind: "text", value: "N", help: "of the draws (default: 0)" },
  tokenizer: {
    kind: "text",
    value: "FILE",
    path: true,
    words: ["bytes"],
    help: "tokenizer.json, if not the folder's own, or bytes",
  },
  ...WEIGHTS_OPTIONS,
  ...ENGINE_OPTIONS,
} as const;

/** @throws {UserError} `BAD_NUMBER` unless the text is a number that is allowed */
function numberOf(name: string, text: string, isAllowed: (n: number) => boolean, expected: string): number {
  const number = parseDecimal(text);
  if (number !== undefined && isAllowed(number)) return number;
  throw new UserError("BAD_NUMBER", `Option "--${name}" is "${text}"`, `expected ${expected}`);
}

function samplingOptions(values: Values<typeof OPTIONS>): SamplingOptions {
  const { temperature, "top-p": topP, seed = "0" } = values;
  return {
    temperature: numberOf(
      "temperature",
      temperature ?? (topP === undefined ? "0" : "1"),
      (n) => n >= 0 && n < Infinity,
      "a number from 0",
    ),
    topP: numberOf("top-p", topP ?? "1", (n) => n > 0 && n <= 1, "a number above 0, at most 1"),
    seed: numberOf("seed", seed, (n) => Number.isSafeInteger(n) && n >= 0, "a whole number from 0"),
  };
}

async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = parsePaths(args, OPTIONS, 1);
  const sampling = samplingOptions(values);
  const tokens = values.tokens ?? DEFAULT_TOKENS;
  const opened = await weightsFromCommandLine(positionals, values);
  const { source } = opened;
  try {
    const { tokenizer, bytesOf } = await chooseTokenizer(
      source.model,
      values.tokenizer ?? await ownTokenizer(opened),
    );
    const { endOfText, vocabularySize } = tokenizer;
    const given = [...tokenizer.encode(values.prompt ?? "")];
    const prompt = given.length === 0 ? [endOfText] : given;
    const window = generationWindow(source.model, prompt.length + tokens);
    await withSession(values, source, { ...source.model, sequenceLength: window }, async (session, digest) => {
      // What is told about the text goes to the other stream, so that the text alone can be kept.
      printError(`${await describeWeights(opened)}\nsha256 of the weights ${digest}\n`);
      const text = new TextOfTokens(bytesOf);
      await writeText(values.prompt ?? "");
      for await (
        const token of generate(session, window, prompt, { ...sampling, tokens, vocabularySize, endOfText })
      ) await writeText(text.add(token));
      await writeText(`${text.end()}\n`);
    });
    return EXIT.ok;
  } finally {
    source.close();
  }
}

/** `sample` */
export const sample: Command = {
  summary: "prints the text with which a model continues a prompt",
  usage: `${WEIGHTS_ARGUMENT} [options]`,
  options: OPTIONS,
  run,
};
