/** How files of `torch.save` are refused. */
import { UserError } from "../../errors.ts";
import { printable } from "../../files/safe_name.ts";

/** Throws the error of one file, given what is wrong with it. */
export type Fail = (problem: string) => never;

/** What is thrown for a file that is cut short, malformed, or no file of `torch.save`. */
export function badTorchFile(name: string, problem: string): UserError {
  return new UserError(
    "BAD_TORCH_FILE",
    `"${printable(name)}" is not a whole file of torch.save: ${problem}`,
    "fetch the file again, or save the model as safetensors",
  );
}

/** What is thrown for a pickle that does what a table of tensors never needs. */
export function unsafePickle(name: string, problem: string): UserError {
  return new UserError(
    "UNSAFE_PICKLE",
    `"${printable(name)}" ${problem}, which a table of tensors does not need`,
    "nothing of it was run; do not load it elsewhere either unless you trust who made it",
  );
}
