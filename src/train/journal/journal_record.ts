/**
 * The records of a run's journal: one line of JSON each, chained by SHA-256 over a fixed binary layout. Web-standard
 * APIs only. docs/manifest.md states the format so that someone else can write a verifier.
 */
import type { PerCorpus } from "../../results/curves.ts";
import { type Digest, isDigest, sha256Bytes } from "../../digest/sha256.ts";

/** No line of a journal is longer than this, in bytes without the line feed, but for those of {@linkcode MAX_LONG_LINE_BYTES}. */
export const MAX_LINE_BYTES = 512;

/** From version 3 on headers and evaluations name documents, and are no longer than this. */
export const MAX_LONG_LINE_BYTES: number = 2 ** 20;

/** 32-bit pattern of an IEEE f32 as 8 lower-case hexadecimal digits: `3f800000` is 1. */
export type Bits = string;

/** 64-bit pattern of an IEEE f64 as 16 lower-case hexadecimal digits: `3ff0000000000000` is 1. */
export type Bits64 = string;

/** An optimizer step that was done. */
export interface StepRecord {
  /** a step */
  readonly kind: "step";
  /** number of the step, from 0, without gaps */
  readonly step: number;
  /** the learning rate that the step used */
  readonly lr: Bits;
  /** mean loss of the batch before the update; finite */
  readonly loss: Bits;
  /** L2 norm of the gradient before clipping; finite */
  readonly gradientNorm: Bits;
  /** digest of the batch's token windows */
  readonly batch: Digest;
}

/** A step whose gradients overflowed in 16 bits: nothing was updated, and the learning rate stays where it is. */
export interface SkipRecord {
  /** tells the records apart */
  readonly kind: "skip";
  /** takes its place among the steps, as its batch does among the batches */
  readonly step: number;
  /** what was no finite number */
  readonly skipped: "gradient";
  /** mean loss of the batch; of values that are not finite as in a divergence */
  readonly loss: Bits;
  /** digest of the batch's token windows */
  readonly batch: Digest;
}

/** The state at a checkpoint. */
export interface StateRecord {
  /** a state */
  readonly kind: "state";
  /** optimizer steps done */
  readonly step: number;
  /** digest over weights, moments, step and data position */
  readonly state: Digest;
}

/** An evaluation of both validation sets: a point of the run's curve. From version 2 of the format on. */
export interface EvaluationRecord {
  /** an evaluation */
  readonly kind: "evaluation";
  /** optimizer steps done */
  readonly step: number;
  /** training tokens seen */
  readonly tokens: number;
  /** learning rate of the step about to be done, or of the last one of the schedule */
  readonly lr: Bits;
  /** mean loss of the upstream validation windows, nats a token; finite */
  readonly upstream: Bits64;
  /** the same of the downstream validation windows */
  readonly downstream: Bits64;
  /** mean loss of these windows by domain; NaN for one without a window. In version 3 of the format, absent before */
  readonly domains?: PerCorpus<readonly Bits64[]>;
  /** sums of the losses of these windows by document, from which the means follow; present with `domains` */
  readonly sampledDocuments?: PerCorpus<readonly Bits64[]>;
  /** sums of the losses of all validation windows by document, where they are due */
  readonly documents?: PerCorpus<readonly Bits64[]>;
}

/** The step at which a run ended because a value was no longer finite; its update was not made. Always the last record. */
export interface DivergenceRecord {
  /** a divergence */
  readonly kind: "divergence";
  /** number of the step that was attempted */
  readonly step: number;
  /** which value left the finite numbers first */
  readonly divergence: "loss" | "gradientNorm";
  /** the value: `7fc00000` for every NaN, `7f800000` or `ff800000` for an infinity */
  readonly value: Bits;
  /** digest of the batch's token windows */
  readonly batch: Digest;
}

