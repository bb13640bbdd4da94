/** The key that commands sign with: a file, the environment, or the one that is made on first use. */
import { findSigningKey, KEY_VARIABLE } from "../manifest/keys/key_file.ts";
import type { SigningKey } from "../manifest/keys/keys.ts";
import { print } from "../terminal.ts";
import { DEFAULT_KEY } from "./settings.ts";
import { projectPath } from "./user_path.ts";

/** See above. */
export const KEY_OPTIONS = {
  key: {
    kind: "text",
    value: "FILE",
    path: true,
    help: `private key to sign with (default: ${KEY_VARIABLE}, or ${DEFAULT_KEY})`,
  },
} as const;

const NOT_READ = `${KEY_VARIABLE} is not read where packages with native code are loaded: docs/permissions.md`;

/** What the environment has of a key. */
export interface EnvironmentKey {
  /** whether this process may look */
  readonly isRead: boolean;
  readonly text?: string;
}

/**
 * Reads the key in the environment and removes it there, before an engine loads packages of others: whatever runs in
 * this process could read it too.
 */
export function takeEnvironmentKey(): EnvironmentKey {
  const permission = { name: "env", variable: KEY_VARIABLE } as const;
  if (Deno.permissions.querySync(permission).state !== "granted") return { isRead: false };
  const text = Deno.env.get(KEY_VARIABLE);
  if (text === undefined) return { isRead: true };
  Deno.env.delete(KEY_VARIABLE);
  return { isRead: true, text };
}

/** The key to sign with; says which it is. */
export async function signingKey(keyFile: string | undefined, environmentKey: EnvironmentKey): Promise<SigningKey> {
  const { key, message } = await findSigningKey({
    defaultFile: projectPath(DEFAULT_KEY),
    keyFile,
    environment: environmentKey.text,
  });
  print(environmentKey.isRead || keyFile !== undefined ? message : `${message} (${NOT_READ})`);
  return key;
}
