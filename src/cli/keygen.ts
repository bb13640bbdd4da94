/** `deno task keygen`: a new signing key. */
import { EXIT } from "../errors.ts";
import { createKeyFile, publicKeyPath } from "../manifest/key_file.ts";
import { parseCommandLine } from "./arguments.ts";
import type { Command } from "./command.ts";
import { DEFAULT_KEY } from "./settings.ts";
import { print } from "./terminal.ts";

const OPTIONS = {
  out: { kind: "text", value: "FILE", help: `where to write the private key (default: ${DEFAULT_KEY})` },
} as const;

/** `keygen` */
export const keygen: Command = {
  summary: "makes an Ed25519 key to sign manifests with",
  usage: "[options]",
  options: OPTIONS,
  run: async (args) => {
    const { values } = parseCommandLine(args, OPTIONS);
    const path = values.out ?? DEFAULT_KEY;
    const { keyId } = await createKeyFile(path);
    print(`private key  ${path} (keep it to yourself; only you can read it)`);
    print(`public key   ${publicKeyPath(path)} (give it to those who verify)`);
    print(`key id       ${keyId}`);
    return EXIT.ok;
  },
};
