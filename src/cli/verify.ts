/** `deno task verify`: what a manifest says, and whether its artefacts and claims bear it out. */
import { UserError } from "../errors.ts";
import { readVerifyingKey } from "../manifest/key_file.ts";
import { paperJudge } from "../manifest/paper_judge.ts";
import { formatVerification } from "../manifest/verification_report.ts";
import { verifyManifestFile } from "../manifest/verify_file.ts";
import { loadPaper, PAPER_FILE } from "../reproduce/paper_file.ts";
import { parseCommandLine } from "./arguments.ts";
import type { Command } from "./command.ts";

const OPTIONS = {
  "public-key": { kind: "list", value: "FILE…", help: "keys whose owners you know; one of them must have signed" },
  "without-checkpoints": { kind: "flag", help: "accept that checkpoints were not published" },
  json: { kind: "flag", help: "print the report as JSON" },
} as const;

async function run(args: readonly string[]): Promise<number> {
  const { values, positionals: [path] } = parseCommandLine(args, OPTIONS, 1);
  if (path === undefined) {
    throw new UserError("MISSING_ARGUMENT", "No manifest is named", "give its path: out/tiny/manifest.dsse.json");
  }
  const trustedKeys = await Promise.all((values["public-key"] ?? []).map(async (file) => ({
    name: file,
    key: await readVerifyingKey(file),
  })));
  const paper = await loadPaper();
  const report = await verifyManifestFile(path, {
    judge: paperJudge(paper.text, PAPER_FILE),
    ...(trustedKeys.length === 0 ? {} : { trustedKeys }),
    ...(values["without-checkpoints"] === true ? { withoutCheckpoints: true } : {}),
  });
  if (values.json === true) {
    const { statement: _, ...summary } = report;
    console.log(JSON.stringify(summary, null, 2));
  } else console.log(formatVerification(report).trimEnd());
  return report.exitCode;
}

/** `verify` */
export const verify: Command = {
  summary: "checks a manifest: signature, artefacts, journals, and the claims from their curves",
  usage: "[options] MANIFEST",
  options: OPTIONS,
  run,
};
