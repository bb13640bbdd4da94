/** Options as tables: what whoever reads them declares, and the command line parses and explains. */

/** One option. */
export interface Option {
  readonly kind: "text" | "list" | "flag" | "count";
  /** what stands for the value in the help, such as `DIR` */
  readonly value?: string;
  readonly help: string;
  /** whether an empty text is a value like any other */
  readonly mayBeEmpty?: boolean;
  /** the value is a path, from where the user stands */
  readonly path?: true;
  /** the path begins after the first of these, a name before it: `=` */
  readonly pathAfter?: string;
  /** names that it had in earlier versions, without dashes: who gives one is told the new one */
  readonly formerly?: readonly string[];
  /** a list that takes one word each time it is given, so that a word after it is not one of its own */
  readonly wordEach?: true;
  /** words that may stand in place of a path, such as `bytes` */
  readonly words?: readonly string[];
}

/** Options by their name without dashes. */
export type Options = Readonly<Record<string, Option>>;

/** Values of options, typed by their kind; absent where not given. */
export type Values<T extends Options> = {
  readonly [Name in keyof T]?: T[Name]["kind"] extends "flag" ? true
    : T[Name]["kind"] extends "list" ? readonly string[]
    : T[Name]["kind"] extends "count" ? number
    : string;
};
