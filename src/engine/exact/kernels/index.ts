// What the exact engine calls. AssemblyScript.
export { adamw, sumOfSquares } from "./adamw";
export { causalSoftmax, causalSoftmaxBackward, rotate } from "./attention";
export { crossEntropy } from "./cross_entropy";
export {
  add,
  addBias,
  addColumnSums,
  addColumnSumsOfProducts,
  fill,
  gatherRows,
  multiply,
  scatterAddRows,
} from "./elementwise";
export { fmaProbe } from "./probe";
export { gelu, geluForward } from "./gelu";
export { matmulNN, matmulNT, matmulTN } from "./matmul";
export { normalize, normalizeBackward, scaleAndShift, scaleGradient } from "./layer_norm";
