/** `deno task evaluate`: losses and perplexities of weights on both validation sets, in all and by domain. */
import { exp } from "../../arithmetic/elementary.ts";
import type { Corpus } from "../../data/corpus.ts";
import { openCorpora } from "../../data/corpora.ts";
import type { CorpusFiles, CorpusOptions } from "../../data/options.ts";
import { scaleCorpora } from "../../data/scale_corpora.ts";
import { BYTE_TOKENIZER } from "../../formats/tokenizer.ts";
import { EXIT, UserError } from "../../errors.ts";
import { loadScale } from "../../experiment/catalogue.ts";
import type { Scale } from "../../experiment/scale/scale.ts";
import { printable } from "../../files/safe_name.ts";
import { type CorpusLoss, evaluateCorpus } from "../../train/evaluation/domain_losses.ts";
import type { OpenedWeights } from "../../train/checkpoint/open_weights.ts";
import type { Values } from "../arguments.ts";
import { parsePaths } from "../typed_paths.ts";
import type { Command } from "../command.ts";
import { warnOfData } from "../data_warnings.ts";
import { ENGINE_OPTIONS } from "../../engine/catalogue.ts";
import { withSession } from "../with_session.ts";
import { filesFromOptions, SOURCE_OPTIONS } from "../options/source_options.ts";
import { DATA_CACHE } from "../settings.ts";
import { print, printWarning } from "../../terminal.ts";
import {
  describeWeights,
  ownTokenizer,
  WEIGHTS_ARGUMENT,
  WEIGHTS_OPTIONS,
  weightsFromCommandLine,
} from "../options/weights_options.ts";

const DEFAULT_WINDOWS = 64;
const LN_2 = 0.6931471805599453;

const OPTIONS = {
  windows: {
    kind: "count",
    value: "N",
    help: `validation windows of each corpus (default: those of the run, or ${DEFAULT_WINDOWS})`,
  },
  scale: {
    kind: "text",
    value: "NAME",
    help: "evaluate on this scale's data (default: those of the checkpoint's plan)",
  },
  upstream: {
    kind: "list",
    value: "PATH…",
    path: true,
    help: "evaluate on these files: .txt, .jsonl, .jsonl.zst, .parquet",
  },
  downstream: { kind: "list", value: "PATH…", path: true, help: "and on these" },
  tokenizer: {
    kind: "text",
    value: "FILE",
    path: true,
    words: ["bytes"],
    help: "tokenizer.json for these files, or bytes (default: the folder's own, or the scale's)",
  },
  lockfile: SOURCE_OPTIONS.lockfile,
  cache: SOURCE_OPTIONS.cache,
  ...WEIGHTS_OPTIONS,
  ...ENGINE_OPTIONS,
  json: { kind: "flag", help: "print the numbers as JSON" },
} as const;

/** A corpus that was evaluated. */
interface Evaluated {
  readonly corpus: Corpus;
  readonly losses: CorpusLoss;
}

function defaultWindows(opened: OpenedWeights): number {
  return opened.kind === "checkpoint" ? opened.source.run.specification.evaluation.windows : DEFAULT_WINDOWS;
}

/** Bytes of text that a token stands for in a corpus's validation split, as curves have it. */
function bytesPerToken({ summary: { bytes, tokens } }: Corpus): number {
  return bytes.validation / tokens.validation;
}

function table(evaluated: readonly Evaluated[]): string {
  const rows = [["corpus", "domain", "windows", "loss", "perplexity", "bits a byte"]];
  for (const { corpus, losses } of evaluated) {
    const bits = losses.loss / LN_2 / bytesPerToken(corpus);
    rows.push([corpus.name, "all", String(losses.windows), ...numbers(losses.loss), bits.toFixed(4)]);
    if (losses.domains.size === 1) continue;
    for (const [domain, { windows, loss }] of losses.domains) {
      rows.push(["", printable(domain, 40), String(windows), ...numbers(loss), ""]);
    }
  }
  const widths = rows[0]?.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0))) ?? [];
  return rows.map((row) =>
    row.map((cell, i) => i < 2 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)).join("  ").trimEnd()
  ).join("\n");
}

function numbers(loss: number): [loss: string, perplexity: string] {
  return [loss.toFixed(4), exp(loss).toFixed(3)];
}

