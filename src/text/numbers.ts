/** Numbers as people read them. */

/**
 * A number in a few characters, with thousands, millions and so on as letters: `21.7M`.
 *
 * @param value a number of at least 0
 */
export function compactNumber(value: number): string {
  const units = ["", "k", "M", "G", "T", "P", "E", "Z"];
  let scaled = value;
  let unit = 0;
  while (scaled >= 999.5 && unit < units.length - 1) {
    scaled /= 1000;
    unit++;
  }
  const digits = unit === 0 || scaled >= 99.95 ? 0 : scaled >= 9.995 ? 1 : 2;
  return `${scaled.toFixed(digits)}${units[unit]}`;
}

/** A whole number with commas between thousands: `131,296`. */
export function groupedNumber(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ",");
}
