/** A run by what people call it. */
import { shortDigest } from "../../digest/sha256.ts";
import { suggest, UserError } from "../../errors.ts";
import { isTrained, type ManifestRun, type TrainedRun } from "./run.ts";

/**
 * The trained run that is meant.
 *
 * @param name its label, or the first digits of its key, four or more
 * @throws {UserError} `UNKNOWN_RUN` with the nearest label, or with all that begin so
 */
export function findRun(name: string, runs: readonly ManifestRun[]): TrainedRun {
  const trained = runs.filter(isTrained);
  const found = trained.filter(({ label, key }) =>
    label === name || (/^[0-9a-f]{4,64}$/.test(name) && key.startsWith(name))
  );
  const [run, second] = found;
  if (run === undefined) {
    throw new UserError("UNKNOWN_RUN", `No trained run is "${name}"`, suggest(name, trained.map(({ label }) => label)));
  }
  if (second !== undefined) {
    const keys = found.map(({ key }) => shortDigest(key)).join(", ");
    throw new UserError(
      "UNKNOWN_RUN",
      `${found.length} runs begin with "${name}" (${keys})`,
      "give more digits or the label",
    );
  }
  return run;
}
