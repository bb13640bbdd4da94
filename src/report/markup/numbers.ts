/**
 * Numbers as people read them. Nothing here asks the locale or the platform's `Intl` data, whose output differs
 * between versions: the same input must give the same page.
 */

/** What stands where a number is missing or not finite. */
export const NO_NUMBER = "–";

const UNITS = [[1e12, "T"], [1e9, "B"], [1e6, "M"], [1e3, "K"]] as const;

/** A whole number with commas between thousands: 182,848. */
export function grouped(value: number): string {
  return Math.round(value).toString().replace(/\B(?=(\d{3})+$)/g, ",");
}

/** A decimal without trailing zeros: at most `digits` after the point. */
export function trimmed(value: number, digits: number): string {
  const text = value.toFixed(digits);
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** A count in K, M, B or T, three digits at most: 3M, 1.46K, 297B. */
export function compact(count: number): string {
  for (const [size, unit] of UNITS) {
    const scaled = count / size;
    if (scaled >= 0.9995) return `${trimmed(scaled, scaled >= 100 ? 0 : scaled >= 10 ? 1 : 2)}${unit}`;
  }
  return trimmed(count, 0);
}

/** A share as a percentage, precise where it is small: 0.5 %, 33 %; the space does not break. */
export function percent(share: number): string {
  const value = share * 100;
  return `${trimmed(value, value < 1 ? 2 : value < 10 ? 1 : 0)}\u00a0%`;
}

/** A number with a fixed count of decimals, or a dash where there is none; huge ones, of diverging runs, in powers of ten. */
export function fixed(value: number | null | undefined, digits: number): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NO_NUMBER;
  return Math.abs(value) < 1e6 ? value.toFixed(digits) : value.toExponential(2).replace("e+", "e");
}

/** A learning rate: 3e-4, 1.5e-4, 0. */
export function rate(value: number): string {
  if (value === 0) return "0";
  return value.toExponential(2).replace(/\.?0+e/, "e");
}

/** How many times larger, in two digits at most: 2,200. */
export function ratio(larger: number, smaller: number): string {
  const value = larger / smaller;
  if (value < 10) return trimmed(value, 1);
  let unit = 1;
  while (value / unit >= 100) unit *= 10;
  return grouped(Math.round(value / unit) * unit);
}

/** Smallest and largest of any number of values, 0 and 1 if there are none; spread arguments have a limit. */
export function extent(values: Iterable<number>): [low: number, high: number] {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) [low, high] = [value < low ? value : low, value > high ? value : high];
  return low <= high ? [low, high] : [0, 1];
}

/**
 * Round tick values within a range: multiples of 1, 2 or 5 times a power of ten.
 *
 * @param count about how many ticks are wanted
 */
export function ticks(low: number, high: number, count: number): number[] {
  const span = high - low;
  if (!(span > 0) || !Number.isFinite(span)) return [low];
  let exponent = 0;
  while (span / count >= Number(`1e${exponent + 1}`)) exponent++;
  while (span / count < Number(`1e${exponent}`)) exponent--;
  const spacings = [1, 2, 5, 10].map((factor) => Number(`${factor}e${exponent}`));
  // the spacing whose number of ticks is nearest to the wish
  const spacing = spacings.reduce((best, next) =>
    Math.abs(span / next - count) < Math.abs(span / best - count) ? next : best
  );
  const values: number[] = [];
  for (let k = Math.ceil(low / spacing - 1e-9); k * spacing <= high + spacing * 1e-9; k++) {
    values.push(Number((k * spacing).toPrecision(12)));
  }
  return values;
}

/** Decimals that tell neighbouring ticks apart. */
export function decimalsOf(values: readonly number[]): number {
  return Math.max(0, ...values.map((value) => (String(value).split(".")[1] ?? "").length));
}
