/**
 * `deno task bench:tokenizer --tokenizer FILE`: speed of this project's byte-level BPE on one core beside Hugging Face's
 * tokenizers, in JavaScript and in Rust, over the same text, in one run.
 * Ends with code 1 if their ids differ.
 */
import { type Options, parseCommandLine } from "../src/cli/arguments.ts";
import { readDataLock } from "../src/data/data_lock.ts";
import { quarteredIngredients } from "../src/data/embedded/quarters.ts";
import { inspectFile, readDocuments } from "../src/data/text/file_source.ts";
import { DEFAULT_DATA_SEED } from "../src/data/options.ts";
import { BYTE_TOKENIZER } from "../src/formats/tokenizer.ts";
import { utf8Bytes } from "../src/text/utf8.ts";
import { EXIT, UserError } from "../src/errors.ts";
import { runProgram } from "./run_program.ts";
import { describeMachine } from "./machine.ts";
import { openNpm, openOwn, openRust, type Pass, type TokenizerPeer } from "./peers/tokenizers.ts";
import { median } from "./statistics.ts";
import { grouped, textTable } from "./text_table.ts";

const OPTIONS = {
  tokenizer: { kind: "text", value: "FILE", help: "tokenizer.json that all encode with" },
  files: { kind: "list", value: "PATH…", help: "text: .txt, .jsonl, .jsonl.zst (default: the npm packages' own)" },
  rounds: { kind: "count", value: "N", help: "rounds to take the median of (default: 5)" },
  python: { kind: "text", value: "PATH", help: "interpreter that has tokenizers (default: python3)" },
} as const satisfies Options;

/** What was measured of one tokenizer; the first pass comes before the rounds. */
interface Measurement {
  readonly peer: TokenizerPeer;
  readonly passes: Pass[];
}

async function readTexts(files: readonly string[] | undefined): Promise<string[]> {
  const texts: string[] = [];
  if (files === undefined) {
    const settings = {
      options: { source: { kind: "npm" }, sequenceLength: 1 },
      tokenizer: BYTE_TOKENIZER,
      dataSeed: DEFAULT_DATA_SEED,
      lock: await readDataLock(),
    } as const;
    const { upstream, downstream } = await quarteredIngredients(settings);
    for (const corpus of [upstream, downstream]) {
      for await (const { text } of corpus.documents(() => {})) texts.push(text);
    }
  }
  for (const path of files ?? []) {
    for await (const { text } of readDocuments(await inspectFile(path, () => {}), () => {})) texts.push(text);
  }
  return texts;
}

/** Speeds in MB/s of UTF-8 text. */
function resultTable(measurements: readonly Measurement[], bytes: number): string {
  const speeds = measurements.map(({ passes }) => passes.map(({ seconds }) => bytes / 1e6 / seconds));
  const rows = measurements.map(({ peer }, i) => {
    const [first = NaN, ...rounds] = speeds[i] ?? [];
    const ratios = rounds.map((speed, round) => (speeds[0]?.[round + 1] ?? NaN) / speed);
    return [
      peer.name,
      first.toFixed(2),
      median(rounds).toFixed(2),
      `${Math.min(...rounds).toFixed(2)}–${Math.max(...rounds).toFixed(2)}`,
      i === 0 ? "" : `${median(ratios).toFixed(1)}×`,
    ];
  });
  return textTable(["", "first pass", "MB/s", "lowest–highest", "rewarm ÷ this"], rows);
}

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseCommandLine(args, OPTIONS);
  const { rounds = 5, python = "python3", tokenizer } = values;
  if (tokenizer === undefined) {
    throw new UserError("MISSING_VALUE", "No tokenizer is given", "add --tokenizer FILE, a tokenizer.json");
  }
  const texts = await readTexts(values.files);
  const bytes = texts.reduce((total, text) => total + utf8Bytes(text), 0);
  console.log(`machine   ${describeMachine()}`);
  console.log(`text      ${grouped(bytes)} bytes in ${grouped(texts.length)} documents, one core each`);
  const task = { tokenizer, texts };
  const measurements: Measurement[] = [];
  try {
    for (const open of [() => openOwn(task), () => openNpm(task), () => openRust(task, python)]) {
      const peer = await open();
      if ("pass" in peer) measurements.push({ peer, passes: [] });
      else console.log(`skipped: ${peer.name}: ${peer.reason}`);
    }
    for (let round = 0; round <= rounds; round++) {
      for (const { peer, passes } of measurements) passes.push(await peer.pass());
    }
  } finally {
    for (const { peer } of measurements) await peer.close();
  }
  console.log(`rounds    ${rounds}, in turn; medians, and of ratios the median of the rounds'`);
  console.log(`\n${resultTable(measurements, bytes)}\n`);
  const digests = new Set(measurements.flatMap(({ passes }) => passes.map(({ sha256 }) => sha256)));
  console.log(digests.size === 1 ? "all gave the same ids" : "the ids DO NOT AGREE");
  return digests.size === 1 ? EXIT.ok : EXIT.failed;
}

if (import.meta.main) {
  await runProgram(main);
}
