/** What a page does not do: takes the place of code that needs more than a browser has. */
import { UserError } from "../../errors.ts";
import type { CorpusName } from "../../experiment/run/run.ts";
import type { Scale } from "../../experiment/scale/scale.ts";

/** The error for it; the terminal can do it all. */
export function notInAPage(problem: string): UserError {
  return new UserError(
    "NOT_IN_A_PAGE",
    `${problem}, which a page cannot read`,
    'use "deno task retrain" in a terminal',
  );
}

/** In the place of `src/data/text/zstd_stream.ts`. */
export function decompressZstd(_: AsyncIterable<Uint8Array>, path: string): never {
  throw notInAPage(`"${path}" is compressed by Zstandard`);
}

/** In the place of `src/data/parquet/documents.ts`. */
export function parquetDocuments(_: AsyncIterable<Uint8Array>, { path }: { readonly path: string }): never {
  throw notInAPage(`"${path}" is a Parquet file`);
}

/** In the place of `src/data/hub/hub_sources.ts`. */
export function hubSource(name: CorpusName): Promise<never> {
  return Promise.reject(notInAPage(`The ${name} corpus is a dataset of a hub`));
}

/** In the place of `src/data/gpt_neox/megatron_ingredients.ts`: those files are known by their names. */
export function areMegatronFiles(_: CorpusName, paths: readonly string[]): boolean {
  return paths.some((path) => /\.(bin|idx)$/i.test(path));
}

/** And refused. */
export function megatronIngredients(name: CorpusName): Promise<never> {
  return Promise.reject(notInAPage(`The ${name} corpus is of Megatron files`));
}

/** In the place of `src/data/gpt_neox/megatron_source.ts`: there are no ingredients. */
export function megatronSource(ingredients: never): never {
  return ingredients;
}

/** In the place of `src/train/start/find_start.ts`. */
export function findStart({ start }: Pick<Scale, "start">): Promise<undefined> {
  if (start === undefined || start.kind === "train") return Promise.resolve(undefined);
  return Promise.reject(notInAPage("The runs start from models that others trained"));
}

/** In the place of `src/engine/exact/native/choose.ts`. */
export function chooseNativeKernels(): Promise<never> {
  return Promise.reject(notInAPage("Native kernels were asked for"));
}

/** In the place of `src/engine/exact/native/link.ts`. */
export function linkNativeKernels(): never {
  throw notInAPage("Native kernels were asked for");
}

/** In the place of the kernels' compiler: the page comes with compiled kernels. */
const compiler = {
  main: (): Promise<never> => Promise.reject(new Error("The page came without compiled kernels")),
};
export default compiler;