/** A record of a journal, without its chain digest. */
export type JournalRecord = StepRecord | SkipRecord | StateRecord | EvaluationRecord | DivergenceRecord;

const scratch = new DataView(new ArrayBuffer(8));
const encoder = new TextEncoder();

/** The bit pattern of a number rounded to f32; every NaN has the same one. */
export function toBits(value: number): Bits {
  scratch.setFloat32(0, value);
  return Number.isNaN(value) ? "7fc00000" : scratch.getUint32(0).toString(16).padStart(8, "0");
}

/** The f32 of a bit pattern. */
export function fromBits(bits: Bits): number {
  scratch.setUint32(0, Number.parseInt(bits, 16));
  return scratch.getFloat32(0);
}

/** Stands for the mean of no windows: NaN. */
export const NO_MEAN: Bits64 = "7ff8000000000000";

/** The bit pattern of a number that is not NaN. */
export function toBits64(value: number): Bits64 {
  scratch.setFloat64(0, value);
  return scratch.getBigUint64(0).toString(16).padStart(16, "0");
}

/** The bit pattern of a mean; null is that of no windows. */
export function meanBits(mean: number | null): Bits64 {
  return mean === null ? NO_MEAN : toBits64(mean);
}

/** The f64 of a bit pattern. */
export function fromBits64(bits: Bits64): number {
  scratch.setBigUint64(0, BigInt(`0x${bits}`));
  return scratch.getFloat64(0);
}

/**
 * The chain digest of a record: SHA-256 over a domain that names the record's kind, the previous chain digest
 * (32 bytes), the step (u64), and the record's fields in order, counts as u64, bits as u32 or u64, digests as 32 bytes,
 * lists after their count; little-endian.
 */
export function chainNext(previous: Digest, record: JournalRecord): Digest {
  switch (record.kind) {
    case "step":
      return hashFields("rewarm journal v1\n", previous, record.step, [
        ...[record.lr, record.loss, record.gradientNorm].map(bitsBytes),
        Uint8Array.fromHex(record.batch),
      ]);
    case "skip":
      return hashFields("rewarm journal skip v1\n", previous, record.step, [
        bitsBytes(record.loss),
        Uint8Array.fromHex(record.batch),
      ]);
    case "state":
      return hashFields("rewarm journal state v1\n", previous, record.step, [Uint8Array.fromHex(record.state)]);
    case "evaluation": {
      const { domains, sampledDocuments, documents } = record;
      const means = [bits64Bytes(record.upstream), bits64Bytes(record.downstream)];
      return hashFields(`rewarm journal evaluation v${domains === undefined ? 2 : 3}\n`, previous, record.step, [
        countBytes(record.tokens),
        bitsBytes(record.lr),
        ...means,
        ...(domains === undefined ? [] : [
          ...listBytes(domains),
          ...listBytes(sampledDocuments ?? NO_DOCUMENTS),
          ...listBytes(documents ?? NO_DOCUMENTS),
        ]),
      ]);
    }
    case "divergence":
      return hashFields("rewarm journal divergence v1\n", previous, record.step, [
        Uint8Array.of(record.divergence === "loss" ? 0 : 1),
        bitsBytes(record.value),
        Uint8Array.fromHex(record.batch),
      ]);
  }
}

const NO_DOCUMENTS = { upstream: [], downstream: [] };

/** Of each corpus the number of its losses, and these. */
function listBytes({ upstream, downstream }: PerCorpus<readonly Bits64[]>): Uint8Array[] {
  return [upstream, downstream].flatMap((losses) => [countBytes(losses.length), ...losses.map(bits64Bytes)]);
}

function hashFields(domain: string, previous: Digest, step: number, fields: readonly Uint8Array[]): Digest {
  const parts = [encoder.encode(domain), Uint8Array.fromHex(previous), countBytes(step), ...fields];
  const message = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    message.set(part, offset);
    offset += part.length;
  }
  return toHex(sha256Bytes(message));
}

