/** Types for the part of `@std/yaml` that rewarm uses; the npm build of the library comes without them. */

/** Thrown on malformed YAML; line and column count from 1. */
export class YamlSyntaxError extends SyntaxError {
  readonly line: number;
  readonly column: number;
}

/** Options of {@linkcode parse}. */
export interface ParseOptions {
  /** `"core"` knows null, booleans, integers, floats and strings, and neither merge keys nor timestamps */
  readonly schema?: "failsafe" | "json" | "core" | "default" | "extended";
  readonly allowDuplicateKeys?: boolean;
}

/** Parses one YAML document. */
export function parse(content: string, options?: ParseOptions): unknown;

/** Options of {@linkcode stringify}. */
export interface StringifyOptions {
  readonly schema?: ParseOptions["schema"];
  /** characters after which a long text is folded */
  readonly lineWidth?: number;
  /** `false`: a value that stands twice is written twice */
  readonly useAnchors?: boolean;
}

/** Writes one YAML document. */
export function stringify(data: unknown, options?: StringifyOptions): string;
