/** The project's Dockerfile as its instructions, read by a parser that is not ours. */
import { DockerfileParser, type Instruction, ModifiableInstruction } from "dockerfile-ast";

/** The project's folder. */
export const PROJECT = new URL("../../", import.meta.url);

/** One instruction, with continued lines joined. */
export interface Step {
  /** in upper case: `COPY` */
  readonly keyword: string;
  /** what follows the keyword and its flags, on one line */
  readonly text: string;
  /** words of the exec form, `["tini", "--"]`; absent in the shell form */
  readonly words?: readonly string[];
  /** `--from=deno` as `from`, `deno` */
  readonly flags: ReadonlyMap<string, string>;
}

function stepOf(instruction: Instruction): Step {
  const flags = instruction instanceof ModifiableInstruction ? instruction.getFlags() : [];
  const text = (instruction.getRawArgumentsContent() ?? "").replace(/\\\r?\n/g, " ").trim().replace(/\s+/g, " ");
  // The parser knows the exec form of all instructions but HEALTHCHECK.
  const json = /^(?:CMD )?(\[.*\])$/.exec(text)?.[1];
  return {
    keyword: instruction.getKeyword(),
    text,
    flags: new Map(flags.map((flag) => [flag.getName(), flag.getValue() ?? ""])),
    words: json === undefined ? undefined : JSON.parse(json),
  };
}

/** All instructions, in order. */
export function parseDockerfile(text: string): Step[] {
  return DockerfileParser.parse(text).getInstructions().map(stepOf);
}

/** The instructions of the last stage, `FROM` first. */
export function lastStage(steps: readonly Step[]): Step[] {
  return steps.slice(steps.findLastIndex(({ keyword }) => keyword === "FROM"));
}

/** The project's Dockerfile. */
export async function readDockerfile(): Promise<string> {
  return await Deno.readTextFile(new URL("Dockerfile", PROJECT));
}
