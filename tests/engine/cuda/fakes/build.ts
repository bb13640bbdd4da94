/** Fake libraries, built by gcc. */
import { withFolder } from "../../../temporary_folder.ts";

/** Whether a program can be started. */
export function canRun(program: string, ...args: string[]): boolean {
  try {
    return new Deno.Command(program, { args, stdout: "null", stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

const HAS_GCC = canRun("gcc", "--version");
if (!HAS_GCC) console.warn("gcc cannot be started: tests that need a fake library are skipped");

/** A fake library to be built. */
export interface Fake {
  /** its name in this folder */
  readonly source: string;
  /** the file name it goes by */
  readonly library: string;
  /** for the preprocessor: `FAKE_DEVICES=0` */
  readonly definitions?: readonly string[];
}

/** Compiles a fake into a folder. */
export async function buildFake(folder: string, { source, library, definitions = [] }: Fake): Promise<void> {
  const { success, stderr } = await new Deno.Command("gcc", {
    args: [
      ...["-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"],
      ...definitions.map((definition) => `-D${definition}`),
      ...["-o", `${folder}/${library}`, new URL(source, import.meta.url).pathname],
    ],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

/** A test with a folder of fakes that no other test has used; skipped where there is no gcc. */
export function testWithFakes(
  name: string,
  fakes: readonly Fake[],
  use: (folder: string) => Promise<void> | void,
): void {
  Deno.test({
    name,
    ignore: !HAS_GCC,
    fn: () =>
      withFolder(async (folder) => {
        for (const fake of fakes) await buildFake(folder, fake);
        await use(folder);
      }),
  });
}
