/** Turns what the operating system says about a file into what a person can act on. */
import { type ErrorCode, UserError } from "../errors.ts";
import { askedByDeno, deniedByDeno } from "./denied_by_deno.ts";

interface Explanation {
  readonly code: ErrorCode;
  readonly found: string;
  readonly remedy: string;
}

const EXPLANATIONS: Readonly<Record<string, Explanation>> = {
  ENOSPC: {
    code: "NO_SPACE",
    found: "the disk is full",
    remedy: "free some space or choose another folder, then give the same command again; finished work is kept",
  },
  EDQUOT: {
    code: "NO_SPACE",
    found: "the disk quota is used up",
    remedy: "free some space or choose another folder, then give the same command again; finished work is kept",
  },
  EACCES: {
    code: "PERMISSION_DENIED",
    found: "the operating system denies access",
    remedy: "change the permissions of the file or its folder, or choose another folder",
  },
  EROFS: {
    code: "READ_ONLY",
    found: "the file system is read-only",
    remedy: "choose a folder on a file system that can be written",
  },
  EIO: {
    code: "IO_ERROR",
    found: "the disk reports an input/output error",
    remedy: "check the disk, then give the same command again; finished work is kept",
  },
  ENOENT: {
    code: "FILE_NOT_FOUND",
    found: "there is no such file or folder",
    remedy: "check the path",
  },
  EISDIR: {
    code: "NOT_A_FILE",
    found: "it is a folder, and a file is needed",
    remedy: "give the path of a file",
  },
  ENOTDIR: {
    code: "NOT_A_FOLDER",
    found: "a part of the path is a file, and a folder is needed",
    remedy: "remove that file or choose another folder",
  },
  ENOTCAPABLE: {
    code: "PERMISSION_DENIED",
    found: "Deno was not given the permission",
    remedy: "start it by the tasks of deno.json",
  },
};

const SAME_AS: Readonly<Record<string, string>> = { EPERM: "EACCES" };

/** The errno name of an error of the platform, such as `ENOSPC`; `undefined` if it is none. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error.name === "NotCapable") return "ENOTCAPABLE";
  const code: unknown = "code" in error ? error.code : undefined;
  if (typeof code === "string" && /^E[A-Z0-9]+$/.test(code)) return code;
  return undefined;
}

/**
 * What to throw in place of an error of a file operation: a {@linkcode UserError} that names the path, or the error
 * itself where it is no error of the operating system and so a bug.
 *
 * @param doing the attempt in words: `write`, `read`, `lock`
 */
export function fileError(
  error: unknown,
  doing: string,
  path: string,
): unknown {
  const errno = errnoOf(error);
  if (error instanceof UserError || errno === undefined) return error;
  const asked = error instanceof Error && errno === "ENOTCAPABLE" ? askedByDeno(error, path) : undefined;
  if (asked !== undefined) return deniedByDeno(doing, path, [asked], { cause: error });
  const known = EXPLANATIONS[SAME_AS[errno] ?? errno];
  const explanation: Explanation = known ?? {
    code: "FILE_ERROR",
    found: error instanceof Error ? error.message : errno,
    remedy: "check the path and the disk",
  };
  return new UserError(
    explanation.code,
    `Cannot ${doing} "${path}", ${explanation.found}`,
    explanation.remedy,
    {
      cause: error,
    },
  );
}
