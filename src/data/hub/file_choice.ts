/** Which files of a dataset hold the tokens that are needed: those at its front, each whole or not at all. */
import { UserError } from "../../errors.ts";
import type { PinnedFile } from "../../hub/listing.ts";
import type { PerSplit } from "../domain.ts";
import { TOKEN_BYTES } from "../../formats/megatron/dataset.ts";
import { splitNamed } from "./split_names.ts";

/**
 * Bytes of compressed text that are fetched for a token. SlimPajama has 895 GB for 627 billion tokens; the quarter more
 * is for domains of which the paper took a larger share (Book: more than half of what there is).
 */
const COMPRESSED_BYTES_PER_TOKEN = 1.25 * 895 / 627;
/** The same without compression: English text has four to five bytes a token. */
const TEXT_BYTES_PER_TOKEN = 1.25 * 4.5;
/** Parquet under Snappy, its writers' default, takes 0.58 of the text; under Zstandard this is a half too many. */
const PARQUET_BYTES_PER_TOKEN = 0.58 * TEXT_BYTES_PER_TOKEN;

function bytesPerToken(path: string): number {
  if (path.endsWith(".bin")) return TOKEN_BYTES;
  if (path.endsWith(".parquet")) return PARQUET_BYTES_PER_TOKEN;
  return path.endsWith(".jsonl") ? TEXT_BYTES_PER_TOKEN : COMPRESSED_BYTES_PER_TOKEN;
}

/** Paths with numbers compared as numbers: chunk2 before chunk10. */
function byNumbers({ path: a }: PinnedFile, { path: b }: PinnedFile): number {
  const [left, right] = [a, b].map((path) => path.split(/(\d+)/));
  for (let i = 0; i < Math.max(left?.length ?? 0, right?.length ?? 0); i++) {
    const [x = "", y = ""] = [left?.[i], right?.[i]];
    if (x === y) continue;
    const difference = i % 2 === 1 ? Number(x) - Number(y) : 0;
    if (difference !== 0) return difference;
    return x < y ? -1 : 1;
  }
  return 0;
}

/** The first files that hold so many tokens; all of them if they hold fewer. */
function front(files: readonly PinnedFile[], tokens: number): PinnedFile[] {
  const chosen: PinnedFile[] = [];
  let held = 0;
  for (const file of [...files].sort(byNumbers)) {
    if (held >= tokens) break;
    chosen.push(file);
    held += file.bytes / bytesPerToken(file.path);
  }
  return chosen;
}

/** Whether a file of a dataset belongs to its validation split. */
export function isValidationFile(path: string): boolean {
  return splitNamed(path) === "validation";
}

/**
 * The files of a dataset that hold some tokens, in the order in which they are read: training files, then those of the
 * validation split. Without any of those the training files are to give the validation tokens too. Test files are never
 * among them.
 */
export function chooseFiles(needed: PerSplit, files: readonly PinnedFile[]): PinnedFile[] {
  const data = files.filter(({ path }) => !path.endsWith(".idx") && splitNamed(path) !== "test");
  const validation = data.filter(({ path }) => isValidationFile(path));
  const train = data.filter(({ path }) => !isValidationFile(path));
  return [
    ...front(train, validation.length > 0 ? needed.train : needed.train + needed.validation),
    ...front(validation, needed.validation),
  ];
}

/** @throws {UserError} `OVER_BUDGET` if files have more bytes than may be fetched */
export function requireBudget(what: string, files: readonly PinnedFile[], budget: number): void {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  if (bytes <= budget) return;
  throw new UserError(
    "OVER_BUDGET",
    `${what} has ${gigabytes(bytes)} GB, but the budget is ${gigabytes(budget)} GB`,
    "raise --budget, or choose a smaller scale or one corpus with --only",
  );
}

function gigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(bytes < 1e10 ? 3 : 0);
}
