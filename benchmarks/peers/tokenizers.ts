/** Tokenizers that are measured: this project's, Hugging Face's for JavaScript, and their Rust through Python. */
import type { Json } from "../../src/digest/canonical_json.ts";
import { createSha256, sha256 } from "../../src/digest/sha256.ts";
import { BpeTokenizer } from "../../src/formats/bpe/bpe_tokenizer.ts";
import { readTokenizerFile } from "../../src/formats/bpe/tokenizer_file.ts";
import { type LineProcess, startPython } from "./line_process.ts";
import type { Unavailable } from "./peer.ts";

/** What is not in deno.lock is imported by its exact version, at run time only. */
const NPM_PACKAGE = "@huggingface/tokenizers@0.2.0";
const SCRIPT = new URL("./tokenizers.py", import.meta.url);

/** A text that every tokenizer encodes, and the file that it is to do it with. */
export interface EncodingTask {
  /** path of a `tokenizer.json` */
  readonly tokenizer: string;
  readonly texts: readonly string[];
}

/** All texts encoded once. */
export interface Pass {
  readonly seconds: number;
  /** of all ids as little-endian uint16 */
  readonly sha256: string;
}

/** A tokenizer on one core. */
export interface TokenizerPeer {
  /** with the version that runs */
  readonly name: string;
  pass(): Promise<Pass>;
  close(): Promise<void>;
}

async function timed(texts: readonly string[], encode: (text: string) => ArrayLike<number>): Promise<Pass> {
  const start = performance.now();
  const ids = texts.map(encode);
  const seconds = (performance.now() - start) / 1000;
  const digest = await createSha256();
  for (const piece of ids) digest.update(new Uint8Array(Uint16Array.from(piece).buffer));
  return { seconds, sha256: digest.finish() };
}

/** This project's. */
export async function openOwn({ tokenizer, texts }: EncodingTask): Promise<TokenizerPeer> {
  const bytes = await Deno.readFile(tokenizer);
  const own = new BpeTokenizer({ definition: readTokenizerFile(bytes, tokenizer), sha256: sha256(bytes) });
  return { name: "rewarm", pass: () => timed(texts, (text) => own.encode(text)), close: async () => {} };
}

/** The library's interface, as far as it is used. */
interface NpmLibrary {
  readonly Tokenizer: new (file: Json, configuration: Json) => {
    encode(text: string, options: { readonly add_special_tokens: boolean }): { readonly ids: number[] };
  };
}

/** `@huggingface/tokenizers`; unavailable where it cannot be imported. */
export async function openNpm({ tokenizer, texts }: EncodingTask): Promise<TokenizerPeer | Unavailable> {
  try {
    const library: NpmLibrary = await import(`npm:${NPM_PACKAGE}`);
    const theirs = new library.Tokenizer(JSON.parse(await Deno.readTextFile(tokenizer)), {});
    const encode = (text: string) => theirs.encode(text, { add_special_tokens: false }).ids;
    return { name: NPM_PACKAGE, pass: () => timed(texts, encode), close: async () => {} };
  } catch (error) {
    return { name: NPM_PACKAGE, reason: error instanceof Error ? error.message : String(error) };
  }
}

/**
 * `tokenizers` in Rust; unavailable where there is no such interpreter, no permission to run it, or no such package.
 *
 * @param python name or path of the interpreter
 */
export async function openRust(task: EncodingTask, python: string): Promise<TokenizerPeer | Unavailable> {
  const started = await startPython<{ readonly version: string }>({
    name: "tokenizers, Rust",
    python,
    args: ["-c", await Deno.readTextFile(SCRIPT)],
    task,
  });
  if ("reason" in started) return started;
  return runningPeer(started.process, `tokenizers ${started.greeting.version}, Rust`);
}

function runningPeer(process: LineProcess, name: string): TokenizerPeer {
  return {
    name,
    pass: async () => {
      await process.send({});
      return await process.receive<Pass>();
    },
    close: () => process.close(),
  };
}
