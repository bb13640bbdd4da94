/** `deno task attest`: a reviewer verifies a manifest and signs the outcome. */
import { attest as attestManifest, requireAttestable } from "../../attestation/attest.ts";
import { threadCount } from "../../engine/threads.ts";
import { EXIT, UserError } from "../../errors.ts";
import { readSigningKey } from "../../manifest/keys/key_file.ts";
import { outputFormat } from "../formats/output_format.ts";
import { piecesFromOptions } from "../retrain.ts";
import { parsePaths } from "../typed_paths.ts";
import type { Command } from "../command.ts";
import { codeSpan } from "../../text/markdown.ts";
import { print } from "../../terminal.ts";
import { manifestPath, reportText, VERIFICATION_OPTIONS, verifyByOptions } from "../verification.ts";
import { requireWritableFile } from "../write_permission.ts";

const OPTIONS = {
  key: {
    kind: "text",
    value: "FILE",
    path: true,
    help: "your private key (PEM, PKCS #8); not the one that signed the manifest",
  },
  replace: { kind: "flag", help: "replace what this key attested before" },
  ...VERIFICATION_OPTIONS,
} as const;

async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = parsePaths(args, OPTIONS, 1);
  const path = manifestPath(positionals);
  const format = outputFormat(values);
  if (values.key === undefined) {
    throw new UserError(
      "MISSING_ARGUMENT",
      "No key to sign with is named",
      'give --key FILE; make one with "deno task keygen --out reviewer.pem"',
    );
  }
  const key = await readSigningKey(values.key);
  const pieces = piecesFromOptions(values);
  const share = pieces?.kind === "share" ? { share: pieces.share, shares: pieces.shares } : undefined;
  const { target } = await requireAttestable(path, { key, share, replace: values.replace === true });
  await requireWritableFile(target);
  const verified = await verifyByOptions(path, values);
  if (verified === undefined) return EXIT.interrupted;
  const { report, retraining } = verified;
  if (report.verdict !== "verified") {
    print(reportText(verified, format));
    if (format !== "json") print(`${format === "markdown" ? "\n" : ""}Not attested: only what is verified is`);
    return report.exitCode;
  }
  const file = await attestManifest(
    path,
    { report, choice: retraining?.choice },
    {
      key,
      share,
      replace: values.replace === true,
      threads: retraining === undefined ? undefined : threadCount(values),
    },
  );
  print(reportText(verified, format, { attestation: { file, keyId: key.keyId } }));
  const publicKey = key.spki.toBase64();
  if (format === "text") {
    print(`\nAttested    ${file}`);
    print(`public key  ${publicKey} (for the list of those who trust you)`);
  } else if (format === "markdown") {
    print(`\nAttested in ${codeSpan(file, 800)} by the public key \`${publicKey}\``);
  }
  return EXIT.ok;
}

/** `attest` */
export const attest: Command = {
  summary: "verifies a manifest as a reviewer and signs the outcome, in a file that travels with it",
  usage: "MANIFEST --key FILE [options]",
  options: OPTIONS,
  run,
};
