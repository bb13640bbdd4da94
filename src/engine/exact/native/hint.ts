/** One line for those who trained portably where they could have trained natively. */
import { LIBRARY_FOLDER, libraryName } from "./platform.ts";

/** Measured on an Intel Xeon with two threads on hidden 128, sequence 256: docs/benchmarks.md. */
const MEASURED = "2.3 times as fast with AVX2, 4.1 times with AVX-512";

/**
 * Says that native kernels exist and what they gain, to those who may not know.
 *
 * @param task of deno.json that has the permission for them
 * @returns undefined where they may be loaded already, or do not exist
 */
export async function nativeHint(task: string): Promise<string | undefined> {
  if (Deno.build.arch !== "x86_64" || libraryName(Deno.build) === undefined) return undefined;
  const { state } = await Deno.permissions.query({ name: "ffi", path: LIBRARY_FOLDER });
  if (state === "granted") return undefined;
  return `Native kernels give the same bits, ${MEASURED}: deno task ${task} (docs/native.md says what that permits)`;
}
