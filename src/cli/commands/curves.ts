/** `deno task curves`: all curves of a manifest as CSV, if it verifies. */
import { sha256 } from "../../digest/sha256.ts";
import { EXIT, UserError } from "../../errors.ts";
import { isTrained } from "../../manifest/format/run.ts";
import { readArtefact } from "../../manifest/verify/artefacts.ts";
import { openManifest } from "../../manifest/verify/open_manifest.ts";
import { formatVerification } from "../../manifest/verify/verification_report.ts";
import { verifyManifestFile } from "../../manifest/verify/verify_file.ts";
import { verificationMeans } from "../../reproduce/verification_means.ts";
import type { Curves } from "../../results/curves.ts";
import { curvesCsv } from "../../results/curves_csv.ts";
import { MAX_CURVES_LENGTH, parseCurves } from "../../results/curves_schema.ts";
import { print, printError } from "../../terminal.ts";
import type { Command } from "../command.ts";
import { EXPERIMENT_OPTIONS, foldersFromOptions } from "../options/experiment_options.ts";
import { parsePaths } from "../typed_paths.ts";
import { manifestPath } from "../verification.ts";

const OPTIONS = EXPERIMENT_OPTIONS;

async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = parsePaths(args, OPTIONS, 1);
  const path = manifestPath(positionals);
  const means = await verificationMeans(foldersFromOptions(values));
  const report = await verifyManifestFile(path, { ...means, withoutCheckpoints: true });
  if (report.verdict !== "verified" || report.statement === undefined) {
    printError(formatVerification(report));
    return report.exitCode === EXIT.ok ? EXIT.unable : report.exitCode;
  }
  const { bytes, artefacts } = await openManifest(path);
  if (sha256(bytes) !== report.manifestDigest) throw changed(path);
  const curves: Curves[] = [];
  for (const { curves: { name, sha256: digest } } of report.statement.predicate.runs.filter(isTrained)) {
    const content = await readArtefact(artefacts, name, MAX_CURVES_LENGTH);
    if (sha256(content) !== digest) throw changed(name);
    curves.push(parseCurves(new TextDecoder().decode(content), name));
  }
  print(curvesCsv(curves).trimEnd());
  return EXIT.ok;
}

function changed(name: string): UserError {
  return new UserError("FILE_CHANGED", `"${name}" was changed while it was read`, "try again");
}

/** `curves` */
export const curvesCommand: Command = {
  summary: "prints all curves of a manifest as CSV, if the manifest verifies",
  usage: "MANIFEST > curves.csv",
  options: OPTIONS,
  run,
};
