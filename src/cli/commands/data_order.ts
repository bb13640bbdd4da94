/**
 * `deno task data order`: the order in which GPT-NeoX reads a dataset, from its `.idx` alone. Answers what a model such
 * as Pythia saw at a step, and writes or checks the index files of a GPT-NeoX run.
 */
import { blendShares } from "../../data/gpt_neox/blending.ts";
import { compareIndexMapping, type OrderName, writeIndexMapping } from "../../data/gpt_neox/index_cache.ts";
import {
  buildIndexMapping,
  type DocumentRange,
  type IndexMapping,
  type OrderSpecification,
  tokensOf,
} from "../../data/gpt_neox/index_mapping.ts";
import { piecesOf } from "../../data/gpt_neox/ordered_dataset.ts";
import { type Part, splitDocuments } from "../../data/gpt_neox/split.ts";
import { MegatronIndex } from "../../formats/megatron/index.ts";
import { DEFAULT_DATA_SEED } from "../../data/options.ts";
import { ownMember } from "../../digest/own_member.ts";
import { EXIT, suggest, UserError } from "../../errors.ts";
import { makeFolderDurably } from "../../files/durable.ts";
import { parseWholeNumber, type Values } from "../arguments.ts";
import { parsePaths } from "../typed_paths.ts";
import type { Command } from "../command.ts";
import { print } from "../../terminal.ts";
import { requireWritePermission } from "../write_permission.ts";

/** Pythia's. */
const DEFAULTS = { sequenceLength: 2048, batch: 1024, rows: 8 } as const;

const OPTIONS = {
  idx: { kind: "text", value: "FILE", path: true, help: "the dataset's .idx; its .bin is not needed" },
  samples: { kind: "count", value: "N", help: "samples of the whole run: its steps times its batch" },
  "sequence-length": { kind: "count", value: "T", help: `tokens of a sample (default: ${DEFAULTS.sequenceLength})` },
  seed: { kind: "text", value: "N", help: `GPT-NeoX's seed (default: ${DEFAULT_DATA_SEED})` },
  split: { kind: "text", value: "PART", help: "train, valid or test, if the run was given one data_path to divide" },
  steps: { kind: "text", value: "N,N…", help: "print the samples of these steps, from 0 (default: 0)" },
  batch: { kind: "count", value: "N", help: `samples of a step (default: ${DEFAULTS.batch})` },
  rows: { kind: "count", value: "N", help: `how many of each step are printed (default: ${DEFAULTS.rows})` },
  out: {
    kind: "text",
    value: "DIR",
    path: true,
    help: "write the three .npy files as GPT-NeoX would, in place of printing",
  },
  against: { kind: "text", value: "DIR", path: true, help: "compare with the three .npy files of a run" },
} as const;

/** Parts by GPT-NeoX's words for them. */
const PARTS: Readonly<Record<string, Part>> = { train: "train", valid: "validation", test: "test" };

/** An order that was asked for. */
interface Request {
  readonly specification: OrderSpecification;
  /** of files beside the dataset */
  readonly name: OrderName;
  readonly mapping: IndexMapping;
}

function wholeNumber(name: string, text: string, limit: number): number {
  const number = parseWholeNumber(text);
  if (number !== undefined && number < limit) return number;
  throw new UserError(
    "BAD_NUMBER",
    `Option "--${name}" is "${text}"`,
    `expected a whole number from 0 to ${limit - 1}`,
  );
}

function required<T>(name: string, value: T | undefined, what: string): T {
  if (value !== undefined) return value;
  throw new UserError("MISSING_OPTION", `Option "--${name}" is missing`, `give --${name} ${what}`);
}

function partOf(split: string | undefined): Part | undefined {
  if (split === undefined) return undefined;
  const part = ownMember(PARTS, split);
  if (part !== undefined) return part;
  throw new UserError("UNKNOWN_SPLIT", `Unknown split "${split}"`, suggest(split, Object.keys(PARTS)));
}

