/** Numbers of the independent Philox streams, the last word of every counter, so that no two purposes share a value. */
export const STREAM = {
  initialWeights: 1,
  documentOrder: 2,
  windowOrder: 3,
  documentSplit: 4,
  corpusSplit: 5,
  bootstrap: 6,
  retrainingChoice: 7,
  sampling: 8,
} as const;
