/** `deno task verify`: what a manifest says, and whether its artefacts and claims bear it out. */
import { EXIT, UserError } from "../errors.ts";
import { readVerifyingKey } from "../manifest/key_file.ts";
import { paperJudge } from "../manifest/paper_judge.ts";
import { formatVerification, type VerificationReport } from "../manifest/verification_report.ts";
import type { VerifyOptions } from "../manifest/verify.ts";
import { verifyManifestFile } from "../manifest/verify_file.ts";
import { loadPaper, PAPER_FILE } from "../reproduce/paper_file.ts";
import { parseCommandLine } from "./arguments.ts";
import type { Command } from "./command.ts";
import { piecesFromOptions, REPLAY_OPTIONS, replaySummary, runReplay } from "./replay.ts";

const OPTIONS = {
  "public-key": { kind: "list", value: "FILE…", help: "keys whose owners you know; one of them must have signed" },
  "without-checkpoints": { kind: "flag", help: "accept that checkpoints were not published" },
  ...REPLAY_OPTIONS,
  json: { kind: "flag", help: "print the report as JSON" },
} as const;

/** @param usual stands for `--replay` where the options name no pieces */
async function run(args: readonly string[], usual?: string): Promise<number> {
  const { values, positionals: [path] } = parseCommandLine(args, OPTIONS, 1);
  if (path === undefined) {
    throw new UserError("MISSING_ARGUMENT", "No manifest is named", "give its path first: out/tiny/manifest.dsse.json");
  }
  const chosen = piecesFromOptions(values, usual);
  const trustedKeys = await Promise.all((values["public-key"] ?? []).map(async (file) => ({
    name: file,
    key: await readVerifyingKey(file),
  })));
  const paper = await loadPaper();
  const options: VerifyOptions = {
    judge: paperJudge(paper.text, PAPER_FILE),
    ...(trustedKeys.length === 0 ? {} : { trustedKeys }),
    ...(values["without-checkpoints"] === true ? { withoutCheckpoints: true } : {}),
  };
  const json = values.json === true;
  if (chosen === undefined) return show(await verifyManifestFile(path, options), json);
  const result = await runReplay(path, chosen, values, options, json);
  if (result === undefined) return EXIT.interrupted;
  if (!json) console.log();
  return show(result.report, json, { replay: replaySummary(result) });
}

function show(report: VerificationReport, json: boolean, further: Readonly<Record<string, unknown>> = {}): number {
  const { statement: _, ...summary } = report;
  console.log(json ? JSON.stringify({ ...summary, ...further }, null, 2) : formatVerification(report).trimEnd());
  return report.exitCode;
}

/** `verify` */
export const verify: Command = {
  summary: "checks a manifest: signature, artefacts, journals, claims; with --replay, pieces of the training as well",
  usage: "MANIFEST [options]",
  options: OPTIONS,
  run: (args) => run(args),
};

/** `replay`: `verify` that trains five segments again if it is not told which. */
export const replayCommand: Command = {
  summary: "verifies a manifest and trains five random segments again, bit for bit",
  usage: "MANIFEST [options]",
  options: OPTIONS,
  run: (args) => run(args, "5"),
};