function toJson(evaluated: readonly Evaluated[]): string {
  const json = evaluated.map(({ corpus, losses }) => [corpus.name, {
    corpus: corpus.digest,
    windows: losses.windows,
    loss: losses.loss,
    perplexity: exp(losses.loss),
    bitsPerByte: losses.loss / LN_2 / bytesPerToken(corpus),
    domains: Object.fromEntries(
      [...losses.domains].map(([name, { windows, loss }]) => [name, { windows, loss, perplexity: exp(loss) }]),
    ),
  }]);
  return JSON.stringify(Object.fromEntries(json), null, 2);
}

/** Says so where the numbers are not those of the run's curves. */
function warnOfOtherData(opened: OpenedWeights, corpora: readonly Corpus[]): void {
  if (opened.kind !== "checkpoint") return;
  const { validation } = opened.source.run.specification;
  const other = corpora.find(({ name, digest }) => digest !== validation[name]);
  if (other === undefined) return;
  printWarning(`this is not the ${other.name} corpus that the run was planned with`);
}

/** The files that options name, with the tokenizer that belongs to them; undefined if they name none. */
async function chosenFiles(
  opened: OpenedWeights,
  { upstream, downstream, tokenizer: given }: Values<typeof OPTIONS>,
): Promise<CorpusFiles | undefined> {
  const hasFiles = upstream !== undefined || downstream !== undefined;
  const tokenizer = given ?? (hasFiles ? await ownTokenizer(opened) : undefined);
  return filesFromOptions({
    upstream,
    downstream,
    tokenizer,
  });
}

/** The scale that was named, or that a checkpoint was planned at. */
async function scaleOf(opened: OpenedWeights, name: string | undefined): Promise<Scale | undefined> {
  if (name !== undefined) return await loadScale(name);
  return opened.kind === "checkpoint" ? opened.source.plan.scale : undefined;
}

/**
 * What a plan of the scale would train on. Weights of which no scale is known are evaluated on files, or on the packages'
 * text as bytes.
 *
 * @throws {UserError} `NO_TOKENIZER` if the model's tokens are not bytes and nothing else is known of them
 */
async function sourceFor(
  opened: OpenedWeights,
  values: Values<typeof OPTIONS>,
): Promise<Pick<CorpusOptions, "source" | "weights" | "domainTokens" | "samples">> {
  const { vocabularySize } = opened.source.model;
  const files = await chosenFiles(opened, values);
  const scale = await scaleOf(opened, values.scale);
  if (scale !== undefined) return scaleCorpora(scale, files, values.cache);
  if (files?.tokenizer === undefined && vocabularySize !== BYTE_TOKENIZER.vocabularySize) {
    throw new UserError(
      "NO_TOKENIZER",
      `The model has a vocabulary of ${vocabularySize}, and without a scale or a tokenizer text is evaluated as bytes`,
      "add --scale NAME, or --upstream PATH, --downstream PATH, and --tokenizer FILE if the folder has none",
    );
  }
  return { source: files === undefined ? { kind: "npm" } : { kind: "files", ...files } };
}

async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = parsePaths(args, OPTIONS, 1);
  const opened = await weightsFromCommandLine(positionals, values);
  const { source } = opened;
  try {
    const { sequenceLength, vocabularySize } = source.model;
    const windows = values.windows ?? defaultWindows(opened);
    const { upstream, downstream } = await openCorpora({
      ...await sourceFor(opened, values),
      lockFile: values.lockfile,
      sequenceLength,
      vocabularySize,
      cacheFolder: DATA_CACHE,
      onProgress: warnOfData,
    });
    try {
      warnOfOtherData(opened, [upstream, downstream]);
      await withSession(values, source, source.model, async (session, digest) => {
        const evaluated: Evaluated[] = [];
        for (const corpus of [upstream, downstream]) {
          evaluated.push({ corpus, losses: await evaluateCorpus(session, corpus, windows, sequenceLength) });
        }
        const described = `${await describeWeights(opened)}\nsha256 of the weights ${digest}`;
        print(values.json === true ? toJson(evaluated) : `${described}\n\n${table(evaluated)}`);
      });
    } finally {
      upstream.close();
      downstream.close();
    }
    return EXIT.ok;
  } finally {
    source.close();
  }
}

/** `evaluate` */
export const evaluate: Command = {
  summary: "gives losses and perplexities of weights on both validation sets, by domain",
  usage: `${WEIGHTS_ARGUMENT} [options]`,
  options: OPTIONS,
  run,
};
