/**
 * The first line of a run's journal: which version of the format it has, whose it is, and what holds of all its records.
 * Web-standard APIs only. docs/manifest.md states the format.
 */
import { type Digest, sha256 } from "../digest/sha256.ts";
import type { CorpusName, RunKey } from "../experiment/run.ts";
import { fromBits64, toBits64 } from "./journal_record.ts";

/** Version of the format in which journals are written; version 1, without evaluations, is still read. */
export const JOURNAL_VERSION = 2;

/** Name and version of the format, as the header has it. */
export type JournalFormat = "rewarm journal v1" | "rewarm journal v2";
/** The format in which journals are written. */
export const JOURNAL_FORMAT: "rewarm journal v2" = `rewarm journal v${JOURNAL_VERSION}`;

/** Bytes of validation text that a token stands for, by corpus. */
export type BytesPerToken = Readonly<Record<CorpusName, number>>;

/** Of rewarm 0.1 and 0.2: evaluations are no records. */
export interface JournalHeaderV1 {
  /** version of the format */
  readonly version: 1;
  /** of the run that the journal is of */
  readonly run: RunKey;
}

/** From then on. */
export interface JournalHeaderV2 {
  /** version of the format */
  readonly version: 2;
  /** of the run that the journal is of */
  readonly run: RunKey;
  /** of the validation text that was evaluated on */
  readonly bytesPerToken: BytesPerToken;
}

/** What a journal says of itself before its records. */
export type JournalHeader =
  | JournalHeaderV1
  | JournalHeaderV2;

/** A header as journals are written. */
export type WrittenHeader = JournalHeaderV2;

/** The line of a header, without the line feed. */
export function formatHeader(header: JournalHeader): string {
  const { version, run } = header;
  const format: JournalFormat = `rewarm journal v${version}`;
  if (version === 1) return JSON.stringify({ format, run });
  const { upstream, downstream } = header.bytesPerToken;
  const bytesPerToken = { upstream: toBits64(upstream), downstream: toBits64(downstream) };
  return JSON.stringify({ format, run, bytesPerToken });
}

/** Reads the header of a run's journal; `undefined` for whatever else the line may be. */
export function parseHeader(line: string, run: RunKey): JournalHeader | undefined {
  if (line === formatHeader({ version: 1, run })) return { version: 1, run };
  const [, upstream, downstream] =
    /"bytesPerToken":\{"upstream":"([0-9a-f]{16})","downstream":"([0-9a-f]{16})"\}\}$/.exec(line) ?? [];
  if (upstream === undefined || downstream === undefined) return undefined;
  const bytesPerToken = { upstream: fromBits64(upstream), downstream: fromBits64(downstream) };
  if (!Object.values(bytesPerToken).every((ratio) => ratio > 0 && Number.isFinite(ratio))) return undefined;
  const header: JournalHeader = { version: 2, run, bytesPerToken };
  // One spelling only.
  return formatHeader(header) === line ? header : undefined;
}

/**
 * Where a run's chain starts: SHA-256 of `"rewarm journal start v2\n"` and the header's line; in version 1 of
 * `"rewarm journal start v1\n"` and the 64 characters of the run's key.
 */
export function chainStart(header: JournalHeader): Digest {
  return sha256(
    header.version === 1
      ? `rewarm journal start v1\n${header.run}`
      : `rewarm journal start v2\n${formatHeader(header)}`,
  );
}
