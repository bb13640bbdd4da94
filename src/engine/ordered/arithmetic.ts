/** Name of the arithmetic that every engine of level `machine_to_machine` computes by. */

/** Version of docs/arithmetic.md: it changes whenever any bit can. */
export const ARITHMETIC_VERSION = "ordered-f32/1";
