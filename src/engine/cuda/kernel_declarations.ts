/**
 * Reads the declarations of kernels from CUDA source, strictly: what it does not understand is an error, so that no
 * launch can pass other arguments than the kernel takes.
 */

/** How an argument is passed: a pointer, or a number of 4 or 8 bytes. The letters are those of `driver/kernel.ts`. */
export type ParameterLetter = "p" | "u" | "i" | "f" | "l";

/** One parameter of a kernel. */
export interface KernelParameter {
  readonly name: string;
  /** without qualifiers, such as `float*` or `unsigned` */
  readonly type: string;
  readonly letter: ParameterLetter;
}

/** A kernel as its source declares it. */
export interface KernelDeclaration {
  readonly name: string;
  readonly parameters: readonly KernelParameter[];
  /** the parameters' letters */
  readonly signature: string;
  /** first argument of `__launch_bounds__`, an expression of the source; `undefined` if it has none */
  readonly launchBounds: string | undefined;
}

const SCALARS: ReadonlyMap<string, ParameterLetter> = new Map([
  ["unsigned", "u"],
  ["unsigned int", "u"],
  ["int", "i"],
  ["float", "f"],
  ["unsigned long long", "l"],
  ["size_t", "l"],
]);

const POINTED_TO = new Set([
  "void",
  "float",
  "double",
  "int",
  "unsigned",
  "unsigned int",
  "unsigned short",
  "unsigned char",
  "unsigned long long",
  ...["float", "int", "uint"].flatMap((type) => [`${type}2`, `${type}4`]),
]);

/** The source with comments made blank; line and column of everything else stay. */
export function withoutComments(source: string): string {
  return source.replace(
    /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|\/\/[^\n]*|\/\*[\s\S]*?\*\//g,
    (token) => /^\/[/*]/.test(token) ? token.replace(/[^\n]/g, " ") : token,
  );
}

function parameter(text: string, kernel: string): KernelParameter {
  const words = text.replaceAll("*", " * ").split(/\s+/).filter((word) =>
    word !== "" && word !== "const" && word !== "__restrict__"
  );
  const name = words.pop() ?? "";
  const pointer = words.at(-1) === "*";
  const type = words.filter((word) => word !== "*").join(" ");
  const stars = words.filter((word) => word === "*").length;
  const letter = pointer && stars === 1 && POINTED_TO.has(type) ? "p" : stars === 0 ? SCALARS.get(type) : undefined;
  if (!/^[A-Za-z_]\w*$/.test(name) || letter === undefined) {
    throw new Error(`Kernel "${kernel}" has the parameter "${text.trim()}", whose type is not known`);
  }
  return { name, type: pointer ? `${type}*` : type, letter };
}

const DECLARATION = new RegExp(
  String.raw`^extern\s+"C"\s+__global__\s+(?:void\s+)?(?:__launch_bounds__\s*\(([^()]*)\)\s*)?(?:void\s+)?` +
    String.raw`([A-Za-z_]\w*)\s*\(([^()]*)\)\s*\{`,
);

/**
 * All kernels that a source defines.
 *
 * @param where the source's name in messages
 * @throws {Error} if a `__global__` is not `extern "C" __global__ void name(…) {` with parameters of known types
 */
export function kernelDeclarations(source: string, where: string): KernelDeclaration[] {
  const bare = withoutComments(source);
  const declarations: KernelDeclaration[] = [];
  for (const { index } of bare.matchAll(/\b__global__\b/g)) {
    const start = /extern\s+"C"\s*$/.exec(bare.slice(0, index))?.index;
    const match = start === undefined ? null : DECLARATION.exec(bare.slice(start));
    const line = bare.slice(0, index).split("\n").length;
    if (match === null || /#\s*define(?:[^\n]|\\\n)*$/.test(bare.slice(0, index))) {
      throw new Error(`"${where}" line ${line}: a kernel has to be declared as extern "C" __global__ void name(…) {`);
    }
    const [, bounds, name = "", list = ""] = match;
    const parameters = list.trim() === "" ? [] : list.split(",").map((text) => parameter(text, name));
    const signature = parameters.map(({ letter }) => letter).join("");
    declarations.push({ name, parameters, signature, launchBounds: bounds?.split(",")[0]?.trim() });
  }
  return declarations;
}
