/** What a pickle describes. Calls are described too, and never made. */

/** Any value. */
export type PickleValue =
  | null
  | boolean
  | number
  | string
  | PickleTuple
  | PickleDict
  | PickleGlobal
  | PickleCall
  | PicklePersistent;

/** Values in a row. */
export interface PickleTuple {
  /** tells it from other values */
  readonly kind: "tuple";
  /** in order */
  readonly items: readonly PickleValue[];
}

/** Values by text, in order; a `dict` or an `OrderedDict`. */
export interface PickleDict {
  /** tells it from other values */
  readonly kind: "dict";
  /** by key */
  readonly entries: Map<string, PickleValue>;
}

/** A function or class that the pickle names. */
export interface PickleGlobal {
  /** tells it from other values */
  readonly kind: "global";
  /** module and name, with a dot between */
  readonly name: string;
}

/** A function and what it would be called with. */
export interface PickleCall {
  /** tells it from other values */
  readonly kind: "call";
  /** the function: module and name, with a dot between */
  readonly callee: string;
  /** its arguments */
  readonly items: readonly PickleValue[];
}

/** What lies outside of the pickle, by the key that stands for it. */
export interface PicklePersistent {
  /** tells it from other values */
  readonly kind: "persistent";
  /** the key */
  readonly id: PickleValue;
}

/** What a value is, for messages. */
export function describeValue(value: PickleValue | undefined): string {
  if (value === null) return "None";
  return typeof value === "object" ? `a ${value.kind}` : `a ${typeof value}`;
}
