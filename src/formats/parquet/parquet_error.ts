/** Errors of Parquet files: those that are damaged, and whole ones in a form that is not read. */
import { UserError } from "../../errors.ts";
import { PARQUET_CODECS } from "./codecs.ts";

/** An error of a file that is not what it was. */
export function damagedParquet(path: string, problem: string, options?: ErrorOptions): UserError {
  return new UserError("DAMAGED_FILE", `"${path}" ${problem}`, "restore the file from its source", options);
}

/** An error of a file that another program may well read. */
export function unsupportedParquet(
  problem: string,
  remedy = `write the file again, without compression or with ${Object.keys(PARQUET_CODECS).join(", ").toLowerCase()}`,
  options?: ErrorOptions,
): UserError {
  return new UserError("UNSUPPORTED_PARQUET", problem, remedy, options);
}
