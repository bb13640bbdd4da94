/** Types for the part of `@balena/dockerignore` that the tests use; its own do not fit how its code is exported. */

/** The rules of a `.dockerignore`. */
export interface Rules {
  /** Adds the lines of a file. */
  add(lines: string): this;
  /** Whether they keep a path, relative to the build's folder, out. */
  ignores(path: string): boolean;
}

/** Makes an empty set of rules. */
export default function rules(): Rules;
