/**
 * Writes the AssemblyScript of the matmul's register tiles. A tile holds `rows` × 8 sums in registers while it
 * walks along k, so every sum needs a variable of its own; six tiles of that shape are clearer generated than typed.
 */

/** Tile heights, largest first. Six rows fill 12 of x86-64's 16 vector registers with sums. */
const TILE_ROWS = [6, 4, 2] as const;

/** Steps of k in one turn of the loop where A's rows are contiguous. */
const UNROLL = 4;

/** How A lies in memory: `N` row-major, `T` transposed (k-major). */
type Layout = "N" | "T";

/** Repeats a line for each row of a tile. */
function forEachRow(rows: number, line: (row: number) => string): string {
  return Array.from({ length: rows }, (_, row) => line(row)).join("\n");
}

/** One step along k: 8 columns of the packed B panel against one element of A for each row. */
function multiplyAdd(rows: number, elementOfA: (row: number) => string, offsetInPanel: number): string {
  return `    b0 = v128.load(b, ${offsetInPanel}); b1 = v128.load(b, ${offsetInPanel + 16});
${
    forEachRow(rows, (row) =>
      `    x = v128.load32_splat(${elementOfA(row)}); ` +
      `low${row} = fma(x, b0, low${row}); high${row} = fma(x, b1, high${row});`)
  }`;
}

function walkAlongK(rows: number, layout: Layout): string {
  if (layout === "T") {
    return `  for (let i = 0; i < k; i++) {
${multiplyAdd(rows, (row) => `a, ${4 * row}`, 0)}
    a += lda; b += 32;
  }`;
  }
  const steps = Array.from(
    { length: UNROLL },
    (_, step) => multiplyAdd(rows, (row) => `a${row}, ${4 * step}`, 32 * step),
  );
  return `${forEachRow(rows, (row) => `  let a${row} = a + lda * ${row};`)}
  for (let i = 0; i < k; i += ${UNROLL}) {
${steps.join("\n")}
${forEachRow(rows, (row) => `    a${row} += ${4 * UNROLL};`)}
    b += ${32 * UNROLL};
  }`;
}

function tile(rows: number, layout: Layout): string {
  return `
/** C (${rows}, 8) continues its chains over k products of A and a packed panel of B. */
export function tile${rows}${layout}(
  k: i32, a: usize, lda: usize, b: usize, c: usize, ldc: usize,
): void {
  let x: v128, b0: v128, b1: v128;
${
    forEachRow(rows, (row) =>
      `  const c${row} = c + ldc * ${row};
  let low${row} = v128.load(c${row});
  let high${row} = v128.load(c${row}, 16);`)
  }
${walkAlongK(rows, layout)}
${forEachRow(rows, (row) => `  v128.store(c${row}, low${row}); v128.store(c${row}, high${row}, 16);`)}
}`;
}

/** AssemblyScript source of the module `./tile` that `kernels/matmul.ts` imports. */
export function microKernelSource(): string {
  const tiles = TILE_ROWS.flatMap((rows) => [tile(rows, "N"), tile(rows, "T")]);
  return `import { fma } from "./fma";\n${tiles.join("\n")}\n`;
}
