/**
 * The first line of a run's journal: which version of the format it has, whose it is, and what holds of all its records.
 * Web-standard APIs only. docs/manifest.md states the format.
 */
import { z } from "zod";
import { type Digest, sha256 } from "../../digest/sha256.ts";
import type { CorpusName, RunKey, RunSpecification } from "../../experiment/run/run.ts";
import type { PerCorpus, ValidationSet } from "../../results/curves.ts";
import { fromBits64, toBits64 } from "./journal_record.ts";

/** Name and version of the format, as the header has it. */
export type JournalFormat = "rewarm journal v1" | "rewarm journal v2" | "rewarm journal v3";

/**
 * Version of the format in which a run's journal is written: 3 where losses are kept by domain and document, else 2.
 * Version 1, without evaluations, is still read.
 */
export function journalVersion({ evaluation }: Pick<RunSpecification, "evaluation">): WrittenHeader["version"] {
  return evaluation.landmarkWindows === undefined ? 2 : 3;
}

/** The format in which a run's journal is written. */
export function journalFormat(specification: Pick<RunSpecification, "evaluation">): WrittenFormat {
  return `rewarm journal v${journalVersion(specification)}`;
}

/** Formats in which journals are written. */
export type WrittenFormat = `rewarm journal v${WrittenHeader["version"]}`;

/** Bytes of validation text that a token stands for, by corpus. */
export type BytesPerToken = Readonly<Record<CorpusName, number>>;

/** Of rewarm 0.1 and 0.2: evaluations are no records. */
export interface JournalHeaderV1 {
  /** version of the format */
  readonly version: 1;
  /** of the run that the journal is of */
  readonly run: RunKey;
}

/** From then on, unless losses are kept by domain and document. */
export interface JournalHeaderV2 {
  /** version of the format */
  readonly version: 2;
  /** of the run that the journal is of */
  readonly run: RunKey;
  /** of the validation text that was evaluated on */
  readonly bytesPerToken: BytesPerToken;
}

/** Of runs whose losses are kept by domain and document. */
export interface JournalHeaderV3 extends Omit<JournalHeaderV2, "version"> {
  /** version of the format */
  readonly version: 3;
  /** which domains and documents the losses are of, with their order; neither kind of documents is ever absent */
  readonly validation: PerCorpus<ValidationSet>;
}

/** What a journal says of itself before its records. */
export type JournalHeader =
  | JournalHeaderV1
  | JournalHeaderV2
  | JournalHeaderV3;

/** A header as journals are written. */
export type WrittenHeader = JournalHeaderV2 | JournalHeaderV3;

/** The line of a header, without the line feed. */
export function formatHeader(header: JournalHeader): string {
  const { version, run } = header;
  const format: JournalFormat = `rewarm journal v${version}`;
  if (version === 1) return JSON.stringify({ format, run });
  const { upstream, downstream } = header.bytesPerToken;
  const bytesPerToken = { upstream: toBits64(upstream), downstream: toBits64(downstream) };
  if (version === 2) return JSON.stringify({ format, run, bytesPerToken });
  const sets = { upstream: setInLine(header.validation.upstream), downstream: setInLine(header.validation.downstream) };
  return JSON.stringify({ format, run, bytesPerToken, validation: sets });
}

/** A validation set as the line has it: name and weight; domain, number and tokens; domain and tokens. */
function setInLine({ domains, sampledDocuments = [], documents = [] }: ValidationSet) {
  return {
    domains: domains.map(({ name, weight }) => [name, toBits64(weight)]),
    sampledDocuments: sampledDocuments.map(({ domain, document, tokens }) => [domain, document, tokens]),
    documents: documents.map(({ domain, tokens }) => [domain, tokens]),
  };
}

const bits64 = z.string().regex(/^[0-9a-f]{16}$/);
const setSchema = z.strictObject({
  domains: z.array(z.tuple([z.string().min(1), bits64])).min(1),
  sampledDocuments: z.array(z.tuple([z.int().min(0), z.int().min(0), z.int().min(1)])).min(1),
  documents: z.array(z.tuple([z.int().min(0), z.int().min(1)])).min(1),
});
const validationSchema = z.strictObject({ upstream: setSchema, downstream: setSchema });

/** Reads the validation sets of a header of version 3; `undefined` for whatever else the line may be. */
function parseValidation(line: string): PerCorpus<ValidationSet> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  const { data } = z.object({ validation: validationSchema }).safeParse(value);
  if (data === undefined) return undefined;
  const set = ({ domains, sampledDocuments, documents }: z.output<typeof setSchema>): ValidationSet => ({
    domains: domains.map(([name, weight]) => ({ name, weight: fromBits64(weight) })),
    sampledDocuments: sampledDocuments.map(([domain, document, tokens]) => ({ domain, document, tokens })),
    documents: documents.map(([domain, tokens]) => ({ domain, tokens })),
  });
  const sets = { upstream: set(data.validation.upstream), downstream: set(data.validation.downstream) };
  const isWhole = ({ domains, sampledDocuments = [], documents = [] }: ValidationSet) =>
    domains.every(({ weight }) => weight >= 0 && weight <= 1) &&
    [...sampledDocuments, ...documents].every(({ domain }) => domain < domains.length);
  return isWhole(sets.upstream) && isWhole(sets.downstream) ? sets : undefined;
}

/** Reads the header of a run's journal; `undefined` for whatever else the line may be. */
export function parseHeader(line: string, run: RunKey): JournalHeader | undefined {
  if (line === formatHeader({ version: 1, run })) return { version: 1, run };
  const [, upstream, downstream] =
    /"bytesPerToken":\{"upstream":"([0-9a-f]{16})","downstream":"([0-9a-f]{16})"\}[,}]/.exec(line) ?? [];
  if (upstream === undefined || downstream === undefined) return undefined;
  const bytesPerToken = { upstream: fromBits64(upstream), downstream: fromBits64(downstream) };
  if (!Object.values(bytesPerToken).every((ratio) => ratio > 0 && Number.isFinite(ratio))) return undefined;
  const validation = line.startsWith('{"format":"rewarm journal v3"') ? parseValidation(line) : undefined;
  const header: JournalHeader = validation === undefined
    ? { version: 2, run, bytesPerToken }
    : { version: 3, run, bytesPerToken, validation };
  // One spelling only.
  return formatHeader(header) === line ? header : undefined;
}

/**
 * Where a run's chain starts: SHA-256 of `"rewarm journal start v2\n"`, or v3, and the header's line; in version 1 of
 * `"rewarm journal start v1\n"` and the 64 characters of the run's key.
 */
export function chainStart(header: JournalHeader): Digest {
  return sha256(
    header.version === 1
      ? `rewarm journal start v1\n${header.run}`
      : `rewarm journal start v${header.version}\n${formatHeader(header)}`,
  );
}
