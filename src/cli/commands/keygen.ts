/** `deno task keygen`: a new signing key. */
import { EXIT } from "../../errors.ts";
import { createKeyFile, publicKeyPath } from "../../manifest/keys/key_file.ts";
import { parsePaths } from "../typed_paths.ts";
import type { Command } from "../command.ts";
import { DEFAULT_KEY } from "../settings.ts";
import { print } from "../../terminal.ts";
import { wholePath } from "../user_path.ts";
import { requireWritableFile } from "../write_permission.ts";

const OPTIONS = {
  out: { kind: "text", value: "FILE", path: true, help: `where to write the private key (default: ${DEFAULT_KEY})` },
} as const;

/** `keygen` */
export const keygen: Command = {
  summary: "makes an Ed25519 key to sign manifests with",
  usage: "[options]",
  options: OPTIONS,
  run: async (args) => {
    const { values } = parsePaths(args, OPTIONS);
    const path = wholePath(values.out ?? DEFAULT_KEY);
    await requireWritableFile(path);
    const { keyId } = await createKeyFile(path);
    print(`private key  ${path} (keep it to yourself; only you can read it)`);
    print(`public key   ${publicKeyPath(path)} (give it to those who verify)`);
    print(`key id       ${keyId}`);
    return EXIT.ok;
  },
};
