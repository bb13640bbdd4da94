/** How much the stylesheet has numbered rules for: charts show no more. */

/** Most places of a chart that answer with values. */
export const MAX_SPOTS = 40;

/** Most claims under one heading whose points are ringed when they are unfolded. */
export const MAX_CLAIMS = 24;
