/** Small corpora of Megatron files, and what GPT-NeoX's rules give of them when they are followed naively. */
import { epochsNeeded } from "../../../src/data/gpt_neox/index_mapping.ts";
import { RandomState } from "../../../src/data/gpt_neox/mt19937.ts";
import { tokenBytes } from "../../../src/formats/megatron/dataset.ts";
import { writeIndex } from "../../../src/formats/megatron/write_index.ts";
import type { CorpusOptions } from "../../../src/data/options.ts";
import { withFolder } from "../../temporary_folder.ts";

/** Tokens of a window without its last target. */
export const T = 8;

/** Documents of different lengths whose tokens tell where they are from. */
function documents(count: number, salt: number): number[][] {
  return Array.from(
    { length: count },
    (_, i) => [...Array.from({ length: 1 + (i * 7 + salt) % 13 }, (_, j) => 1 + (i * 17 + j * 3 + salt * 29) % 255), 0],
  );
}

/** Writes a set of one sequence a document; gives the path of its `.bin`. */
export function writeSet(path: string, sequences: readonly (readonly number[])[]): string {
  Deno.writeFileSync(`${path}.bin`, tokenBytes(Uint16Array.from(sequences.flat())));
  writeIndex(`${path}.idx`, sequences.length, () => sequences.map(({ length }) => length));
  return `${path}.bin`;
}

/** All samples of a set in GPT-NeoX's order, by putting the shuffled documents behind one another. */
export function samplesOf(set: readonly (readonly number[])[], samples: number, seed: number): number[][] {
  const epochs = epochsNeeded(set.flat().length, T, samples);
  const random = new RandomState(seed);
  const order = Int32Array.from({ length: epochs * set.length }, (_, i) => i % set.length);
  random.shuffle(order);
  const stream = [...order].flatMap((document) => set[document] ?? []);
  const windows = Int32Array.from({ length: Math.floor((stream.length - 1) / T) }, (_, i) => i);
  random.shuffle(windows);
  return Array.from(windows, (window) => stream.slice(window * T, window * T + T + 1));
}

/** GPT-NeoX's turns of sets with these normalised weights, from the rule alone. */
export function turns(weights: readonly number[], count: number): [set: number, sample: number][] {
  const taken = weights.map(() => 0);
  return Array.from({ length: count }, (_, i) => {
    const errors = weights.map((weight, set) => weight * Math.max(i, 1) - (taken[set] ?? 0));
    const set = errors.indexOf(Math.max(...errors));
    const sample = taken[set] ?? 0;
    taken[set] = sample + 1;
    return [set, sample];
  });
}

/** Tokens as windows. */
export function rows(tokens: Uint16Array): number[][] {
  return Array.from(
    { length: tokens.length / (T + 1) },
    (_, i) => [...tokens.subarray(i * (T + 1), (i + 1) * (T + 1))],
  );
}

/** Documents of the sets. */
export const UP_A = documents(90, 1), UP_B = documents(40, 2), HELD_A = documents(30, 3), DOWN = documents(200, 4);
/** Samples of each corpus. */
export const SAMPLES = 400;

/** Upstream two sets and a validation set of one's name; downstream one file that is divided. */
export async function withCorpora(use: (options: CorpusOptions, folder: string) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const upstream = [
      writeSet(`${folder}/a`, UP_A),
      writeSet(`${folder}/b`, UP_B),
      writeSet(`${folder}/a.val`, HELD_A),
    ];
    const downstream = [writeSet(`${folder}/one`, DOWN)];
    await use({
      source: { kind: "files", upstream, downstream },
      sequenceLength: T,
      samples: { upstream: SAMPLES, downstream: SAMPLES },
    }, folder);
  });
}
