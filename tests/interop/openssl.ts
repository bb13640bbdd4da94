/** The OpenSSL command line, where it is installed and may be run. */
import { withFolder } from "../temporary_folder.ts";

const reason = await reasonToSkip();

async function reasonToSkip(): Promise<string | undefined> {
  const { state } = await Deno.permissions.query({ name: "run", command: "openssl" });
  if (state !== "granted") return "needs --allow-run=openssl";
  try {
    const { stdout } = await new Deno.Command("openssl", { args: ["version"] }).output();
    const version = new TextDecoder().decode(stdout);
    return /^OpenSSL [3-9]/.test(version) ? undefined : `needs OpenSSL 3, found ${version.trim()}`;
  } catch {
    return "openssl is not installed";
  }
}

/** Runs it; what it printed on both streams. */
export async function openssl(...args: string[]): Promise<{ code: number; stdout: Uint8Array; text: string }> {
  const { code, stdout, stderr } = await new Deno.Command("openssl", { args }).output();
  const decoder = new TextDecoder();
  return { code, stdout, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

/** A test that needs OpenSSL 3. */
export function opensslTest(name: string, run: (folder: string) => Promise<void>): void {
  const suffix = reason === undefined ? "" : ` (skipped: ${reason})`;
  Deno.test({ name: name + suffix, ignore: reason !== undefined, fn: () => withFolder(run) });
}
