/** Writing a model as Hugging Face's hub holds it, so that `transformers` loads it, old versions and new ones. */
import { UserError } from "../errors.ts";
import { makeFolderDurably, writeFileDurably } from "../files/durable.ts";
import type { FileSystem } from "../files/file_system.ts";
import { filesWithin } from "../files/files_within.ts";
import { listFolder } from "../files/list_folder.ts";
import { readChunks } from "../files/read_file.ts";
import { huggingFaceConfig } from "./hugging_face.ts";
import { parameterShapes } from "./parameters.ts";
import { safetensorsHeader } from "../formats/safetensors/safetensors_header.ts";
import { bytesOf, type WeightsSource } from "./weights_source.ts";

/** The id that both of rewarm's tokenizers put between documents: `<|endoftext|>`, or the zero byte. */
const END_OF_TEXT = 0;
/** Files of a tokenizer; the first must be there where one is given. */
const TOKENIZER_FILES = [
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "vocab.json",
  "merges.txt",
] as const;
/** All that an export may leave, with the weights first and the configuration last: it tells that the rest is whole. */
const MODEL_FILES = ["model.safetensors", "generation_config.json", "config.json"] as const;

/** How {@linkcode exportHuggingFace} writes. */
export interface ExportOptions {
  /** a folder whose tokenizer files are copied */
  readonly tokenizer?: string;
  /** what is read and written on; the machine's own files if not given */
  readonly files?: FileSystem;
}

/**
 * Writes `model.safetensors` in f32, `generation_config.json`, `config.json`, and a tokenizer's files, each durably.
 * The same weights give the same bytes.
 *
 * @returns names of the files that were written
 * @throws {UserError} `FOLDER_NOT_EMPTY` if the folder holds other files, `NOT_A_FILE` if a tokenizer's file is a link;
 * as the source throws
 */
export async function exportHuggingFace(
  source: WeightsSource,
  folder: string,
  { tokenizer, files = filesWithin(folder) }: ExportOptions = {},
): Promise<readonly string[]> {
  const copied = tokenizer === undefined ? [] : await tokenizerFiles(tokenizer, files);
  await makeFolderDurably(folder, files);
  await refuseStrangers(folder, files);
  const [weights, generation, config] = MODEL_FILES;
  const header = safetensorsHeader(parameterShapes(source.model), { format: "pt" });
  const tensors = async function* () {
    yield header;
    for await (const piece of source.pieces()) yield bytesOf(piece);
  };
  await writeFileDurably(`${folder}/${weights}`, tensors(), { files });
  for (const name of copied) {
    await writeFileDurably(`${folder}/${name}`, readChunks(`${tokenizer}/${name}`, files), { files });
  }
  const ids = { bos_token_id: END_OF_TEXT, eos_token_id: END_OF_TEXT };
  await writeJson(`${folder}/${generation}`, { _from_model_config: true, ...ids }, files);
  await writeJson(`${folder}/${config}`, huggingFaceConfig(source.model, END_OF_TEXT), files);
  return [...MODEL_FILES, ...copied].sort();
}

async function writeJson(path: string, value: unknown, files: FileSystem): Promise<void> {
  await writeFileDurably(path, `${JSON.stringify(value, null, 2)}\n`, { files });
}

async function tokenizerFiles(folder: string, files: FileSystem): Promise<string[]> {
  const names = await listFolder(folder, files);
  const [first] = TOKENIZER_FILES;
  if (names.includes(first)) {
    const found = TOKENIZER_FILES.filter((name) => names.includes(name));
    for (const name of found) await requireOwn(`${folder}/${name}`, files);
    return found;
  }
  throw new UserError(
    "FILE_NOT_FOUND",
    `"${folder}" has no "${first}"`,
    "give the folder of a model with its tokenizer",
  );
}

/** An export is given away: a link would put into it what lies elsewhere, under a name that does not tell. */
async function requireOwn(path: string, files: FileSystem): Promise<void> {
  const status = await files.status(path);
  if (status?.kind === "file") return;
  throw new UserError(
    "NOT_A_FILE",
    `Cannot copy "${path}", it is ${status?.kind === "link" ? "a symbolic link" : "no regular file"}`,
    "put a copy of the file in its place, if it is meant to be given away",
  );
}

/** A file of another model in the folder, an index of shards say, would be read in place of ours. */
async function refuseStrangers(folder: string, files: FileSystem): Promise<void> {
  const own: readonly string[] = [...MODEL_FILES, ...TOKENIZER_FILES];
  const stranger = (await listFolder(folder, files)).find((name) => !name.startsWith(".") && !own.includes(name));
  if (stranger === undefined) return;
  throw new UserError(
    "FOLDER_NOT_EMPTY",
    `The folder "${folder}" holds "${stranger}", which no export writes`,
    "choose an empty or new folder with --out FOLDER",
  );
}
