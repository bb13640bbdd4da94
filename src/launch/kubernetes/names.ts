/** Names that Kubernetes takes: those of our own are mapped to such, those of existing objects are checked. */
import { UserError } from "../../errors.ts";

/** Longest name of an Indexed Job: its pods' host names, `NAME-INDEX`, have at most 63 characters (RFC 1123). */
const MAX_JOB_NAME = 63 - "-99999".length;

/**
 * A name as Kubernetes takes it for a job: lower-case letters, digits and dashes, a letter or digit at both ends.
 *
 * @throws {UserError} `REFUSED_NAME` for one of which nothing is left
 *
 * @example
 * ```ts
 * import { jobNameFor } from "./names.ts";
 *
 * console.log(jobNameFor("Warmup 1%_seed-0")); // warmup-1-seed-0
 * ```
 */
export function jobNameFor(name: string): string {
  const mapped = name.normalize("NFKD").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+/, "")
    .slice(0, MAX_JOB_NAME).replace(/-+$/, "");
  if (mapped !== "") return mapped;
  throw new UserError(
    "REFUSED_NAME",
    `Kubernetes takes no part of "${name}" for the name of a job`,
    "give --name of letters, digits and dashes",
  );
}

/**
 * Checks the name of an object that is there already.
 *
 * @param option that gives it
 * @param longest 253 for most objects, 63 where the name also stands in a label
 * @throws {UserError} `REFUSED_NAME`
 * @see Kubernetes, "Object Names and IDs": DNS subdomain names
 */
export function requireObjectName(option: string, name: string, longest: 63 | 253): string {
  const part = "[a-z0-9]([a-z0-9-]*[a-z0-9])?";
  if (name.length <= longest && new RegExp(`^${part}(\\.${part})*$`).test(name)) return name;
  throw new UserError(
    "REFUSED_NAME",
    `Option "--${option}" is "${name}", which Kubernetes takes for no object's name`,
    `expected at most ${longest} lower-case letters, digits, dashes and dots, as kubectl get shows it`,
  );
}
