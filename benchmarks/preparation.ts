/**
 * `deno task bench:preparation --tokenizer FILE`: how fast a corpus is prepared (Zstandard, JSON, tokens, shuffle, written
 * files) beside Hugging Face's datasets and tokenizers, of the same files, in one run.
 * Ends with code 1 if they do not count the same documents and tokens.
 */
import { type Options, parseCommandLine } from "../src/cli/arguments.ts";
import { EXIT, UserError } from "../src/errors.ts";
import { describeMachine } from "./machine.ts";
import { openDatasets, openOwnPreparation, type Preparation, type PreparationPeer } from "./peers/preparations.ts";
import { writeCorpus } from "./preparation_corpus.ts";
import { runProgram } from "./run_program.ts";
import { median } from "./statistics.ts";
import { grouped, textTable } from "./text_table.ts";

const OPTIONS = {
  tokenizer: { kind: "text", value: "FILE", help: "tokenizer.json that all encode with" },
  megabytes: { kind: "count", value: "N", help: "text of the corpus, in MB (default: 200)" },
  rounds: { kind: "count", value: "N", help: "rounds to take the median of (default: 3)" },
  threads: { kind: "count", value: "N", help: "threads of rewarm, and processes of datasets (default: 2)" },
  python: {
    kind: "text",
    value: "PATH",
    help: "interpreter that has datasets, tokenizers, zstandard (default: python3)",
  },
} as const satisfies Options;

const WORK_FOLDER = ".cache";

/** What was measured of one; the first pass comes before the rounds. */
interface Measurement {
  readonly peer: PreparationPeer;
  readonly passes: Preparation[];
}

/** Speeds in MB/s of UTF-8 text. */
function resultTable(measurements: readonly Measurement[], textBytes: number): string {
  const speeds = measurements.map(({ passes }) => passes.map(({ seconds }) => textBytes / 1e6 / seconds));
  const rows = measurements.map(({ peer }, i) => {
    const [first = NaN, ...rounds] = speeds[i] ?? [];
    const ratios = rounds.map((speed, round) => (speeds[0]?.[round + 1] ?? NaN) / speed);
    return [
      peer.name,
      first.toFixed(1),
      median(rounds).toFixed(1),
      `${Math.min(...rounds).toFixed(1)}–${Math.max(...rounds).toFixed(1)}`,
      i === 0 ? "" : `${median(ratios).toFixed(1)}×`,
    ];
  });
  return textTable(["", "first pass", "MB/s", "lowest–highest", "rewarm ÷ this"], rows);
}

/** Whether all passes of all counted the same. */
function agree(measurements: readonly Measurement[]): boolean {
  const counts = measurements.flatMap(({ passes }) => passes.map(({ documents, tokens }) => `${documents} ${tokens}`));
  return new Set(counts).size === 1;
}

async function main(args: readonly string[]): Promise<number> {
  const { megabytes = 200, rounds = 3, threads = 2, python = "python3", tokenizer } =
    parseCommandLine(args, OPTIONS).values;
  if (tokenizer === undefined) {
    throw new UserError("MISSING_VALUE", "No tokenizer is given", "add --tokenizer FILE, a tokenizer.json");
  }
  await Deno.mkdir(WORK_FOLDER, { recursive: true });
  const folder = await Deno.realPath(await Deno.makeTempDir({ dir: WORK_FOLDER, prefix: "preparation-" }));
  const measurements: Measurement[] = [];
  try {
    const corpus = await writeCorpus(folder, megabytes * 1e6);
    console.log(`machine   ${describeMachine()}`);
    console.log(
      `corpus    ${grouped(corpus.textBytes)} bytes of text in ${grouped(corpus.documents)} documents, ` +
        `${grouped(corpus.jsonBytes)} bytes of JSON, two files of .jsonl.zst; ${threads} threads or processes`,
    );
    const task = { files: corpus.files, tokenizer: await Deno.realPath(tokenizer), folder, processes: threads };
    for (const open of [() => openOwnPreparation(task), () => openDatasets(task, python)]) {
      const peer = await open();
      if ("pass" in peer) measurements.push({ peer, passes: [] });
      else console.log(`skipped: ${peer.name}: ${peer.reason}`);
    }
    for (let round = 0; round <= rounds; round++) {
      for (const { peer, passes } of measurements) passes.push(await peer.pass());
    }
    console.log(`rounds    ${rounds}, in turn; medians, and of ratios the median of the rounds'`);
    console.log(`\n${resultTable(measurements, corpus.textBytes)}\n`);
  } finally {
    for (const { peer } of measurements) await peer.close();
    await Deno.remove(folder, { recursive: true });
  }
  const areEqual = agree(measurements);
  const { documents = NaN, tokens = NaN } = measurements[0]?.passes[0] ?? {};
  const counts = `${grouped(documents)} documents, ${grouped(tokens)} tokens`;
  console.log(areEqual ? `all counted ${counts}` : "the numbers of documents or tokens DO NOT AGREE");
  return areEqual ? EXIT.ok : EXIT.failed;
}

if (import.meta.main) {
  await runProgram(main);
}
