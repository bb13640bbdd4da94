/**
 * Random `tokenizer.json` files against Hugging Face's `tokenizers`, where `python3` has it:
 * `deno test --allow-read --allow-write --allow-run=python3 tests/interop/tokenizers_test.ts`.
 */
import assert from "node:assert/strict";
import { BpeTokenizer } from "../../src/formats/bpe/bpe_tokenizer.ts";
import { readTokenizerFile, type TokenizerDefinition } from "../../src/formats/bpe/tokenizer_file.ts";
import { sha256 } from "../../src/digest/sha256.ts";
import { UserError } from "../../src/errors.ts";
import { bpeTokenBytes, TextOfTokens } from "../../src/inference/token_text.ts";
import { withFolder } from "../temporary_folder.ts";
import { type RandomTokenizer, randomTokenizer } from "./random_tokenizers.ts";

const FILES = 500;
const TEXTS = 200;
/** Files that Python is given at a time. */
const BATCH = 50;

/** Of each line, a file and texts: ids and decoded text, or why the file is not read. */
const ENCODE = `
import json, sys
from tokenizers import Tokenizer
for line in open(sys.argv[1], encoding="utf-8"):
    case = json.loads(line)
    try:
        tokenizer = Tokenizer.from_str(json.dumps(case["file"])) if case else None
    except Exception as error:
        print(json.dumps({"error": str(error)}))
        continue
    ids, decoded = [], []
    for text in case.get("texts", []):
        try:
            ids.append(tokenizer.encode(text).ids)
            decoded.append(tokenizer.decode(ids[-1], skip_special_tokens=False))
        except BaseException as error:  # a panic of Rust is no Exception
            ids.append(str(error))
            decoded.append("")
    print(json.dumps({"ids": ids, "decoded": decoded}))
`;

interface Answer {
  readonly error?: string;
  /** of each text; a message where the reference fails */
  readonly ids?: readonly (readonly number[] | string)[];
  readonly decoded?: readonly string[];
}

async function python(code: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("python3", { args: ["-c", code, ...args] }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr).trim().split("\n").at(-1));
  return new TextDecoder().decode(stdout).trim();
}

async function reasonToSkip(): Promise<string | undefined> {
  const { state } = await Deno.permissions.query({ name: "run", command: "python3" });
  if (state !== "granted") return "needs --allow-run=python3";
  try {
    await python("import tokenizers");
    return undefined;
  } catch (error) {
    return `python3 has no tokenizers: ${error instanceof Error ? error.message : error}`;
  }
}

/** What the reference makes of files and texts. */
async function askReference(folder: string, cases: readonly RandomTokenizer[]): Promise<Answer[]> {
  const path = `${folder}/cases.jsonl`;
  await Deno.writeTextFile(
    path,
    // Some of the files that must be refused make the reference abort.
    cases.map(({ file, texts, refused }) => `${JSON.stringify(refused === undefined ? { file, texts } : {})}\n`).join(
      "",
    ),
  );
  return (await python(ENCODE, path)).split("\n").map((line) => JSON.parse(line));
}

function textOf(definition: TokenizerDefinition, ids: Iterable<number>): string {
  const text = new TextOfTokens(bpeTokenBytes(definition));
  return Array.from(ids, (id) => text.add(id)).join("") + text.end();
}

/** Reads a file; or the error with which it is refused. */
function read(file: unknown, name: string): TokenizerDefinition | UserError {
  try {
    return readTokenizerFile(new TextEncoder().encode(JSON.stringify(file)), name);
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
}

const reason = await reasonToSkip();

Deno.test({
  name: `BpeTokenizer gives the ids of Hugging Face's tokenizers for ${FILES} random files, ${TEXTS} texts each` +
    (reason === undefined ? "" : ` (skipped: ${reason})`),
  ignore: reason !== undefined,
  fn: () =>
    withFolder(async (folder) => {
      let compared = 0, refused = 0;
      for (let first = 0; compared < FILES; first += BATCH) {
        const cases = Array.from({ length: BATCH }, (_, i) => randomTokenizer(first + i, TEXTS));
        const answers = await askReference(folder, cases);
        for (const [i, { file, texts, refused: named }] of cases.entries()) {
          const name = `seed ${first + i}`;
          const definition = read(file, name);
          const { error, ids = [], decoded = [] } = answers[i] ?? {};
          if (definition instanceof UserError) {
            assert.match(definition.code, /^(UNSUPPORTED|MALFORMED)_TOKENIZER$/);
            // The other reasons: the reference fails, or its versions disagree.
            assert(
              /\.lstrip"|twice, with different flags|leave gaps|get one id/.test(definition.message) ||
                named !== undefined && definition.message.includes(`"${named}`),
              `${name}: ${definition.message}`,
            );
            refused++;
            continue;
          }
          assert.equal(named, undefined, `${name} must be refused for ${named}`);
          assert.equal(error, undefined, `${name}: the reference refuses it`);
          compared++;
          const tokenizer = new BpeTokenizer({ definition, sha256: sha256(new Uint8Array(0)) });
          const hasOddNames = definition.addedTokens.some(({ content }) => /[^\x20-\x7e]| /.test(content));
          for (const [j, text] of texts.entries()) {
            const ours = [...tokenizer.encode(text)];
            assert.deepEqual(ours, ids[j], `${name}, text ${j}: ${JSON.stringify(text)}`);
            // The reference's decoder takes the characters of added tokens for bytes.
            if (!hasOddNames) assert.equal(textOf(definition, ours), decoded[j], `${name}, text ${j} decoded`);
          }
        }
      }
      assert(refused > 0.1 * FILES && refused < FILES, `${compared} files compared, ${refused} refused`);
    }),
});