function countBytes(count: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(count), true);
  return bytes;
}

function bitsBytes(bits: Bits): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, Number.parseInt(bits, 16), true);
  return bytes;
}

function bits64Bytes(bits: Bits64): Uint8Array {
  return Uint8Array.fromHex(bits).reverse();
}

function toHex(bytes: Uint8Array): Digest {
  return bytes.toHex() as Digest;
}

/** The line of a record, without the line feed. There is one line for a record: members in this order, no spaces. */
export function formatRecord(record: JournalRecord, chain: Digest): string {
  const { kind: _, ...members } = ordered(record);
  return JSON.stringify({ ...members, ...(record.kind === "evaluation" ? listsOf(record) : {}), chain });
}

/** The lists of an evaluation, each as the digits of its losses one after the other. */
function listsOf(
  { domains, sampledDocuments, documents }: EvaluationRecord,
): Readonly<Record<string, PerCorpus<string>>> {
  const joined = ({ upstream, downstream }: PerCorpus<readonly Bits64[]>) => ({
    upstream: upstream.join(""),
    downstream: downstream.join(""),
  });
  return {
    ...(domains === undefined ? {} : { domains: joined(domains) }),
    ...(sampledDocuments === undefined ? {} : { sampledDocuments: joined(sampledDocuments) }),
    ...(documents === undefined ? {} : { documents: joined(documents) }),
  };
}

function ordered(record: JournalRecord): JournalRecord {
  const { kind, step } = record;
  switch (kind) {
    case "step":
      return { kind, step, lr: record.lr, loss: record.loss, gradientNorm: record.gradientNorm, batch: record.batch };
    case "skip":
      return { kind, step, skipped: record.skipped, loss: record.loss, batch: record.batch };
    case "state":
      return { kind, step, state: record.state };
    case "evaluation":
      return {
        kind,
        step,
        tokens: record.tokens,
        lr: record.lr,
        upstream: record.upstream,
        downstream: record.downstream,
      };
    case "divergence":
      return { kind, step, divergence: record.divergence, value: record.value, batch: record.batch };
  }
}

/** Reads a record's line; a string says what is wrong with it. */
export function parseRecord(line: string): { readonly record: JournalRecord; readonly chain: Digest } | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return "it is not JSON";
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "it is not a JSON object";
  const members = new Map(Object.entries(value));
  const chain = members.get("chain");
  if (typeof chain !== "string" || !isDigest(chain)) return '"chain" is not a digest';
  const record = toRecord(members);
  if (typeof record === "string") return record;
  // One spelling only: no other order, no white space, no further or repeated members.
  if (formatRecord(record, chain) !== line) return "it is not written as the format prescribes";
  return { record, chain };
}

function toRecord(members: ReadonlyMap<string, unknown>): JournalRecord | string {
  const step = members.get("step");
  if (!isCount(step)) return '"step" is not a step number';
  if (members.has("state")) {
    const state = members.get("state");
    return typeof state === "string" && isDigest(state) ? { kind: "state", step, state } : '"state" is not a digest';
  }
  if (members.has("tokens")) return toEvaluation(step, members);
  const batch = members.get("batch");
  if (typeof batch !== "string" || !isDigest(batch)) return '"batch" is not a digest';
  if (members.has("divergence")) return toDivergence(step, batch, members);
  if (members.has("skipped")) return toSkip(step, batch, members);
  const lr = members.get("lr");
  const loss = members.get("loss");
  const gradientNorm = members.get("gradientNorm");
  if (!isFiniteBits(lr)) return '"lr" is not the bits of a finite f32';
  if (!isFiniteBits(loss)) return '"loss" is not the bits of a finite f32';
  if (!isFiniteBits(gradientNorm)) return '"gradientNorm" is not the bits of a finite f32';
  return { kind: "step", step, lr, loss, gradientNorm, batch };
}

