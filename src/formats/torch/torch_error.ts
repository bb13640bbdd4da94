/**
 * How files of `torch.save` are refused: as damaged, where another copy may be whole; as not supported, where every copy
 * is the same and the file must be written in another way; as unsafe, where reading it as PyTorch does would run code.
 */
import { UserError } from "../../errors.ts";
import { printable } from "../../files/safe_name.ts";

/**
 * Throws the error of one file.
 *
 * @param problem what is wrong with it
 * @param remedy what to do about a file that is whole and not supported; the file is damaged if none is given
 */
export type Fail = (problem: string, remedy?: string) => never;

/** The remedy for nearly everything that is not supported. */
export const SAVE_AGAIN = "load it with PyTorch, if you trust who made it, and save the model as safetensors";

/** What is thrown for a file that is cut short, malformed, or no file of `torch.save`. */
export function badTorchFile(name: string, problem: string): UserError {
  return new UserError(
    "BAD_TORCH_FILE",
    `"${printable(name)}" is not a whole file of torch.save: ${problem}`,
    "fetch the file again, or save the model as safetensors",
  );
}

/** What is thrown for a file that may well be whole, and holds what is not read here. */
export function unsupportedTorchFile(name: string, problem: string, remedy: string = SAVE_AGAIN): UserError {
  return new UserError("UNSUPPORTED_TORCH_FILE", `"${printable(name)}" is not supported: ${problem}`, remedy);
}

/** What is thrown for a pickle that does what a table of tensors never needs. */
export function unsafePickle(name: string, problem: string): UserError {
  return new UserError(
    "UNSAFE_PICKLE",
    `"${printable(name)}" ${problem}, which a table of tensors does not need`,
    "nothing of it was run; do not load it elsewhere either unless you trust who made it",
  );
}

/** The errors of a file. */
export function failOf(name: string): Fail {
  return (problem, remedy) => {
    throw remedy === undefined ? badTorchFile(name, problem) : unsupportedTorchFile(name, problem, remedy);
  };
}
