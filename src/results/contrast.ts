/**
 * A contrast: one number a seed that a claim wants positive, within a margin, or not below one. Every rule is a list
 * of contrasts, and every verdict is the sum of their outcomes, so that noise is handled in one place.
 */

/** What a claim wants of a contrast. */
export type Expectation =
  /** beyond `holdsFrom`; at `failsTo` or less the opposite is shown. `neutral` is what no effect would give. */
  | { readonly kind: "beyond"; readonly holdsFrom: number; readonly failsTo: number; readonly neutral: number }
  /** between −margin and +margin */
  | { readonly kind: "within"; readonly margin: number }
  /** −margin or more */
  | { readonly kind: "not-below"; readonly margin: number }
  /** this or more: of preconditions */
  | { readonly kind: "at-least"; readonly value: number };

/** What the numbers of a contrast are. */
export type ContrastUnit = "share of loss" | "nats" | "R²" | "share" | "ratio";

/** One comparison that a rule makes. */
export interface Contrast {
  /** what holds if the number is positive or small: `2x below 1x` */
  readonly label: string;
  readonly unit: ContrastUnit;
  /** one number a seed, in ascending order of seeds */
  readonly values: readonly number[];
  readonly expectation: Expectation;
}

/** A number with a fixed number of decimals, exactly as ECMAScript defines it, and never −0. */
export function decimal(value: number, digits = 6): string {
  const text = value.toFixed(digits);
  return /^-0(\.0*)?$/.test(text) ? text.slice(1) : text;
}

/** A value of a contrast for sentences: `+1.58 %`, `0.021 nats`, `R² 0.981`. */
export function inWords(value: number, unit: ContrastUnit): string {
  const sign = value > 0 ? "+" : "";
  switch (unit) {
    case "share of loss":
    case "share":
      return `${sign}${decimal(100 * value, 2)} %`;
    case "nats":
      return `${sign}${decimal(value, 3)} nats`;
    case "ratio":
      return decimal(value, 2);
    case "R²":
      return `R² ${decimal(value, 3)}`;
  }
}

/** How far a mean is from what is wanted of it; the smallest decides which comparison a sentence names. */
export function slack(expectation: Expectation, mean: number): number {
  switch (expectation.kind) {
    case "beyond":
      return mean - expectation.holdsFrom;
    case "within":
      return expectation.margin - Math.abs(mean);
    case "not-below":
      return mean + expectation.margin;
    case "at-least":
      return mean - expectation.value;
  }
}

/** What a rule asks of a comparison: `0.50 % or more asked`. */
export function askedInWords({ unit, expectation }: Contrast): string {
  const asked = (value: number) => inWords(value, unit).replace(/^\+/, "");
  switch (expectation.kind) {
    case "beyond":
      return `${asked(expectation.holdsFrom)} or more asked`;
    case "within":
      return `±${asked(expectation.margin)} asked`;
    case "not-below":
      return `${inWords(-expectation.margin, unit)} or more asked`;
    case "at-least":
      return `${asked(expectation.value)} or more asked`;
  }
}
