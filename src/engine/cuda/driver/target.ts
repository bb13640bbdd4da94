/** What kernels are compiled for: `sm_90` machine code of one architecture, `compute_90` PTX for it and newer ones. */
import { suggest, UserError } from "../../../errors.ts";

/** `sm_` for machine code (a cubin), `compute_` for PTX. */
export type Target = `${"sm" | "compute"}_${number}`;

/** Whether it is PTX, which the driver compiles when it loads it. */
export function isPtx(target: Target): boolean {
  return target.startsWith("compute_");
}

/** Ten times the compute capability that a target is for: 90 of `sm_90`. */
export function architectureOf(target: Target): number {
  return Number(target.slice(target.indexOf("_") + 1));
}

/** @throws {UserError} `UNKNOWN_ARCHITECTURE` if the text is no target */
export function parseTarget(text: string): Target {
  const parts = /^(sm|compute)_(\d{2,3})$/.exec(text);
  const kind = parts?.[1];
  if (kind === "sm" || kind === "compute") return `${kind}_${Number(parts?.[2])}`;
  throw new UserError(
    "UNKNOWN_ARCHITECTURE",
    `Unknown architecture "${text}"`,
    suggest(text, ["sm_80", "sm_90", "sm_100", "compute_80"]),
  );
}

/**
 * The best of what is to be had for a device: machine code of its own architecture, else the newest PTX that is not
 * newer than the device.
 *
 * @param available targets to choose from
 */
export function chooseTarget(
  [major, minor]: readonly [number, number],
  available: readonly Target[],
): Target | undefined {
  const own = 10 * major + minor;
  const exact = available.find((target) => !isPtx(target) && architectureOf(target) === own);
  return exact ?? available
    .filter((target) => isPtx(target) && architectureOf(target) <= own)
    .sort((a, b) => architectureOf(b) - architectureOf(a))[0];
}
