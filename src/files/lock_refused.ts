/** File systems without locks. */
import { errnoOf } from "./file_error.ts";

/** What a system says where its file system has no locks. */
const REFUSED = ["ENOSYS", "ENOTSUP", "EOPNOTSUPP", "ENOLCK", "EINVAL"];

/** Whether an error of taking a lock says that the file system has none. */
export function isLockRefused(error: unknown): boolean {
  return error instanceof Deno.errors.NotSupported || REFUSED.includes(errnoOf(error) ?? "");
}
