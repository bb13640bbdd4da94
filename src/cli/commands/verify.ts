/** `deno task verify`: what a manifest says, and whether its artefacts, claims and reviewers bear it out. */
import { requireAttestations } from "../../attestation/require.ts";
import { readReviewers } from "../../attestation/reviewers.ts";
import { EXIT, UserError } from "../../errors.ts";
import type { CountAttestations } from "../../manifest/verify/verify_options.ts";
import { parseDecimal, type Values } from "../arguments.ts";
import { parsePaths } from "../typed_paths.ts";
import type { Command } from "../command.ts";
import { chooseEngine } from "../../engine/catalogue.ts";
import { segmentCount } from "../retrain.ts";
import { print, printError } from "../../terminal.ts";
import { outputFormat } from "../formats/output_format.ts";
import { manifestPath, reportText, VERIFICATION_OPTIONS, type Verified, verifyByOptions } from "../verification.ts";

const REVIEW_OPTIONS = {
  require: { kind: "count", value: "N", help: "so many reviewers must have attested exactly this manifest" },
  keys: { kind: "text", value: "FILE", path: true, help: "who counts as reviewer: YAML with names and public keys" },
  "require-retrain": {
    kind: "text",
    value: "N|all",
    formerly: ["require-replay"],
    help: "and each of them retrained N drawn segments, or all",
  },
  "require-coverage": {
    kind: "text",
    value: "PERCENT",
    help: "all together retrained so much of the training, by tokens; names what nobody retrained",
  },
} as const;

const OPTIONS = { ...REVIEW_OPTIONS, ...VERIFICATION_OPTIONS } as const;

async function demandFromOptions(values: Values<typeof REVIEW_OPTIONS>): Promise<CountAttestations | undefined> {
  const { keys, "require-retrain": retrain, "require-coverage": percent } = values;
  const coverage = percent === undefined ? undefined : parsePercent(percent);
  const count = values.require ?? (coverage === undefined ? undefined : 1);
  if (count === undefined) {
    const unused = (["keys", "require-retrain"] as const).find((name) => values[name] !== undefined);
    if (unused === undefined) return undefined;
    throw new UserError("UNUSED_OPTION", `"--${unused}" says who counts, and not how many`, "add --require N");
  }
  if (keys === undefined) {
    const option = values.require === undefined ? "require-coverage" : "require";
    throw new UserError("MISSING_ARGUMENT", `"--${option}" does not say who counts`, "add --keys reviewers.yaml");
  }
  return requireAttestations({
    count,
    reviewers: await readReviewers(keys),
    retrain: retrain === undefined ? undefined : segmentCount("require-retrain", retrain),
    coverage,
  });
}

/** `100%` or `100` as a share. */
function parsePercent(text: string): number {
  const percent = parseDecimal(text.replace(/ ?%$/, ""));
  if (percent !== undefined && percent > 0 && percent <= 100) return percent / 100;
  throw new UserError("BAD_NUMBER", `Option "--require-coverage" is "${text}"`, "expected above 0 %, at most 100 %");
}

/** What the words of a command line ask for, and what came of it; undefined when it was interrupted. */
export interface Asked {
  readonly values: Values<typeof OPTIONS>;
  readonly verified: Verified | undefined;
}

/**
 * Verifies as a command line says.
 *
 * @param usual stands for `--retrain` where the options name no pieces
 */
export async function verifyByWords(args: readonly string[], usual?: string): Promise<Asked> {
  const { values, positionals } = parsePaths(args, OPTIONS, 1);
  const path = manifestPath(positionals);
  const countAttestations = await demandFromOptions(values);
  const verified = await verifyByOptions(path, values, { usual, countAttestations, portable: usual === undefined });
  return { values, verified };
}

/** @param usual as for {@linkcode verifyByWords} */
async function run(args: readonly string[], usual?: string): Promise<number> {
  const { values, verified } = await verifyByWords(args, usual);
  if (verified === undefined) return EXIT.interrupted;
  print(reportText(verified, outputFormat(values)));
  const hint = usual === undefined ? undefined : await chooseEngine(values).speedHint?.(values, "retrain:native");
  if (hint !== undefined) printError(`\n${hint}`);
  return verified.report.exitCode;
}

/** `verify` */
export const verify: Command = {
  summary: "checks a manifest: signature, artefacts, journals, claims; with --retrain, pieces of the training as well",
  usage: "MANIFEST [options]",
  options: OPTIONS,
  run: (args) => run(args),
};

/** `retrain`: `verify` that retrains five segments unless it is told which. */
export const retrainCommand: Command = {
  summary: "verifies a manifest and retrains five random segments, bit for bit",
  usage: "MANIFEST [options]",
  options: OPTIONS,
  run: (args) => run(args, "5"),
};