/** @param path of the index */
function requestFrom(path: string, asked: number, values: Values<typeof OPTIONS>): Request {
  const part = partOf(values.split);
  const seed = wholeNumber("seed", values.seed ?? `${DEFAULT_DATA_SEED}`, 2 ** 32);
  const sequenceLength = values["sequence-length"] ?? DEFAULTS.sequenceLength;
  // A run that names its training sets blends them, even one, and asks each for a reserve.
  const [reserved = asked] = blendShares([1], asked).samples;
  const samples = part === undefined ? reserved : asked;
  const index = MegatronIndex.open(path);
  try {
    const sizes = index.readSizes();
    const documents = part === undefined ? { first: 0, end: sizes.length } : splitDocuments(sizes.length)[part];
    requirePlausible(path, sizes, documents, sequenceLength);
    const specification = { sizes, documents, samples, sequenceLength, seed };
    const name = {
      prefix: path.slice(0, -".idx".length),
      part: values.split ?? "train_0",
      samples,
      sequenceLength,
      seed,
    };
    const mapping = buildIndexMapping(specification);
    print(`${path}: ${sizes.length} documents, ${index.tokens} tokens
${name.part}: documents ${documents.first} to ${documents.end - 1}, ${counted(mapping.epochs, "epoch")}, ${
      counted(mapping.shuffleIndex.length, "window")
    } of ${sequenceLength} + 1 tokens for ${samples} samples, seed ${seed}`);
    return { specification, name, mapping };
  } finally {
    index.close();
  }
}

/** Bytes of an order that any index may ask for, and further ones for each of its documents. */
const FREE_ORDER_BYTES = 2 ** 28;
const ORDER_BYTES_PER_DOCUMENT = 2 ** 10;

/** Without its tokens, an index of kilobytes may state any number of them. */
function requirePlausible(path: string, sizes: Int32Array, documents: DocumentRange, sequenceLength: number): void {
  const tokens = tokensOf(sizes, documents);
  const bytes = 12 * tokens / sequenceLength;
  if (bytes <= FREE_ORDER_BYTES + ORDER_BYTES_PER_DOCUMENT * sizes.length) return;
  throw new UserError(
    "INDEX_TOO_LARGE",
    `"${path}" states ${tokens} tokens in ${sizes.length} documents, whose order takes ${Math.ceil(bytes)} bytes`,
    "check the index, or give a longer --sequence-length",
  );
}

function counted(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

/** Steps with all their samples in the order. */
function stepsFrom(list: string, samples: number, batch: number): readonly number[] {
  const steps = Math.floor(samples / batch);
  if (steps === 0) {
    throw new UserError("TOO_FEW_SAMPLES", `${samples} samples make no step of ${batch}`, "give --batch N");
  }
  return list.split(",").map((text) => wholeNumber("steps", text, steps));
}

function printSteps({ mapping, specification }: Request, steps: readonly number[], batch: number, rows: number): void {
  for (const step of steps) {
    print(`\nstep ${step}, samples ${step * batch} to ${(step + 1) * batch - 1}, as document:offset+tokens`);
    for (let row = 0; row < Math.min(rows, batch); row++) {
      const pieces = piecesOf(mapping, specification, step * batch + row)
        .map(({ document, offset, length }) => `${document}:${offset}+${length}`);
      print(`  ${step * batch + row}  ${pieces.join(" ")}`);
    }
  }
}

/** The order's name in another folder. */
function movedTo(folder: string, name: OrderName): OrderName {
  return { ...name, prefix: `${folder.replace(/[/\\]+$/, "")}/${name.prefix.split(/[/\\]/).at(-1)}` };
}

async function run(args: readonly string[]): Promise<number> {
  const { values } = parsePaths(args, OPTIONS);
  const idx = required("idx", values.idx, "FILE");
  if (!idx.endsWith(".idx")) {
    throw new UserError("UNKNOWN_FORMAT", `"${idx}" does not end in .idx`, "give the index of a Megatron dataset");
  }
  const samples = required("samples", values.samples, "N, the steps of the run times its batch");
  const batch = values.batch ?? DEFAULTS.batch;
  const prints = values.steps !== undefined || (values.out === undefined && values.against === undefined);
  const steps = prints ? stepsFrom(values.steps ?? "0", samples, batch) : [];
  if (values.out !== undefined) {
    const { out } = values;
    await requireWritePermission(out);
    await makeFolderDurably(out);
  }
  const request = requestFrom(idx, samples, values);
  printSteps(request, steps, batch, values.rows ?? DEFAULTS.rows);
  if (values.out !== undefined) {
    for (const path of writeIndexMapping(movedTo(values.out, request.name), request.mapping)) print(path);
  }
  if (values.against === undefined) return EXIT.ok;
  const compared = compareIndexMapping(movedTo(values.against, request.name), request.mapping);
  for (const { path, difference } of compared) print(`${path}: ${difference ?? "the same"}`);
  return compared.every(({ difference }) => difference === null) ? EXIT.ok : EXIT.failed;
}

/** `data order` */
export const dataOrder: Command = {
  summary: "shows in which order GPT-NeoX reads a dataset, and writes or checks its index files",
  usage: "--idx FILE --samples N [options]",
  options: OPTIONS,
  run,
};
