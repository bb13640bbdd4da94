/** Which tile a matmul is cut into: from the problem's shape alone, and without a difference to any bit. */

/** A tile of the output, as `kernels/ordered/matmul.cu` has them. */
export interface Tile {
  readonly rows: number;
  readonly columns: number;
  /** threads of a block */
  readonly threads: number;
  /** dynamic shared memory of a block, bytes */
  readonly sharedBytes: number;
}

/** Two buffers, `depth` deep, of both operands with four floats of padding (`SHARED_FLOATS` in matmul.cuh). */
function tile(rows: number, columns: number, depth: number, threads: number): Tile {
  return { rows, columns, threads, sharedBytes: 2 * depth * (rows + 4 + columns + 4) * 4 };
}

/** From the one with the most arithmetic for each byte to the one that divides small problems best. */
export const TILES = [tile(128, 128, 8, 256), tile(128, 64, 16, 256), tile(32, 32, 16, 64)] as const;

/** A matmul is cut finer until this many blocks can share it, if a finer tile is left. */
const ENOUGH_BLOCKS = 96;

/** Blocks along rows and columns of C (m, n). */
export function tileGrid({ rows, columns }: Tile, m: number, n: number): [rows: number, columns: number] {
  return [Math.ceil(m / rows), Math.ceil(n / columns)];
}

/**
 * The tile for C (m, n).
 *
 * @param problems matmuls of this shape in one launch
 */
export function chooseTile(m: number, n: number, problems: number): Tile {
  const fits = (candidate: Tile): boolean => {
    const [down, across] = tileGrid(candidate, m, n);
    return m >= candidate.rows && n >= candidate.columns && down * across * problems >= ENOUGH_BLOCKS;
  };
  return TILES.find(fits) ?? TILES[2];
}
