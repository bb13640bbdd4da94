/**
 * Causal flash attention, backward, in two kernels that share no output, so that nothing is added in an order that could
 * change: a block of the first owns queries and runs over keys, one of the second owns keys and runs over queries. Both
 * compute P = 2^(S * scale2 - L) anew. With delta = row sum of dO * O: dS = P * (dP - delta), dP = dO * V^T;
 * dQ = dS * K * scale, dK = dS^T * Q * scale, dV = P^T * dO. The first kernel leaves delta (windows, heads, T) for the
 * second.
 * FLOPs, half of the square: 3 T^2 HEAD_SIZE and 4 T^2 HEAD_SIZE a head.
 */
#include "attention.cuh"

/** Keys, or queries, that both kernels take at a time, and the 16 of them whose scores are in registers. */
constexpr unsigned SLICES = 4;
constexpr unsigned BACKWARD_TILE = 16 * SLICES;
constexpr unsigned BACKWARD_ELEMENTS = BACKWARD_TILE * HEAD_STRIDE;
