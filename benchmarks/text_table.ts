/** Tables for a terminal: the first column to the left, the others to the right. */

/** Lines of a table; columns are as wide as their widest cell, two spaces apart. */
export function textTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...lines.map((cells) => (cells[column] ?? "").length)));
  return lines.map((cells) =>
    widths.map((width, column) => {
      const cell = cells[column] ?? "";
      return column === 0 ? cell.padEnd(width) : cell.padStart(width);
    }).join("  ").trimEnd()
  ).join("\n");
}

/** A number with thousands apart: `12,500`. */
export function grouped(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

/** A share as per cent with one decimal. */
export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
