/** Where the signing key comes from: given by the caller, kept in a file, or made on first use. */
import { UserError } from "../../errors.ts";
import { DENO_FILES } from "../../files/deno_file_system.ts";
import { writeFileDurably } from "../../files/durable.ts";
import { fileError } from "../../files/file_error.ts";
import type { FileSystem } from "../../files/file_system.ts";
import { readFileBounded } from "../../files/read_file.ts";
import {
  generateSigningKey,
  parseSigningKey,
  parseVerifyingKey,
  privateKeyPem,
  publicKeyPem,
  type SigningKey,
  type VerifyingKey,
} from "./keys.ts";

/** Name of the environment variable that may hold a private key in PEM. */
export const KEY_VARIABLE = "REWARM_KEY";
const MAX_KEY_BYTES = 16 << 10;

/** A signing key and how it was come by. */
export interface FoundKey {
  readonly key: SigningKey;
  /** what to tell the user: where the key came from, and what to do where it is new */
  readonly message: string;
  readonly isNew: boolean;
}

/** Path of the public key that is kept beside a private key: `key.pem` → `key.pub.pem`. */
export function publicKeyPath(privateKeyPath: string): string {
  return `${privateKeyPath.replace(/\.pem$/, "")}.pub.pem`;
}

/**
 * Makes a new key: the private key readable by its owner only, the public key beside it.
 *
 * @throws {UserError} `KEY_EXISTS` if one of the two files is there already; neither is ever overwritten
 */
export async function createKeyFile(path: string, files: FileSystem = DENO_FILES): Promise<SigningKey> {
  for (const [kind, file] of [["private", path], ["public", publicKeyPath(path)]] as const) {
    if (!await exists(file, files)) continue;
    throw new UserError(
      "KEY_EXISTS",
      `There is a ${kind} key in "${file}" already`,
      "use it, or give another path: a key that is overwritten is lost for good",
    );
  }
  const key = await generateSigningKey();
  // The private key first: from it the public key can be made again, and not the other way round.
  await writeFileDurably(path, await privateKeyPem(key), { files, permissions: 0o600 });
  await writeFileDurably(publicKeyPath(path), publicKeyPem(key), { files });
  return key;
}

/** Reads a private key from a file. */
export async function readSigningKey(path: string, files: FileSystem = DENO_FILES): Promise<SigningKey> {
  return await parseSigningKey(await readText(path, files), `Key file "${path}"`);
}

/** Reads a public key from a file. */
export async function readVerifyingKey(path: string, files: FileSystem = DENO_FILES): Promise<VerifyingKey> {
  return await parseVerifyingKey(await readText(path, files), `Key file "${path}"`);
}

/** Where {@linkcode findSigningKey} looks, first to last. */
export interface KeySources {
  /** `--key FILE`: must be there */
  readonly keyFile?: string;
  /** contents of `REWARM_KEY`: a private key in PEM */
  readonly environment?: string;
  /** used if nothing else is given; made if it is not there */
  readonly defaultFile: string;
  readonly files?: FileSystem;
}

/**
 * Finds the key to sign with.
 *
 * @throws {UserError} if the key that was given cannot be read; no other is then used in its place
 */
export async function findSigningKey(sources: KeySources): Promise<FoundKey> {
  const { keyFile, environment, defaultFile, files = DENO_FILES } = sources;
  if (keyFile !== undefined) {
    const key = await readSigningKey(keyFile, files);
    return { key, isNew: false, message: `Signing with key ${key.keyId} from "${keyFile}"` };
  }
  if (environment !== undefined && environment !== "") {
    const key = await parseSigningKey(keyInEnvironment(environment), `Environment variable ${KEY_VARIABLE}`);
    return { key, isNew: false, message: `Signing with key ${key.keyId} from ${KEY_VARIABLE}` };
  }
  if (await exists(defaultFile, files)) {
    const key = await readSigningKey(defaultFile, files);
    const publicPath = publicKeyPath(defaultFile);
    // The process that made the key may have been stopped between the two files.
    if (!await exists(publicPath, files)) await writeFileDurably(publicPath, publicKeyPem(key), { files });
    return { key, isNew: false, message: `Signing with key ${key.keyId} from "${defaultFile}"` };
  }
  const key = await createKeyFile(defaultFile, files);
  const message = `Made a signing key, ${key.keyId}, in "${defaultFile}": keep this file secret, and give ` +
    `"${publicKeyPath(defaultFile)}" to those who check your manifests`;
  return { key, isNew: true, message };
}

/**
 * The PEM in an environment variable. Files of settings and forms of build services hold one line, and so write its line
 * ends as a backslash and an "n", which stand in no PEM otherwise.
 */
function keyInEnvironment(text: string): string {
  if (!text.includes("-----BEGIN")) {
    throw new UserError(
      "KEY_UNREADABLE",
      `Environment variable ${KEY_VARIABLE} is no Ed25519 private key in PEM, it has no "-----BEGIN"`,
      "give the contents of a key file there, or the path of one with --key FILE",
    );
  }
  return text.replaceAll(/(?:\\r)?\\n|\\r/g, "\n");
}

async function exists(path: string, files: FileSystem): Promise<boolean> {
  try {
    return (await files.status(path)) !== undefined;
  } catch (error) {
    throw fileError(error, "read", path);
  }
}

async function readText(path: string, files: FileSystem): Promise<string> {
  return new TextDecoder().decode(await readFileBounded(path, MAX_KEY_BYTES, files));
}