function toSkip(step: number, batch: Digest, members: ReadonlyMap<string, unknown>): SkipRecord | string {
  const skipped = members.get("skipped");
  const loss = members.get("loss");
  if (skipped !== "gradient") return '"skipped" is not a known value';
  if (!isFiniteBits(loss) && !isNonFinite(loss)) return '"loss" is not the bits of an f32';
  return { kind: "skip", step, skipped, loss, batch };
}

function toEvaluation(step: number, members: ReadonlyMap<string, unknown>): EvaluationRecord | string {
  const tokens = members.get("tokens");
  const lr = members.get("lr");
  const upstream = members.get("upstream");
  const downstream = members.get("downstream");
  if (!isCount(tokens)) return '"tokens" is not a number of tokens';
  if (!isFiniteBits(lr)) return '"lr" is not the bits of a finite f32';
  if (!isFiniteBits64(upstream)) return '"upstream" is not the bits of a finite f64';
  if (!isFiniteBits64(downstream)) return '"downstream" is not the bits of a finite f64';
  const domains = toLists(members.get("domains"), isMean);
  const sampledDocuments = toLists(members.get("sampledDocuments"), isFiniteBits64);
  const documents = toLists(members.get("documents"), isFiniteBits64);
  if (domains === null) return '"domains" are not losses of both corpora';
  if (sampledDocuments === null) return '"sampledDocuments" are not losses of both corpora';
  if (documents === null) return '"documents" are not losses of both corpora';
  if ((domains === undefined) !== (sampledDocuments === undefined)) {
    return '"domains" and "sampledDocuments" do not stand together';
  }
  if (documents !== undefined && domains === undefined) return '"documents" stand without "domains"';
  return {
    kind: "evaluation",
    step,
    tokens,
    lr,
    upstream,
    downstream,
    ...(domains === undefined ? {} : { domains }),
    ...(sampledDocuments === undefined ? {} : { sampledDocuments }),
    ...(documents === undefined ? {} : { documents }),
  };
}

/** Losses by domain or document; `undefined` if there are none, null if they are malformed. */
function toLists(
  value: unknown,
  isLoss: (bits: Bits64) => boolean,
): PerCorpus<readonly Bits64[]> | undefined | null {
  if (value === undefined) return undefined;
  if (typeof value !== "object" || value === null) return null;
  const members = new Map(Object.entries(value));
  const [upstream, downstream] = ["upstream", "downstream"].map((name) => {
    const text = members.get(name);
    const losses = typeof text === "string" ? text.match(/[0-9a-f]{16}/g) ?? [] : [];
    return losses.length > 0 && losses.every(isLoss) ? losses : undefined;
  });
  return upstream === undefined || downstream === undefined ? null : { upstream, downstream };
}

/** A mean, or the one spelling of NaN. */
function isMean(bits: Bits64): boolean {
  return bits === NO_MEAN || isFiniteBits64(bits);
}

function toDivergence(
  step: number,
  batch: Digest,
  members: ReadonlyMap<string, unknown>,
): DivergenceRecord | string {
  const divergence = members.get("divergence");
  const value = members.get("value");
  if (divergence !== "loss" && divergence !== "gradientNorm") return '"divergence" is not a known value';
  if (!isNonFinite(value)) return '"value" is not the bits of NaN or an infinity';
  return { kind: "divergence", step, divergence, value, batch };
}

/** Whether these are the one spelling of NaN, or of an infinity. */
function isNonFinite(value: unknown): value is Bits {
  return value === "7fc00000" || value === "7f800000" || value === "ff800000";
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isFiniteBits64(value: unknown): value is Bits64 {
  return typeof value === "string" && /^[0-9a-f]{16}$/.test(value) && Number.isFinite(fromBits64(value));
}

function isFiniteBits(value: unknown): value is Bits {
  return typeof value === "string" && /^[0-9a-f]{8}$/.test(value) && Number.isFinite(fromBits(value));
}
