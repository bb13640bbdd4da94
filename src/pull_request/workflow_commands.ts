/**
 * What GitHub's runner reads in the output of a step. A line of a step's output that begins with `::` is a command, so
 * that texts of others could give some: they are printed where commands are stopped.
 *
 * @see https://docs.github.com/actions/reference/workflow-commands-for-github-actions
 */
import { print } from "../terminal.ts";

/** A remark beside a file of the pull request. */
export interface Annotation {
  readonly level: "notice" | "warning" | "error";
  /** relative to the repository's root; absent if it is about the whole */
  readonly file?: string;
  readonly message: string;
}

/** The command that makes an annotation: always one line. */
export function annotationCommand({ level, file, message }: Annotation): string {
  const place = file === undefined ? "" : `file=${escapeProperty(file)},`;
  return `::${level} ${place}title=rewarm::${escapeData(message)}`;
}

function escapeData(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}

/** Runs something during which nothing that is printed is a command. */
export async function withoutCommands<T>(run: () => Promise<T>): Promise<T> {
  const token = crypto.randomUUID(); // nobody can print it beforehand to have commands again
  print(`::stop-commands::${token}`);
  try {
    return await run();
  } finally {
    print(`::${token}::`);
  }
}
