/**
 * `action.yml`'s program: verifies the manifests and bundles that a pull request adds or changes, compares them with the
 * base branch, and says so in the job's summary, in annotations and in outputs. It starts no program: Git's part, a list
 * of changes and a checkout of the base, is done by the action before. Keys come from the base branch, since a pull
 * request could bring its own.
 */
import { parseCommandLine } from "../cli/arguments.ts";
import { EXIT, UserError } from "../errors.ts";
import { AppendFile } from "../files/append_file.ts";
import { DENO_FILES } from "../files/deno_file_system.ts";
import { readFileBounded } from "../files/read_file.ts";
import { unsafeNameReason } from "../files/safe_name.ts";
import { guardConsole, print, printFailure } from "../terminal.ts";
import { formatVerification } from "../manifest/verify/verification_report.ts";
import { affectedManifests, parseChanges } from "./changes.ts";
import { type Review, reviewManifest, type Sides } from "./review.ts";
import { annotationsOf, type Outcome, outcomeOf, summaryText } from "./summary.ts";
import { annotationCommand, withoutCommands } from "./workflow_commands.ts";

/** Manifests that are looked at; each may take minutes, and has a remark, of which GitHub shows few. */
const MAX_MANIFESTS = 50;
const MAX_CHANGES_BYTES = 64 * 2 ** 20;

const OPTIONS = {
  changes: { kind: "text", value: "FILE", help: "what git diff --name-status --no-renames -z printed" },
  base: { kind: "text", value: "DIR", help: "a checkout of the base branch" },
  folder: { kind: "text", value: "DIR", mayBeEmpty: true, help: "look only at what lies in this folder" },
  "public-key": { kind: "list", value: "FILE…", help: "in the base branch: keys of makers whom you know" },
  keys: { kind: "text", value: "FILE", help: "in the base branch: who counts as reviewer" },
  require: { kind: "text", value: "N", help: "so many reviewers must have attested" },
  "require-retrain": { kind: "text", value: "N|all", help: "and each of them retrained N segments, or all" },
  retrain: { kind: "text", value: "N|all", help: "retrain N segments of each manifest" },
  "without-checkpoints": { kind: "flag", help: "accept that checkpoints were not published" },
} as const;

const EXIT_CODES: Readonly<Record<Outcome, number>> = {
  "verified": EXIT.ok,
  "nothing to check": EXIT.ok,
  "failed": EXIT.failed,
  "could not check": EXIT.unable,
};

/** What the runner says by variables. */
type Variables = (name: "GITHUB_WORKSPACE" | "GITHUB_STEP_SUMMARY" | "GITHUB_OUTPUT") => string | undefined;

/**
 * Reviews a pull request.
 *
 * @returns the exit code: 0 all verified or nothing to check, 1 some failed, 2 some could not be checked
 * @throws {UserError} if the command line or a variable is missing or wrong
 */
export async function reviewPullRequest(args: readonly string[], variable: Variables): Promise<number> {
  const { values } = parseCommandLine(args, OPTIONS);
  const { changes, base, folder = "", "public-key": publicKeys = [], keys } = values;
  const needed = <T>(value: T | undefined, what: string): T => {
    if (value !== undefined && value !== "") return value;
    throw new UserError("MISSING_OPTION", `${what} is not given`, "run this by action.yml");
  };
  const summary = needed(variable("GITHUB_STEP_SUMMARY"), "GITHUB_STEP_SUMMARY");
  const outputs = needed(variable("GITHUB_OUTPUT"), "GITHUB_OUTPUT");
  const sides: Sides = {
    head: await DENO_FILES.realPath(needed(variable("GITHUB_WORKSPACE"), "GITHUB_WORKSPACE")),
    base: await DENO_FILES.realPath(needed(base, '"--base"')),
  };
  const trusted = (path: string) => `${sides.base}/${safePath(path)}`;
  const words = [
    ...publicKeys.flatMap((path) => ["--public-key", trusted(path)]),
    ...(keys === undefined ? [] : ["--keys", trusted(keys)]),
    ...(["require", "require-retrain", "retrain"] as const).flatMap((name) => {
      const value = values[name];
      return value === undefined ? [] : [`--${name}=${value}`];
    }),
    ...(values["without-checkpoints"] === true ? ["--without-checkpoints"] : []),
  ];
  const listed = await readFileBounded(needed(changes, '"--changes"'), MAX_CHANGES_BYTES);
  const affected = await affectedManifests(
    parseChanges(new TextDecoder().decode(listed)),
    folder === "" ? "" : safePath(folder.replace(/\/+$/, "")),
    async (side, path) => await DENO_FILES.status(`${sides[side]}/${path}`) !== undefined,
  );
  const reviews: Review[] = [];
  const isInterrupted = await withoutCommands(async () => {
    for (const each of affected.slice(0, MAX_MANIFESTS)) {
      print(`${each.path}\n`);
      const review = await reviewManifest(each, sides, words);
      if (review === undefined) return true;
      reviews.push(review);
      print(review.verified === undefined ? `${review.verdict}\n` : formatVerification(review.verified.report));
    }
    return false;
  });
  if (isInterrupted) return EXIT.interrupted;
  const leftOut = affected.slice(MAX_MANIFESTS).map(({ path }) => path);
  const outcome = outcomeOf(reviews, leftOut);
  await append(summary, summaryText(reviews, leftOut));
  await append(outputs, `verdict=${outcome}\nmanifests=${affected.length}\n`);
  for (const annotation of annotationsOf(reviews, leftOut)) print(annotationCommand(annotation));
  return EXIT_CODES[outcome];
}

/** A path within a checkout. */
function safePath(path: string): string {
  const reason = unsafeNameReason(path);
  if (reason === undefined) return path;
  throw new UserError("UNSAFE_PATH", `"${path}" ${reason}`, "give a path relative to the repository's root");
}

async function append(path: string, text: string): Promise<void> {
  const file = await AppendFile.open(path);
  try {
    await file.append(new TextEncoder().encode(text));
  } finally {
    file.close();
  }
}

if (import.meta.main) {
  guardConsole();
  try {
    Deno.exit(await reviewPullRequest(Deno.args, (name) => Deno.env.get(name)));
  } catch (error) {
    await withoutCommands(() => Promise.resolve(printFailure(error)));
    const message = error instanceof Error ? error.message : String(error);
    print(annotationCommand({ level: "error", message }));
    Deno.exit(EXIT.unable);
  }
}
