/** Submitting jobs once, however often it is asked for. */
import { DENO_FILES } from "../../files/deno_file_system.ts";
import { fileError } from "../../files/file_error.ts";
import type { FileSystem } from "../../files/file_system.ts";
import type { Scheduler } from "./scheduler.ts";
import { type Places, sbatchWords, type Submission } from "./submission.ts";

/** What became of one job. */
export interface Submitted {
  readonly submission: Submission;
  readonly state: "done" | "in queue" | "submitted" | "to submit";
  /** of the job that is in the queue */
  readonly number?: string;
}

/** How jobs are submitted. */
export interface SubmitOptions {
  readonly places: Places;
  /** the user's options of sbatch */
  readonly options: readonly string[];
  readonly scheduler: Scheduler;
  /** submit; otherwise only look what would be */
  readonly submits: boolean;
  readonly files?: FileSystem;
}

/**
 * Goes through the jobs in order: what has its result is done, what is in the queue by its name stays there, the rest
 * is submitted.
 *
 * @param submissions each after those that it waits for
 * @throws {UserError} as `Scheduler`; what was submitted before stays in the queue, where the next call finds it
 */
export async function* submitAll(
  submissions: readonly Submission[],
  { places, options, scheduler, submits, files = DENO_FILES }: SubmitOptions,
): AsyncGenerator<Submitted> {
  const queue = await scheduler.queue(places.output);
  const numbers = new Map<string, string>();
  for (const submission of submissions) {
    const { name, result } = submission;
    if (await isThere(`${places.output}/${result}`, files)) {
      yield { submission, state: "done" };
      continue;
    }
    const waiting = queue.get(name);
    if (waiting === undefined && !submits) {
      yield { submission, state: "to submit" };
      continue;
    }
    const number = waiting ?? await scheduler.submit(sbatchWords(submission, places, numbers, options));
    numbers.set(name, number);
    yield { submission, state: waiting === undefined ? "submitted" : "in queue", number };
  }
}

async function isThere(path: string, files: FileSystem): Promise<boolean> {
  try {
    return await files.status(path) !== undefined;
  } catch (error) {
    throw fileError(error, "read", path);
  }
}
