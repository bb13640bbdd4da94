/** Families of embedded text: which files of which installed npm package each is. docs/data.md has their licences. */
import type { PackageText } from "./npm_source.ts";

const isDeclaration = (path: string) => path.endsWith(".d.ts");

/** All families by their names, which are the domains of the corpora. */
export const FAMILIES = {
  /** declarations of JavaScript's library and of the browser's */
  typescript: {
    domain: "typescript",
    package: "typescript",
    includes: (path) => /^lib\/lib\.[^/]*\.d\.ts$/.test(path),
  },
  /** declarations of Node's library */
  node: {
    domain: "node",
    package: "@types/node",
    // The folders ts5.6, ts5.7 … repeat files for older compilers; which there are changes from release to release.
    includes: (path) => isDeclaration(path) && !/^(ts\d|node_modules\/)/.test(path),
  },
  /** TypeScript's compiler: JavaScript */
  compiler: {
    domain: "compiler",
    package: "typescript",
    pin: "typescript (compiler)",
    includes: (path) => path === "lib/typescript.js",
  },
  /** the compiler's messages in the eight other languages that are written in Latin letters */
  messages: {
    domain: "messages",
    package: "typescript",
    pin: "typescript (messages)",
    includes: (path) => /^lib\/(cs|de|es|fr|it|pl|pt-br|tr)\/diagnosticMessages\.generated\.json$/.test(path),
    readAs: "json values",
  },
  /** declarations of Microsoft Office's library */
  office: { domain: "office", package: "@types/office-js", includes: isDeclaration },
  /** declarations of the Windows Runtime */
  winrt: { domain: "winrt", package: "@types/winrt-uwp", includes: isDeclaration },
  /** declarations of Visual Studio Code's library */
  vscode: { domain: "vscode", package: "@types/vscode", includes: isDeclaration },
  /** declarations of Google Maps' library */
  maps: { domain: "maps", package: "@types/google.maps", includes: isDeclaration },
} as const satisfies Readonly<Record<string, PackageText>>;

/** Name of a family. */
export type FamilyName = keyof typeof FAMILIES;

/** Names of all families. */
export const FAMILY_NAMES = Object.keys(FAMILIES) as FamilyName[];
