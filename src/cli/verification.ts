/** A verification as the command line asks for it, with or without retraining: what verify, retrain and attest share. */
import { UserError } from "../errors.ts";
import { readVerifyingKey } from "../manifest/keys/key_file.ts";
import { formatVerification, type VerificationReport } from "../manifest/verify/verification_report.ts";
import { verifyManifestFile } from "../manifest/verify/verify_file.ts";
import type { CountAttestations, VerifyOptions } from "../manifest/verify/verify_options.ts";
import type { Retraining } from "../retrain/retrain.ts";
import { verificationMeans } from "../reproduce/verification_means.ts";
import type { Values } from "./arguments.ts";
import { FORMAT_OPTIONS, type OutputFormat, outputFormat } from "./formats/output_format.ts";
import { verificationJson } from "./formats/verification_json.ts";
import { verificationMarkdown } from "./formats/verification_markdown.ts";
import { EXPERIMENT_OPTIONS, foldersFromOptions } from "./options/experiment_options.ts";
import { piecesFromOptions, RETRAIN_OPTIONS, runRetraining } from "./retrain.ts";
import { rootsFromOptions, TIMESTAMP_OPTIONS } from "./options/timestamp_options.ts";
import { checkTimestamps } from "../timestamp/check.ts";
import { print } from "../terminal.ts";

/** Options of a verification. */
export const VERIFICATION_OPTIONS = {
  "public-key": {
    kind: "list",
    value: "FILE…",
    path: true,
    help: "keys whose owners you know; one of them must have signed",
  },
  "without-checkpoints": { kind: "flag", help: "accept that checkpoints were not published" },
  ...TIMESTAMP_OPTIONS,
  ...EXPERIMENT_OPTIONS,
  ...RETRAIN_OPTIONS,
  ...FORMAT_OPTIONS,
} as const;

/** What options do not say. */
export interface Further {
  /** stands for `--retrain` where the options name no pieces */
  readonly usual?: string;
  readonly countAttestations?: CountAttestations;
  /** retraining computes by WebAssembly whatever this process may load: what verifies runs no native code */
  readonly portable?: boolean;
}

/** What was found. */
export interface Verified {
  readonly report: VerificationReport;
  /** if some of the training was to be repeated */
  readonly retraining?: Retraining;
}

/** The manifest among a command's words. */
export function manifestPath([path]: readonly string[]): string {
  if (path !== undefined) return path;
  throw new UserError("MISSING_ARGUMENT", "No manifest is named", "give its path first: out/tiny/manifest.dsse.json");
}

/**
 * Verifies, and prints the progress of retraining if the report is for a terminal.
 *
 * @returns undefined when it was interrupted
 */
export async function verifyByOptions(
  path: string,
  values: Values<typeof VERIFICATION_OPTIONS>,
  { usual, countAttestations, portable = false }: Further = {},
): Promise<Verified | undefined> {
  const pieces = piecesFromOptions(values, usual);
  const quiet = outputFormat(values) !== "text";
  const trustedKeys = await Promise.all((values["public-key"] ?? []).map(async (file) => ({
    name: file,
    key: await readVerifyingKey(file),
  })));
  const options: VerifyOptions = {
    ...await verificationMeans(foldersFromOptions(values)),
    trustedKeys: trustedKeys.length === 0 ? undefined : trustedKeys,
    withoutCheckpoints: values["without-checkpoints"],
    timestamps: checkTimestamps(await rootsFromOptions(values)),
    countAttestations,
  };
  if (pieces === undefined) return { report: await verifyManifestFile(path, options) };
  if (portable && values.kernels === "native") {
    throw new UserError(
      "NO_NATIVE_KERNELS",
      '"verify" loads no native code, whatever "--kernels" says',
      "use deno task retrain:native",
    );
  }
  const engineValues = portable ? { ...values, kernels: "wasm" } : values;
  const retraining = await runRetraining(path, pieces, engineValues, options, quiet);
  if (retraining === undefined) return undefined;
  if (!quiet) print();
  return { report: retraining.report, retraining };
}

const WRITERS: Readonly<
  Record<OutputFormat, (verified: Verified, further?: Readonly<Record<string, unknown>>) => string>
> = {
  text: ({ report }) => formatVerification(report).trimEnd(),
  json: verificationJson,
  markdown: verificationMarkdown,
};

/**
 * The report in the form that was asked for.
 *
 * @param further members for JSON
 */
export function reportText(
  verified: Verified,
  format: OutputFormat,
  further?: Readonly<Record<string, unknown>>,
): string {
  return WRITERS[format](verified, further);
}
