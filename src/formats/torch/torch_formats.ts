/** Tells an archive from what else PyTorch and Python write under the same names, by its first bytes. */
import type { FileHandle } from "../../files/file_system.ts";
import { readAt } from "../read_at.ts";
import { type Fail, SAVE_AGAIN } from "./torch_error.ts";

const ARCHIVE = "PK";
/** `MAGIC_NUMBER` of torch/serialization.py, as pickles of any protocol have it. */
const LEGACY = "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
/** The opcode that a pickle begins with, before the number of its protocol: from 2 to 5 since 2003. */
const PROTOCOL = 0x80;
/** The magic number follows the protocol, and from protocol 4 on a frame. */
const HEAD_BYTES = 32;

/**
 * Stops at a pickle that is in no archive.
 *
 * @throws {UserError} `UNSUPPORTED_TORCH_FILE`
 */
export async function requireArchive(handle: FileHandle, fail: Fail): Promise<void> {
  const head = new Uint8Array(HEAD_BYTES);
  const text = String.fromCharCode(...head.subarray(0, await readAt(handle, 0, head)));
  if (text.startsWith(ARCHIVE)) return;
  if (text.includes(LEGACY)) fail("it is of the form before PyTorch 1.6, which is no archive", SAVE_AGAIN);
  const [opcode, protocol = 0] = head;
  if (opcode === PROTOCOL && protocol >= 2 && protocol <= 5) fail("it is a pickle without an archive", SAVE_AGAIN);
}
