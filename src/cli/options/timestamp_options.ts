/** Whose timestamps are believed. */
import { readFileBounded } from "../../files/read_file.ts";
import type { Values } from "../arguments.ts";

/** Options about timestamps. */
export const TIMESTAMP_OPTIONS = {
  "timestamp-roots": {
    kind: "text",
    value: "FILE",
    path: true,
    help: "certificates (PEM) of timestamp authorities' roots that you trust: both timestamps must lead to one",
  },
} as const;

const MAX_ROOTS_BYTES = 1 << 20;

/**
 * The roots that were named; undefined if none were.
 *
 * @throws {UserError} `BAD_CERTIFICATES`, or if the file cannot be read
 */
export async function rootsFromOptions(
  values: Values<typeof TIMESTAMP_OPTIONS>,
): Promise<Uint8Array<ArrayBuffer>[] | undefined> {
  const path = values["timestamp-roots"];
  if (path === undefined) return undefined;
  const { parseRoots } = await import("../../timestamp/roots.ts");
  return parseRoots(new TextDecoder().decode(await readFileBounded(path, MAX_ROOTS_BYTES)), path);
}
